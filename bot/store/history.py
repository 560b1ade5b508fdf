"""What the history pages show. Confidential conversations, and those with an internal proposal, never appear."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row, dict_row

from bot.domain import Event, NoteableKind


class Entry(Struct, frozen=True, kw_only=True):
    """One conversation in the list; `status` is that of its newest proposal, None without one."""

    id: UUID
    project_path: str
    title: str
    asked_by: str
    created_at: datetime
    updated_at: datetime
    status: str | None
    pipeline_status: str | None
    merge_request_iid: int | None


class Belonging(Struct, frozen=True, kw_only=True):
    """An issue or merge request that belongs to a conversation."""

    kind: NoteableKind
    iid: int


class Said(Struct, frozen=True, kw_only=True):
    """One stored message: of a person, of the model, or what a tool answered."""

    role: str
    content: str
    author: str | None
    tool_name: str | None
    tool_calls: list[Any]


_VISIBLE = (
    "not c.is_confidential and not exists (select from pipelines i where i.conversation_id = c.id and i.is_internal)"
)
_ENTRY = (
    "select c.id, c.project_path, c.title, c.asked_by, c.created_at, c.updated_at,"
    " p.status, coalesce(p.after_merge_status, p.pipeline_status) as pipeline_status, p.merge_request_iid"
    " from conversations c left join lateral (select * from pipelines n where n.conversation_id = c.id"
    " order by n.created_at desc limit 1) p on true"
    f" where {_VISIBLE}"
)


def projects(connection: Connection[TupleRow]) -> list[int]:
    """Return the projects that were ever talked in."""
    return [row[0] for row in connection.execute("select distinct project_id from conversations").fetchall()]


def newest(
    connection: Connection[TupleRow],
    *,
    project_ids: Collection[int],
    status: str | None = None,
    before: tuple[datetime, UUID] | None = None,
    limit: int,
) -> list[Entry]:
    """Return conversations of these projects, last changed first.

    `before` is the last one of the page before, by time and id.
    The status `none` means: no proposal yet.
    """
    time, id_ = before or (None, None)
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(
            _ENTRY.encode() + b" and c.project_id = any(%(projects)s)"
            b" and (%(status)s::text is null or coalesce(p.status, 'none') = %(status)s)"
            b" and (%(time)s::timestamptz is null or (c.updated_at, c.id) < (%(time)s, %(id)s::uuid))"
            b" order by c.updated_at desc, c.id desc limit %(limit)s",
            {"projects": list(project_ids), "status": status, "time": time, "id": id_, "limit": limit},
        ).fetchall()


def find(connection: Connection[TupleRow], conversation_id: UUID) -> Entry | None:
    """Return one conversation, unless it must not be shown."""
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(_ENTRY.encode() + b" and c.id = %s", (conversation_id,)).fetchone()


def belongings(connection: Connection[TupleRow], conversation_id: UUID) -> list[Belonging]:
    """Return the issues and merge requests of a conversation, issues first."""
    with connection.cursor(row_factory=class_row(Belonging)) as cursor:
        return cursor.execute(
            "select kind, iid from conversation_noteables where conversation_id = %s order by kind, iid",
            (conversation_id,),
        ).fetchall()


class Turn(Struct, frozen=True, kw_only=True):
    """One order of a conversation and what was said while it was carried out."""

    id: UUID
    state: str
    result: str
    error_id: str | None
    created_at: datetime
    event: Event
    messages: tuple[Said, ...]


_TURNS = """
select o.id, o.state, o.result, o.error_id, o.created_at, o.event, coalesce((
    select json_agg(json_build_object('role', m.role, 'content', m.content, 'author', m.author,
        'tool_name', m.tool_name, 'tool_calls', coalesce(m.tool_calls, '[]')) order by m.id)
    from messages m where m.order_id = o.id), '[]') as messages
from orders o where o.conversation_id = %s order by o.created_at desc, o.id limit %s
"""


def turns(connection: Connection[TupleRow], conversation_id: UUID, limit: int = 200) -> list[Turn]:
    """Return the last orders of a conversation with their messages, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_TURNS, (conversation_id, limit)).fetchall()
    return [msgspec.convert(row, Turn) for row in reversed(rows)]


def has_queue(connection: Connection[TupleRow]) -> bool:
    """Tell whether the tables of the queue and of the orders are there."""
    row = connection.execute(
        "select to_regclass('procrastinate_jobs') is not null and to_regclass('orders') is not null"
    ).fetchone()
    return bool(row and row[0])
