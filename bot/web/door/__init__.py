"""Who comes in and what they may see: each person as GitLab knows them, with their own token. Start at `callers.py`."""
