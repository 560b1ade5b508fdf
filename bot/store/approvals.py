"""Approvals: who said yes to which commit by which signal, and what came of it."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from bot.domain import Noteable, NoteableKind


class Approval(Struct, frozen=True, kw_only=True):
    """One stored approval. `emoji`, `note_id` and where that stands say what to look at again.

    Older ones do not say where, nor by which comment.
    """

    user_id: int
    username: str
    signal: str
    sha: str
    outcome: str
    reason: str
    emoji: str | None
    note_id: int | None
    created_at: datetime
    noteable_kind: NoteableKind | None = None
    noteable_iid: int | None = None

    @property
    def noteable(self) -> Noteable | None:
        """The issue or merge request on which it was given."""
        if self.noteable_kind is None or self.noteable_iid is None:
            return None
        return Noteable(kind=self.noteable_kind, iid=self.noteable_iid)


def add(
    connection: Connection[TupleRow],
    *,
    proposal_id: UUID,
    order_id: UUID | None,
    user_id: int,
    username: str,
    signal: str,
    sha: str,
    outcome: str,
    reason: str = "",
    emoji: str | None = None,
    note_id: int | None = None,
    noteable: Noteable | None = None,
) -> None:
    """Store an approval, once for each order and outcome however often the order is tried."""
    connection.execute(
        "insert into approvals (proposal_id, order_id, user_id, username, signal, sha, outcome, reason, emoji, note_id,"
        " noteable_kind, noteable_iid) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " on conflict (order_id, outcome) do nothing",
        (proposal_id, order_id, user_id, username, signal, sha, outcome, reason, emoji, note_id)
        + ((noteable.kind, noteable.iid) if noteable else (None, None)),
    )


def lapse(connection: Connection[TupleRow], proposal_id: UUID, rows: Iterable[Approval], reason: str) -> None:
    """Note that nobody took these approvals back, and that they were worth nothing any more when it mattered."""
    for row in rows:
        add(
            connection,
            proposal_id=proposal_id,
            order_id=None,
            user_id=row.user_id,
            username=row.username,
            signal=row.signal,
            sha=row.sha,
            outcome="lapsed",
            reason=reason,
            emoji=row.emoji,
            note_id=row.note_id,
            noteable=row.noteable,
        )


def withdrawn_by(connection: Connection[TupleRow], order_id: UUID) -> str | None:
    """Return the reason with which an earlier try of an order took an approval back; None when none did."""
    row = connection.execute(
        "select reason from approvals where order_id = %s and outcome = 'withdrawn'", (order_id,)
    ).fetchone()
    return row[0] if row else None


def was_accepted(connection: Connection[TupleRow], order_id: UUID) -> bool:
    """Tell whether an earlier try of an order found that its approval counts."""
    sql = "select exists (select from approvals where order_id = %s and outcome = 'accepted')"
    row = connection.execute(sql, (order_id,)).fetchone()
    return bool(row and row[0])


def for_proposal(connection: Connection[TupleRow], proposal_id: UUID) -> list[Approval]:
    """Return a proposal's approvals, oldest first."""
    with connection.cursor(row_factory=class_row(Approval)) as cursor:
        return cursor.execute(
            "select user_id, username, signal, sha, outcome, reason, emoji, note_id, created_at, noteable_kind,"
            " noteable_iid from approvals where proposal_id = %s order by id",
            (proposal_id,),
        ).fetchall()


def given(rows: Iterable[Approval], sha: str, since: datetime | None = None) -> list[Approval]:
    """Return the approvals of a commit, given since it stands in its open draft, that nobody took back and that did not
    lapse, as far as is stored; oldest first. The audit reckons alike (pipewright_approved_by in `0027_lapsed.sql`).
    """
    standing: dict[tuple[int, str, str | None, int | None], Approval] = {}
    for row in rows:
        key = (row.user_id, row.signal, row.emoji, row.note_id)
        if row.outcome == "accepted" and row.sha == sha and (since is None or row.created_at >= since):
            standing[key] = row
        elif row.outcome in ("withdrawn", "lapsed"):
            standing.pop(key, None)
    return list(standing.values())
