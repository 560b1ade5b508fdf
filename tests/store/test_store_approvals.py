"""Which approvals of a commit stand, from what was stored one after another."""

from datetime import UTC, datetime

import pytest

from bot.store.approvals import Approval, given


def row(
    name: str, outcome: str, *, signal: str = "reaction", emoji: str | None = "thumbsup", sha: str = "a"
) -> Approval:
    return Approval(
        user_id=len(name),
        username=name,
        signal=signal,
        sha=sha,
        outcome=outcome,
        reason="",
        emoji=emoji,
        note_id=None,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        ([], []),
        ([row("ann", "accepted")], ["ann"]),
        ([row("ann", "refused")], []),
        ([row("ann", "accepted", sha="b")], []),
        ([row("ann", "accepted"), row("ann", "withdrawn")], []),
        ([row("ann", "accepted"), row("ann", "withdrawn"), row("ann", "accepted")], ["ann"]),
        ([row("ann", "accepted"), row("bo", "accepted"), row("ann", "lapsed")], ["bo"]),
        # taking one reaction back leaves the other, and another person's
        ([row("ann", "accepted"), row("ann", "accepted", emoji="rocket"), row("ann", "withdrawn")], ["ann"]),
        ([row("ann", "accepted"), row("bo", "accepted"), row("ann", "withdrawn")], ["bo"]),
        # somebody's push takes back nobody's word: the commit's sha does
        ([row("ann", "accepted"), row("bo", "withdrawn", signal="push", emoji=None)], ["ann"]),
    ],
)
def test_an_approval_stands_until_it_is_taken_back(rows: list[Approval], names: list[str]) -> None:
    assert [approval.username for approval in given(rows, "a")] == names
