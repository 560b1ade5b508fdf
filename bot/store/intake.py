"""Takes events in: the delivery, the conversation, the order, its turn and its job in one statement each.

Many at once share one transaction, sent in one go: what a COMMIT costs (the disk, and the lock that NOTIFY holds until
it is done) is paid once for all of them.
"""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID, uuid4

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow

from bot.domain import Noteable
from bot.store.turns import NEXT_TURN


class Taken(Struct, frozen=True, kw_only=True):
    """What became of an arrival, and which order of which conversation it became."""

    result: Literal["queued", "duplicate"]
    order: UUID | None = None
    conversation: UUID | None = None


class Place(Struct, frozen=True, kw_only=True):
    """Where a conversation is held, so that it can be opened when there is none."""

    noteable: Noteable
    project_path: str
    title: str
    is_confidential: bool
    asked_by: str


class Arrival(Struct, frozen=True, kw_only=True):
    """One event to take in, as JSON; it belongs to a conversation that is known, or to the one held at a place."""

    key: str
    event: str
    kind: str
    project_id: int
    conversation: UUID | Place


# Checks of foreign keys keep their plan: one made while the queue was empty would read all that waits, for each order.
_BY_INDEX = "select set_config('enable_seqscan', 'off', true)"
# By everybody in the same order, so that two never wait crosswise.
_LOCK = "select pg_advisory_xact_lock(project) from unnest(%s::bigint[]) as project"
_DELIVERED = """
with delivered as (
    insert into deliveries (key, order_id) values (%(key)s, %(order)s) on conflict do nothing returning order_id),
"""
_KNOWN = "place as (select %(conversation)s::uuid as conversation_id),"
# Conversations that once were confidential stay so; projects are renamed and moved, and keep their ids.
_OPENED = """
known as (
    select conversation_id from conversation_noteables
    where project_id = %(project)s and kind = %(noteable)s and iid = %(iid)s),
opened as (
    insert into conversation_noteables (project_id, kind, iid, conversation_id)
    select %(project)s, %(noteable)s, %(iid)s, %(conversation)s::uuid from delivered
    where not exists (select from known)
    on conflict do nothing returning conversation_id),
made as (
    insert into conversations (id, project_id, project_path, title, is_confidential, asked_by)
    select conversation_id, %(project)s, %(path)s, %(title)s, %(confidential)s, %(asker)s from opened),
followed as (
    update conversations set is_confidential = is_confidential or %(confidential)s, project_path = %(path)s
    where id = (select conversation_id from known)
    and (project_path <> %(path)s or (%(confidential)s and not is_confidential))),
place as (select conversation_id from known union all select conversation_id from opened),
"""
# now() is the same for all in a transaction, and rates are counted in the order of taking in.
_QUEUED = f"""
turned as ({NEXT_TURN.format(source="from delivered")}),
ordered as (
    insert into orders (id, delivery_key, conversation_id, event, kind, created_at)
    select order_id, %(key)s, conversation_id, %(event)s::jsonb, %(kind)s, clock_timestamp() from delivered, place)
select exists (select from delivered), (
    select procrastinate_defer_jobs_v1(array[row(
        %(queue)s, %(task)s, -turn, conversation_id::text, null, jsonb_build_object('order_id', %(order)s), null
    )::procrastinate_job_to_defer_v1]) from place, turned), (
    select order_id from delivered), (
    select conversation_id from place)
"""
_INTO_KNOWN = _DELIVERED + _KNOWN + _QUEUED
_INTO_OPENED = _DELIVERED + _OPENED + _QUEUED


def take_in(connection: Connection[TupleRow], arrivals: Sequence[Arrival], *, queue: str, task: str) -> list[Taken]:
    """Store what arrived, in this order for each project, and queue it as a task.

    Who takes in for a project lets nobody else until COMMIT: two first mentions open one conversation, turns only grow.
    """
    projects = sorted({one.project_id for one in arrivals})
    cursors = [connection.cursor() for _ in arrivals]
    with connection.pipeline():
        connection.execute(_BY_INDEX, prepare=True)
        connection.execute(_LOCK, (projects,), prepare=True)
        for one, cursor in zip(arrivals, cursors, strict=True):
            sql = _INTO_OPENED if isinstance(one.conversation, Place) else _INTO_KNOWN
            cursor.execute(sql, {**_values(one), "queue": queue, "task": task}, prepare=True)
    return [_taken(cursor.fetchone()) for cursor in cursors]


def _values(one: Arrival) -> dict[str, object]:
    values: dict[str, object] = {
        "key": one.key,
        "order": uuid4(),
        "project": one.project_id,
        "event": one.event,
        "kind": one.kind,
    }
    place = one.conversation
    if isinstance(place, UUID):
        return values | {"conversation": place}
    return values | {
        "conversation": uuid4(),
        "noteable": place.noteable.kind,
        "iid": place.noteable.iid,
        "path": place.project_path,
        "title": place.title,
        "confidential": place.is_confidential,
        "asker": place.asked_by,
    }


def _taken(row: TupleRow | None) -> Taken:
    assert row is not None  # the statement always answers
    if not row[0]:
        return Taken(result="duplicate")
    return Taken(result="queued", order=row[2], conversation=row[3])
