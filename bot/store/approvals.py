"""Approvals: who said yes to which commit by which signal, and what came of it."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row


class Approval(Struct, frozen=True, kw_only=True):
    """One stored approval."""

    user_id: int
    username: str
    signal: str
    sha: str
    outcome: str
    reason: str
    created_at: datetime


def add(
    connection: Connection[TupleRow],
    *,
    proposal_id: UUID,
    user_id: int,
    username: str,
    signal: str,
    sha: str,
    outcome: str,
    reason: str,
) -> None:
    """Store an approval."""
    connection.execute(
        "insert into approvals (proposal_id, user_id, username, signal, sha, outcome, reason)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        (proposal_id, user_id, username, signal, sha, outcome, reason),
    )


def for_proposal(connection: Connection[TupleRow], proposal_id: UUID) -> list[Approval]:
    """Return a proposal's approvals, oldest first."""
    with connection.cursor(row_factory=class_row(Approval)) as cursor:
        return cursor.execute(
            "select user_id, username, signal, sha, outcome, reason, created_at from approvals"
            " where proposal_id = %s order by id",
            (proposal_id,),
        ).fetchall()
