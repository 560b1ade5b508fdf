"""What people read of the past: conversations in a list and one by one. Who may see which is settled by the caller."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row, dict_row

from bot.domain import Event, NoteableKind
from bot.domain.known import known
from bot.store.search import Mark

_MOST_MESSAGES = 60


class Entry(Struct, frozen=True, kw_only=True):
    """One conversation in the list; `status` is that of its newest proposal, None without one."""

    id: UUID
    project_id: int
    project_path: str
    title: str
    asked_by: str
    is_confidential: bool
    owner_id: int | None
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


_ENTRY = (
    "select c.id, c.project_id, c.project_path, c.title, c.asked_by, c.is_confidential, c.owner_id, c.created_at,"
    " c.updated_at, p.status, coalesce(p.after_merge_status, p.pipeline_status) as pipeline_status, p.merge_request_iid"
    " from conversations c left join lateral (select * from pipelines n where n.conversation_id = c.id"
    " order by n.created_at desc limit 1) p on true where "
)


def find(connection: Connection[TupleRow], conversation_id: UUID) -> Entry | None:
    """Return one conversation."""
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute((_ENTRY + "c.id = %s").encode(), (conversation_id,)).fetchone()


def belongings(connection: Connection[TupleRow], conversation_id: UUID) -> list[Belonging]:
    """Return the issues and last merge requests of a conversation, issues first."""
    with connection.cursor(row_factory=class_row(Belonging)) as cursor:
        return cursor.execute(
            "select kind, iid from conversation_noteables where conversation_id = %s order by kind, iid desc limit 20",
            (conversation_id,),
        ).fetchall()


class Turn(Struct, frozen=True, kw_only=True):
    """One order of a conversation, what was said while it was carried out, and its answer if no note holds it."""

    id: UUID
    state: str
    result: str
    error_id: str | None
    answer: str
    created_at: datetime
    event: Event
    messages: tuple[Said, ...]


_TURNS = """
select o.id, o.state, o.result, o.error_id, o.answer, o.created_at, o.event, coalesce((
    select json_agg(json_build_object('role', m.role, 'content', m.content, 'author', m.author,
        'tool_name', m.tool_name, 'tool_calls', coalesce(m.tool_calls, '[]')) order by m.id)
    from (select * from messages m where m.order_id = o.id order by m.id desc limit %(messages)s) m), '[]') as messages
from orders o where o.conversation_id = %(id)s and (%(time)s::timestamptz is null
    or (o.created_at, o.id) < (%(time)s::timestamptz, %(before)s::uuid))
order by o.created_at desc, o.id desc limit %(limit)s
"""


def turns(
    connection: Connection[TupleRow], conversation_id: UUID, *, before: Mark | None = None, limit: int = 50
) -> list[Turn]:
    """Return the last orders of a conversation (before one of them) with their last messages, oldest first."""
    time, id_ = before or (None, None)
    values = {"id": conversation_id, "time": time, "before": id_, "limit": limit, "messages": _MOST_MESSAGES}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_TURNS, values).fetchall()
    return [msgspec.convert(row, Turn) for row in reversed(rows)]


class State(Struct, frozen=True, kw_only=True):
    """One state of a draft, without its files."""

    id: UUID
    status: str
    commit_id: str | None
    change_title: str
    created_at: datetime


_STATES = """
select id, status, commit_id, change_title, created_at from pipelines where conversation_id = %(id)s
    and (%(time)s::timestamptz is null or (created_at, id) < (%(time)s::timestamptz, %(before)s::uuid))
order by created_at desc, id desc limit %(limit)s
"""


def states(
    connection: Connection[TupleRow], conversation_id: UUID, *, before: Mark | None = None, limit: int
) -> list[State]:
    """Return the states that the drafts of a conversation were in (before one of them), newest first."""
    time, id_ = before or (None, None)
    values = {"id": conversation_id, "time": time, "before": id_, "limit": limit}
    with connection.cursor(row_factory=class_row(State)) as cursor:
        return cursor.execute(_STATES.encode(), values).fetchall()


def state_before(connection: Connection[TupleRow], conversation_id: UUID, moment: datetime) -> UUID | None:
    """Return the last state with a commit that a draft of a conversation was in before a moment."""
    row = connection.execute(
        "select id from pipelines where conversation_id = %s and created_at < %s and commit_id is not null"
        " order by created_at desc limit 1",
        (conversation_id, moment),
    ).fetchone()
    return row[0] if row else None


_PULSE = """
select concat_ws('/',
    (select concat(count(*), ' ', max(updated_at)) from pipelines where conversation_id = %(id)s),
    (select concat(count(*), ' ', count(started_at), ' ', max(finished_at)) from orders where conversation_id = %(id)s),
    (select max(id) from messages where conversation_id = %(id)s),
    (select max(a.id) from approvals a join pipelines p on p.id = a.proposal_id where p.conversation_id = %(id)s))
"""


def pulse(connection: Connection[TupleRow], conversation_id: UUID) -> str:
    """Return a text that differs as soon as anything of a conversation does."""
    row = connection.execute(_PULSE, {"id": conversation_id}).fetchone()
    return str(row[0]) if row else ""


def is_busy(connection: Connection[TupleRow], conversation_id: UUID) -> bool:
    """Tell whether an order of a conversation waits or is worked on."""
    sql = "select exists (select from orders where conversation_id = %s and state in ('queued', 'running'))"
    row = connection.execute(sql, (conversation_id,)).fetchone()
    return bool(row and row[0])


def has_queue(connection: Connection[TupleRow]) -> bool:
    """Tell whether the tables of the queue and of the orders are there."""
    row = connection.execute(
        "select to_regclass('procrastinate_jobs') is not null and to_regclass('orders') is not null"
    ).fetchone()
    return bool(row and row[0])


known(Turn)
