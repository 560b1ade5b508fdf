"""The REST API v4 and the bit of GraphQL that the bot uses, with GitLab's refusals (docs.gitlab.com/api/rest)."""
