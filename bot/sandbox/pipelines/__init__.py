"""Pipelines of the stand-in: reads `.gitlab-ci.yml`, decides which jobs run, and runs them."""
