"""Lets GitLab and people in: the webhook here, API and pages, and the door people come through. Start at `app.py`.

A delivery calls neither GitLab, a model nor Chroma: it is checked, stored and answered within milliseconds.
"""
