"""How much was ordered lately, who was told that it was too much, and when the next note may be written.

Rates are counted from the stored orders, so that an order that is tried again is judged as it was the first time.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

Dimension = Literal["person", "project", "discussion"]

_COLUMNS: dict[Dimension, str] = {"person": "person_id", "project": "project_id", "discussion": "conversation_id"}
_COUNTED = "o.kind in ('mention', 'chat') and o.result <> 'limited'"


def full_until(
    connection: Connection[TupleRow], order_id: UUID, dimension: Dimension, *, most: int, seconds: float
) -> datetime | None:
    """Return until when no further order fits, or None while one does: `most` in any `seconds` are taken.

    Of a project's orders those count that its people were entitled to: strangers shall not shut it out.
    """
    column = _COLUMNS[dimension]
    entitled = " and o.state <> 'refused'" if dimension == "project" else ""
    row = connection.execute(
        "select o.created_at + make_interval(secs => %(seconds)s) from orders o, orders mine"
        f" where mine.id = %(id)s and o.id <> mine.id and o.{column} = mine.{column} and {_COUNTED}{entitled}"
        " and o.created_at <= mine.created_at and o.created_at > mine.created_at - make_interval(secs => %(seconds)s)"
        " order by o.created_at desc offset %(others)s limit 1",
        {"id": order_id, "seconds": seconds, "others": most - 1},
    ).fetchone()
    return row[0] if row else None


def quick_turns(connection: Connection[TupleRow], order_id: UUID, *, most: int, seconds: float) -> int:
    """Return how many orders in a row, at most `most`, the same person gave within `seconds` of the answer before."""
    rows = connection.execute(
        "select o.person_id = mine.person_id, o.created_at, o.finished_at, mine.created_at"
        " from orders o, orders mine where mine.id = %(id)s and o.id <> mine.id"
        f" and o.conversation_id = mine.conversation_id and {_COUNTED} and o.created_at <= mine.created_at"
        " order by o.created_at desc, o.id desc limit %(most)s",
        {"id": order_id, "most": most},
    ).fetchall()
    turns, came_at = 0, rows[0][3] if rows else None
    for is_same, created_at, finished_at, _ in rows:
        if not is_same or finished_at is None or not 0 <= (came_at - finished_at).total_seconds() < seconds:
            break
        turns, came_at = turns + 1, created_at
    return turns


def paused_until(connection: Connection[TupleRow], order_id: UUID, key: str) -> datetime | None:
    """Return until when what `key` names is paused, as an earlier order was told; None when it is not."""
    row = connection.execute(
        "select n.until from limit_notices n, orders mine"
        " where mine.id = %s and n.key = %s and n.until > mine.created_at and n.order_id <> mine.id",
        (order_id, key),
    ).fetchone()
    return row[0] if row else None


def is_first_told(connection: Connection[TupleRow], order_id: UUID, key: str, until: datetime) -> bool:
    """Tell whether this order is the one that answers for all until then; the same order is told so again."""
    done = connection.execute(
        "insert into limit_notices as n (key, order_id, until) values (%(key)s, %(id)s, %(until)s)"
        " on conflict (key) do update set order_id = excluded.order_id, until = excluded.until"
        " where n.order_id = excluded.order_id or n.until <= (select created_at from orders where id = %(id)s)",
        {"key": key, "id": order_id, "until": until},
    )
    return done.rowcount == 1


def refused_lately(connection: Connection[TupleRow], order_id: UUID, *, seconds: float) -> int:
    """Return how many approvals of the same person were refused in these seconds before the order."""
    row = connection.execute(
        "select count(*) from orders o, orders mine where mine.id = %(id)s and o.id <> mine.id"
        " and o.person_id = mine.person_id and o.kind in ('reaction', 'merge_request') and o.state = 'refused'"
        " and o.created_at <= mine.created_at and o.created_at > mine.created_at - make_interval(secs => %(seconds)s)",
        {"id": order_id, "seconds": seconds},
    ).fetchone()
    return int(row[0]) if row else 0


def seconds_until_note(connection: Connection[TupleRow], *, per_minute: int) -> float:
    """Book the next note of this GitLab's budget, for all processes; return how long to wait before writing it.

    A third of a minute's notes may come at once and two thirds are spread over it, so that no minute has more.
    """
    spread, at_once = max(per_minute * 2 / 3, 1), max(per_minute // 3 - 1, 0)
    row = connection.execute(
        "insert into budgets as b (name, due) values ('notes', now() + make_interval(secs => %(step)s))"
        " on conflict (name) do update set due = greatest(b.due, now()) + make_interval(secs => %(step)s)"
        " returning extract(epoch from due - now())::float8 - %(step)s - %(slack)s",
        {"step": 60 / spread, "slack": at_once * 60 / spread},
    ).fetchone()
    return max(float(row[0]), 0.0) if row else 0.0


def prune(connection: Connection[TupleRow]) -> None:
    """Forget what is over."""
    connection.execute("delete from limit_notices where until < now() - interval '1 day'")
    connection.execute("delete from project_turns where given_at < now() - interval '1 day'")
