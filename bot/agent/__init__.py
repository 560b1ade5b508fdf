"""Runs a model until it answers or a limit is hit; is handed everything and does no I/O of its own."""
