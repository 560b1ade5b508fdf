"""Pipewright: a GitLab bot that writes pipelines, watches them and merges them on a person's approval."""
