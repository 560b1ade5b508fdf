"""The templates in use and the pipelines learned from: read, remembered, kept current, and searched."""
