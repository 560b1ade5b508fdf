"""What is said about a changed draft: what changed in a sentence, the new job table, the diff folded away."""

from collections.abc import Mapping, Sequence
from difflib import unified_diff

from bot.domain import Finding
from bot.masking import mask_secrets
from bot.replies.render import quoted
from bot.replies.texts import file_diff

MOST_LISTED = 10
MOST_DIFF = 15_000


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


def report(rows: Sequence[tuple[str, str, str]]) -> str:
    """Say what an order changed: in a sentence, with what to know before approving it, the diff folded away.

    A row is (title, notes, diff).
    """
    sentences = [f"{title[:1].upper()}{title[1:]}." for title, _, _ in rows]
    notes = [note for _, note, _ in rows if note]
    diffs = [file_diff(f"What changed ({_count(diff)})", diff) for _, _, diff in rows if diff]
    return "\n\n".join(part for part in (" ".join(sentences), *dict.fromkeys(notes), *diffs) if part)


def notes_of(notes: Sequence[str], flagged: Sequence[Finding]) -> str:
    """Return what to know before approving a change, each flag with its mend."""
    flags = [f"- ⚠ {_flag(finding)}" for finding in flagged]
    return "\n\n".join(part for part in (*notes, "\n".join(flags)) if part)


def diff_of(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    """Return the difference of files as a unified diff; a path missing on one side was made or removed."""
    lines: list[str] = []
    for path in sorted({*before, *after}):
        old, new = before.get(path), after.get(path)
        if old != new:
            lines += unified_diff(
                (old or "").splitlines(),
                (new or "").splitlines(),
                path if old is not None else "/dev/null",
                path if new is not None else "/dev/null",
                lineterm="",
            )
    text = mask_secrets("\n".join(lines))
    return text if len(text) <= MOST_DIFF else text[:MOST_DIFF] + "\n… (cut: the merge request shows all of it)"


def _count(diff: str) -> str:
    lines = diff.splitlines()
    added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    removed = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    return f"+{added} −{removed}"


def _flag(finding: Finding) -> str:
    where = f" (`{finding.path}:{finding.line}`)" if finding.line else ""
    message = " ".join(finding.message.split())
    return f"{message}{where}" + (f". {finding.mend}" if finding.mend else "")
