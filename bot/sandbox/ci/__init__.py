"""Reads CI configurations and runs pipelines, as far as a stand-in needs it."""
