"""What programs call: the chat over HTTP, health and metrics."""
