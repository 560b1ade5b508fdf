"""Conversations: one for an issue or merge request of a project, with the drafts that belong to it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from bot.domain import Noteable


class Conversation(Struct, frozen=True, kw_only=True):
    """One stored conversation."""

    id: UUID
    project_id: int
    project_path: str
    title: str
    is_confidential: bool
    asked_by: str
    created_at: datetime
    updated_at: datetime
    owner_id: int | None = None


_COLUMNS = (
    "c.id, c.project_id, c.project_path, c.title, c.is_confidential, c.asked_by, c.created_at, c.updated_at, c.owner_id"
)


def get(connection: Connection[TupleRow], conversation_id: UUID) -> Conversation | None:
    """Return a conversation by its id."""
    with connection.cursor(row_factory=class_row(Conversation)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from conversations c where id = %s",
            (conversation_id,),
        ).fetchone()


def find_by_noteable(connection: Connection[TupleRow], project_id: int, kind: str, iid: int) -> UUID | None:
    """Return the conversation an issue or merge request belongs to."""
    row = connection.execute(
        "select conversation_id from conversation_noteables where project_id = %s and kind = %s and iid = %s",
        (project_id, kind, iid),
    ).fetchone()
    return row[0] if row else None


def open_for_person(
    connection: Connection[TupleRow],
    *,
    project_id: int,
    project_path: str,
    title: str,
    owner_id: int,
    asked_by: str,
) -> UUID:
    """Return a new conversation that hangs on nothing in GitLab and belongs to one person."""
    row = connection.execute(
        "insert into conversations (project_id, project_path, title, is_confidential, asked_by, owner_id)"
        " values (%s, %s, %s, true, %s, %s) returning id",
        (project_id, project_path, title, asked_by, owner_id),
    ).fetchone()
    assert row is not None  # insert … returning always answers
    return UUID(str(row[0]))


def noteables(connection: Connection[TupleRow], conversation_id: UUID) -> list[Noteable]:
    """Return the issues and merge requests of a conversation, the one it began on first."""
    rows = connection.execute(
        "select kind, iid from conversation_noteables where conversation_id = %s order by (kind = 'issue') desc, iid",
        (conversation_id,),
    ).fetchall()
    return [Noteable(kind="issue" if kind == "issue" else "merge_request", iid=iid) for kind, iid in rows]


def noteables_of(connection: Connection[TupleRow], conversation_ids: Collection[UUID]) -> dict[UUID, list[Noteable]]:
    """Return the issues and merge requests of many conversations."""
    rows = connection.execute(
        "select conversation_id, kind, iid from conversation_noteables where conversation_id = any(%s)",
        (list(conversation_ids),),
    ).fetchall()
    found: dict[UUID, list[Noteable]] = {}
    for id_, kind, iid in rows:
        found.setdefault(id_, []).append(Noteable(kind=kind, iid=iid))
    return found


def add_noteable(connection: Connection[TupleRow], conversation_id: UUID, project_id: int, kind: str, iid: int) -> None:
    """Let an issue or merge request belong to a conversation."""
    connection.execute(
        "insert into conversation_noteables (project_id, kind, iid, conversation_id) values (%s, %s, %s, %s)"
        " on conflict do nothing",
        (project_id, kind, iid, conversation_id),
    )
