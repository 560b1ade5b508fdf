"""Counters that all processes share, and how long things took lately: what the metrics tell beside the queue."""

from collections.abc import Iterable, Mapping

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

Counted = tuple[str, Mapping[str, str], float]
QUANTILES = (0.5, 0.95)


def add(connection: Connection[TupleRow], counted: Iterable[Counted]) -> None:
    """Add to counters, in an order that lets two processes do so at once."""
    ordered = sorted((name, sorted(labels.items()), more) for name, labels, more in counted)
    for name, labels, more in ordered:
        connection.execute(
            "insert into counters as c (name, labels, value) values (%s, %s, %s)"
            " on conflict (name, labels) do update set value = c.value + excluded.value",
            (name, Jsonb(dict(labels)), more),
        )


def every(connection: Connection[TupleRow]) -> list[Counted]:
    """Return every counter."""
    return [
        (row[0], row[1], row[2]) for row in connection.execute("select name, labels, value from counters").fetchall()
    ]


class Lately(Struct, frozen=True, kw_only=True):
    """How things went: seconds by step and quantile within a day, repairs by outcome, seconds since a delivery."""

    seconds: dict[tuple[str, float], float]
    repairs: dict[str, int]
    since_delivery: float | None


def lately(connection: Connection[TupleRow]) -> Lately:
    """Return how things went."""
    return Lately(
        seconds=_seconds_taken(connection),
        repairs=_repairs(connection),
        since_delivery=_seconds_since_delivery(connection),
    )


_TOOK = """
select 'start', percentile_cont(%(quantiles)s::float8[]) within group
    (order by extract(epoch from started_at - created_at))
from orders where created_at > now() - interval '1 day' and started_at is not null
union all
select 'ack', percentile_cont(%(quantiles)s::float8[]) within group
    (order by extract(epoch from acked_at - created_at))
from orders where created_at > now() - interval '1 day' and acked_at is not null
union all
select 'answer', percentile_cont(%(quantiles)s::float8[]) within group
    (order by extract(epoch from finished_at - created_at))
from orders where created_at > now() - interval '1 day' and finished_at is not null and kind in ('mention', 'chat')
union all
select 'draft', percentile_cont(%(quantiles)s::float8[]) within group
    (order by extract(epoch from p.opened_at - o.created_at))
from pipelines p join orders o on o.id = p.order_id
where p.opened_at > now() - interval '1 day' and p.updated_at > now() - interval '1 day' and p.change_key = ''
    and p.opened_at <= coalesce(o.finished_at, now())  -- not opened again by somebody, later
union all
select 'green', percentile_cont(%(quantiles)s::float8[]) within group
    (order by extract(epoch from g.created_at - o.created_at))
from orders g join pipelines p on p.conversation_id = g.conversation_id and p.commit_id = g.event ->> 'sha'
join orders o on o.id = p.order_id
where g.created_at > now() - interval '1 day' and g.kind = 'pipeline' and g.event ->> 'status' = 'success'
"""


def _seconds_taken(connection: Connection[TupleRow]) -> dict[tuple[str, float], float]:
    """Return the seconds until work began, a first answer stood in GitLab, it was answered, a draft was open, green.

    By step and quantile, of what came within the last day; a step that nothing took is left out.
    """
    rows = connection.execute(_TOOK.encode(), {"quantiles": list(QUANTILES)}).fetchall()
    return {
        (step, quantile): float(seconds)
        for step, found in rows
        for quantile, seconds in zip(QUANTILES, found or (), strict=False)
    }


def _repairs(connection: Connection[TupleRow]) -> dict[str, int]:
    """Return how often a red pipeline was mended, by what came of it."""
    return dict(
        connection.execute(
            "select outcome, count(*) from repairs where outcome <> 'planned' group by outcome"
        ).fetchall()
    )


def _seconds_since_delivery(connection: Connection[TupleRow]) -> float | None:
    """Return how long ago GitLab (or a look round) last brought something; None when nothing ever came."""
    row = connection.execute("select extract(epoch from now() - max(received_at))::float8 from deliveries").fetchone()
    return row[0] if row else None
