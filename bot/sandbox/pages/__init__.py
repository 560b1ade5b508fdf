"""Simple pages of the stand-in: read everything, and comment, react and approve as any of its users."""
