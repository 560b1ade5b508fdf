"""Messages: what was said with the model, and what its tools answered."""

import re
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb


class Message(Struct, frozen=True, kw_only=True):
    """One stored message."""

    id: int
    role: Literal["user", "assistant", "tool"]
    content: str
    tool_calls: list[Any] | None
    tool_name: str | None
    author: str | None
    created_at: datetime


_HALVES = re.compile("[\ud800-\udfff]")
_COLUMNS = "id, role, content, tool_calls, tool_name, author, created_at"


def add(
    connection: Connection[TupleRow],
    *,
    conversation_id: UUID,
    order_id: UUID | None,
    role: str,
    content: str,
    tool_calls: list[object] | None = None,
    tool_name: str | None = None,
    author: str | None = None,
) -> None:
    """Store a message, without the characters that PostgreSQL cannot hold."""
    connection.execute(
        "insert into messages (conversation_id, order_id, role, content, tool_calls, tool_name, author)"
        " values (%s, %s, %s, %s, %s, %s, %s)",
        (
            conversation_id,
            order_id,
            role,
            _storable(content),
            Jsonb(_storable(tool_calls)) if tool_calls else None,
            _storable(tool_name),
            _storable(author),
        ),
    )


def _storable(value: Any) -> Any:
    """A model's words may hold NUL, which goes, and halves of surrogate pairs, which are replaced."""
    match value:
        case str():
            return _HALVES.sub("\ufffd", value.replace("\x00", ""))
        case dict():
            return {_storable(key): _storable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_storable(inner) for inner in value]
        case _:
            return value


def for_conversation(connection: Connection[TupleRow], conversation_id: UUID, limit: int = 500) -> list[Message]:
    """Return a conversation's messages, oldest first."""
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from messages where conversation_id = %s order by id limit %s",
            (conversation_id, limit),
        ).fetchall()


def page(
    connection: Connection[TupleRow], conversation_id: UUID, *, before: int | None = None, limit: int
) -> list[Message]:
    """Return the last messages of a conversation (before the one with that id), newest first."""
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from messages where conversation_id = %s and id < %s order by id desc limit %s",
            (conversation_id, before if before is not None else 2**63 - 1, limit),
        ).fetchall()


def for_order(connection: Connection[TupleRow], order_id: UUID) -> list[Message]:
    """Return what was said about one order, oldest first."""
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from messages where order_id = %s order by id", (order_id,)
        ).fetchall()


def before_order(
    connection: Connection[TupleRow], conversation_id: UUID, order_id: UUID, limit: int, *, with_internal: bool
) -> list[Message]:
    """Return the last messages of a conversation that other orders left, oldest first.

    What was said in confidence is left out unless asked for: an issue, or a talk, may be confidential whose draft is
    not.
    """
    with connection.cursor(row_factory=class_row(Message)) as cursor:
        rows = cursor.execute(
            f"select {_COLUMNS} from messages where conversation_id = %s and order_id is distinct from %s"
            " and (%s or not exists (select 1 from orders o join conversations c on c.id = o.conversation_id"
            "   where o.id = messages.order_id"
            "   and (o.event ->> 'is_internal' = 'true' or o.kind = 'chat' and c.is_confidential)))"
            " order by id desc limit %s",
            (conversation_id, order_id, with_internal, limit),
        ).fetchall()
    return rows[::-1]


def forget_order(connection: Connection[TupleRow], order_id: UUID) -> None:
    """Remove what a cut-off try of an order left, before it is tried again."""
    connection.execute("delete from messages where order_id = %s", (order_id,))
