"""Figures about the work: of one project for its page, of everything for whoever operates the bot."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row


class DraftFigures(Struct, frozen=True, kw_only=True):
    """One draft of a project: when it was asked for, when a pipeline of it first passed, how often it was repaired."""

    merge_request_iid: int
    conversation_id: UUID
    asked_by: str
    status: str
    asked_at: datetime
    green_seconds: float | None
    repairs: int


# A draft's states are rows; the first one's order was the wish, and the hook of a passed pipeline tells when.
_DRAFTS = """
select d.merge_request_iid, d.conversation_id, d.asked_by, d.status, d.asked_at,
    extract(epoch from min(g.created_at) - d.asked_at)::float8 as green_seconds,
    (select count(*) from repairs r where r.project_id = %(project)s and r.merge_request_iid = d.merge_request_iid
        and r.outcome = 'repaired') as repairs
from (
    select p.merge_request_iid, (array_agg(p.conversation_id order by p.created_at))[1] as conversation_id,
        (array_agg(p.requested_by order by p.created_at))[1] as asked_by,
        (array_agg(p.status order by p.created_at desc))[1] as status,
        min(coalesce(o.created_at, p.created_at)) as asked_at, array_agg(p.commit_id) as shas
    from pipelines p left join orders o on o.id = p.order_id
    where p.project_id = %(project)s and p.merge_request_iid in (
        select distinct merge_request_iid from pipelines where project_id = %(project)s
            and merge_request_iid is not null order by merge_request_iid desc limit %(limit)s)
    group by p.merge_request_iid order by min(p.created_at) desc limit %(limit)s
) d left join orders g on g.conversation_id = d.conversation_id and g.kind = 'pipeline'
    and g.event ->> 'status' = 'success' and g.event ->> 'sha' = any(d.shas)
group by d.merge_request_iid, d.conversation_id, d.asked_by, d.status, d.asked_at
order by d.asked_at desc
"""


def drafts_of(connection: Connection[TupleRow], project_id: int, limit: int = 50) -> list[DraftFigures]:
    """Return a project's last drafts, newest first."""
    with connection.cursor(row_factory=class_row(DraftFigures)) as cursor:
        return cursor.execute(_DRAFTS.encode(), {"project": project_id, "limit": limit}).fetchall()


class Worker(Struct, frozen=True, kw_only=True):
    """One worker process and when it last showed that it lives."""

    id: int
    last_heartbeat: datetime
    working_on: int


def workers(connection: Connection[TupleRow]) -> list[Worker]:
    """Return every worker that the queue knows."""
    with connection.cursor(row_factory=class_row(Worker)) as cursor:
        return cursor.execute(
            "select w.id, w.last_heartbeat, count(j.id)::int as working_on from procrastinate_workers w"
            " left join procrastinate_jobs j on j.worker_id = w.id and j.status = 'doing'"
            " group by w.id, w.last_heartbeat order by w.id"
        ).fetchall()


class OpenOrder(Struct, frozen=True, kw_only=True):
    """An order that waits or is worked on, or one that broke."""

    id: UUID
    conversation_id: UUID | None
    project_path: str
    kind: str
    state: str
    result: str
    error_id: str | None
    attempts: int
    created_at: datetime


_ORDERS = (
    "select o.id, o.conversation_id, coalesce(c.project_path, '') as project_path, o.kind, o.state, o.result,"
    " o.error_id, o.attempts, o.created_at from orders o left join conversations c on c.id = o.conversation_id where "
)


def unfinished(connection: Connection[TupleRow], limit: int = 50) -> list[OpenOrder]:
    """Return what waits or is worked on, oldest first."""
    return _orders(connection, "o.state in ('queued', 'running') order by o.created_at limit %s", limit)


def broken(connection: Connection[TupleRow], limit: int = 50) -> list[OpenOrder]:
    """Return what failed on our side, newest first."""
    return _orders(connection, "o.state = 'broken' order by o.created_at desc limit %s", limit)


def _orders(connection: Connection[TupleRow], which: str, limit: int) -> list[OpenOrder]:
    with connection.cursor(row_factory=class_row(OpenOrder)) as cursor:
        return cursor.execute((_ORDERS + which).encode(), (limit,)).fetchall()


class Heard(Struct, frozen=True, kw_only=True):
    """A project and when GitLab last told something of it."""

    project_id: int
    project_path: str
    heard_at: datetime


# Hops from project to project along the index, and takes the newest of each.
_HEARD = """
with recursive hop (project_id) as (
    (select project_id from conversations order by project_id limit 1)
    union all
    select (select c.project_id from conversations c where c.project_id > hop.project_id order by c.project_id limit 1)
    from hop where hop.project_id is not null)
select hop.project_id, newest.project_path, newest.updated_at as heard_at from hop cross join lateral (
    select c.project_path, c.updated_at from conversations c where c.project_id = hop.project_id
    order by c.updated_at desc, c.id desc limit 1) newest
order by newest.updated_at desc limit %s
"""


def last_heard(connection: Connection[TupleRow], limit: int = 20) -> list[Heard]:
    """Return the projects last talked in, with when each was last heard of."""
    with connection.cursor(row_factory=class_row(Heard)) as cursor:
        return cursor.execute(_HEARD.encode(), (limit,)).fetchall()
