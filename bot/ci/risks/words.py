"""How the things themselves are shown in a sentence about them: one line, not too long, as code."""

MOST_SHOWN = 120


def shown(text: str) -> str:
    """Return a text as an inline code span."""
    flat = " ".join(text.replace("`", "'").split())
    return f"`{flat if len(flat) <= MOST_SHOWN else flat[: MOST_SHOWN - 1] + '…'}`"
