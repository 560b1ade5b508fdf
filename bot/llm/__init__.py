"""The only room that speaks Ollama."""
