"""The CI room: it writes pipelines from a survey and the templates, and checks every one it writes.

Start at `compose.py` (what goes in, what comes out); `checks/` is the ladder everything must climb.
"""
