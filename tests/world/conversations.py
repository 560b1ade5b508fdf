"""Conversations and orders as they lie in the database, for tests that need some without anybody's comment."""

from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

from bot.store import conversations


def open_conversation(
    connection: Connection[TupleRow],
    *,
    project_id: int = 7,
    project_path: str = "team/app",
    kind: str = "issue",
    iid: int = 1,
    title: str = "We need CI",
    is_confidential: bool = False,
    asked_by: str = "ann",
) -> UUID:
    """Return the conversation of an issue or merge request, made now if there is none; it may become confidential."""
    known = conversations.find_by_noteable(connection, project_id, kind, iid)
    if known is not None:
        becoming = "update conversations set is_confidential = is_confidential or %s where id = %s"
        connection.execute(becoming, (is_confidential, known))
        return known
    row = connection.execute(
        "insert into conversations (project_id, project_path, title, is_confidential, asked_by)"
        " values (%s, %s, %s, %s, %s) returning id",
        (project_id, project_path, title, is_confidential, asked_by),
    ).fetchone()
    assert row is not None
    conversations.add_noteable(connection, row[0], project_id, kind, iid)
    return UUID(str(row[0]))


def add_order(
    connection: Connection[TupleRow], *, key: str, conversation: UUID, event: str = "{}", kind: str = "mention"
) -> UUID:
    """Return the order that a delivery became; `event` is JSON."""
    row = connection.execute(
        "insert into orders (delivery_key, conversation_id, event, kind) values (%s, %s, %s::jsonb, %s) returning id",
        (key, conversation, event, kind),
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))
