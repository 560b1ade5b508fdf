"""Whose turn it is to look for what no webhook brought, where, and what of it is known."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from bot.domain import Mention

_FINAL = "('success', 'failed', 'canceled', 'skipped')"
_SINCE = "case status when 'approved' then updated_at else opened_at end"


class Swept(Struct, frozen=True, kw_only=True):
    """A proposal to look after, and since when its present commit stands in its open draft."""

    id: UUID
    opened_at: datetime


def claim(connection: Connection[TupleRow], name: str, every_seconds: float) -> bool:
    """Tell whether this worker is to sweep `name` now: at most one of all workers in that many seconds."""
    done = connection.execute(
        "insert into sweeps (name) values (%s) on conflict (name) do update set swept_at = now()"
        " where sweeps.swept_at < now() - make_interval(secs => %s)",
        (name, every_seconds),
    )
    return done.rowcount == 1


def claim_proposals(connection: Connection[TupleRow], every_seconds: float, limit: int) -> list[Swept]:
    """Return proposals whose turn it is: open ones, merged ones whose last pipeline is not known to have ended, and
    rejected ones that may have been opened again, unless another draft of their conversation is open.

    The older one is the more seldom its turn comes: a tenth of its age, at most a day. After thirty days none. One that
    is approved is as old as its approval: GitLab merges it in our name, and the word for it may count no longer.
    """
    with connection.cursor(row_factory=class_row(Swept)) as cursor:
        return cursor.execute(
            "update pipelines set swept_at = now() where id in ("
            f"  select id from pipelines p where {_SINCE} > now() - interval '30 days'"
            "  and (status in ('proposed', 'approved') or status = 'committed'"
            f"    and (after_merge_status is null or after_merge_status not in {_FINAL})"
            "    and updated_at > now() - interval '1 day'"
            "  or status = 'rejected' and updated_at > now() - interval '1 day' and not exists (select from pipelines o"
            "    where o.conversation_id = p.conversation_id and o.status in ('proposed', 'approved')))"
            "  and coalesce(swept_at, opened_at) < now() - greatest(make_interval(secs => %(every)s),"
            f"    least((now() - {_SINCE}) / 10, interval '1 day'))"
            "  order by swept_at nulls first limit %(limit)s for update skip locked"
            ") returning id, opened_at",
            {"every": every_seconds, "limit": limit},
        ).fetchall()


class Place(Struct, frozen=True, kw_only=True):
    """An issue or merge request where the bot was spoken to."""

    project_id: int
    project_path: str
    repo_url: str
    kind: str
    iid: int
    title: str
    is_confidential: bool
    since: datetime


def active_places(connection: Connection[TupleRow], hours: float, limit: int) -> list[Place]:
    """Return where people talked with the bot in the last hours, latest first; `since` is its newest order there."""
    with connection.cursor(row_factory=class_row(Place)) as cursor:
        return cursor.execute(
            "select n.project_id, c.project_path, n.kind, n.iid, c.title, c.is_confidential, c.updated_at as since,"
            "  coalesce((select o.event -> 'project' ->> 'web_url' from orders o where o.conversation_id = c.id"
            "    order by o.created_at desc limit 1), '') as repo_url"
            " from conversations c join conversation_noteables n on n.conversation_id = c.id"
            " where c.updated_at > now() - make_interval(secs => %s) order by c.updated_at desc limit %s",
            (hours * 3600, limit),
        ).fetchall()


def has_taken_in(connection: Connection[TupleRow], mention: Mention, *, written_at: datetime) -> bool:
    """Tell whether an order was stored for this note (or description), under whatever name it was delivered.

    Ids start again in a new GitLab, so an order older than what was written is another's; clocks may differ by minutes.
    """
    row = connection.execute(
        "select exists (select from conversation_noteables n join orders o on o.conversation_id = n.conversation_id"
        "  where (n.project_id, n.kind, n.iid) = (%(project)s, %(kind)s, %(iid)s) and o.kind = 'mention'"
        "  and o.created_at > %(written_at)s - interval '5 minutes'"
        "  and (o.event ->> 'note_id')::bigint is not distinct from %(note)s::bigint"
        "  and o.event -> 'noteable' ->> 'kind' = %(kind)s)",
        {
            "project": mention.project.id,
            "kind": mention.noteable.kind,
            "iid": mention.noteable.iid,
            "note": mention.note_id,
            "written_at": written_at,
        },
    ).fetchone()
    assert row is not None  # exists always answers
    return bool(row[0])
