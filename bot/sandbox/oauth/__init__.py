"""The stand-in as an OAuth provider, with Doorkeeper's words: anybody of its users may be chosen to sign in."""
