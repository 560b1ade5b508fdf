"""Java and Kotlin on Maven or Gradle."""
