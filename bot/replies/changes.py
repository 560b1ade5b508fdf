"""What is said about a changed draft: what changed in a sentence, the new job table, the diff folded away."""

from collections.abc import Sequence

from bot.replies.render import quoted

MOST_LISTED = 10


def with_changes(description: str, rows: Sequence[tuple[str, str, str]]) -> str:
    """Return a merge request's description with what was changed since, newest first: (title, why, who asked)."""
    if not rows:
        return description
    listed = [_change_line(*row) for row in reversed(rows)]
    left = len(listed) - MOST_LISTED
    more = [f"- and {left} earlier changes"] if left > 0 else []
    return "\n".join(["### Changed since, newest first", "", *listed[:MOST_LISTED], *more, "", description])


def _change_line(title: str, why: str, person: str) -> str:
    return f"- {quoted(title)}, asked for by {quoted(person)}" + (f": {quoted(why, 500)}" if why else "")
