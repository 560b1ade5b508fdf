"""A GitLab to play with: git-backed, on loopback, as strict as the real one; it knows nothing of the bot.

Behaviour follows GitLab's documentation and source (docs.gitlab.com/api, lib/api, app/services); where it is
known to be simpler, the module says so.
"""
