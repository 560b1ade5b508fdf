"""Lets GitLab and people in: the webhook, the history pages, health and metrics. Start at `app.py`.

Nothing here calls GitLab, a model or Chroma: a delivery is checked, stored and answered within milliseconds.
"""
