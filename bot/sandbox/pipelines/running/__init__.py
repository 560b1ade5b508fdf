"""Runs the jobs of a pipeline, in play or for real."""
