"""Who comes in and what they may see: people as GitLab knows them, with their own tokens. Start at `visitors.py`."""
