"""Judges a flood by what GitLab holds and what is stored afterwards: each order answered once, in its order."""

import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow

from bench.flood_load import Load
from bench.flood_plan import Plan
from bot.sandbox.state import User, World

_MARK = re.compile(r"pipewright:order=([0-9a-f-]{36})")


class Row(Struct, frozen=True, kw_only=True):
    """One stored order."""

    id: str
    note_id: int
    project_id: int
    conversation_id: str
    result: str
    created_at: datetime
    started_at: datetime
    finished_at: datetime

    @property
    def waited(self) -> float:
        """Seconds from taking it in to its answer."""
        return (self.finished_at - self.created_at).total_seconds()


class Seen(Struct, frozen=True, kw_only=True):
    """What GitLab holds: answers by order, and how often each order's note got an hourglass."""

    answers: Counter[str]
    left_out: Counter[int]


def stored(connection: Connection[TupleRow]) -> list[Row]:
    """Return every order in the order of taking in."""
    rows = connection.execute(
        "select id::text, (event ->> 'note_id')::bigint, project_id, conversation_id::text, result, created_at,"
        " started_at, finished_at from orders where kind = 'mention' and finished_at is not null"
        " order by created_at, id"
    ).fetchall()
    names = Row.__struct_fields__
    return [Row(**dict(zip(names, row, strict=True))) for row in rows]


def seen(world: World, bot: User) -> Seen:
    """Return what the bot wrote and marked."""
    notes = [note for one in world.projects.values() for issue in one.issues for note in issue.notes]
    marks = (_MARK.search(note.body) for note in notes if note.author is bot)
    left_out = Counter(note.id for note in notes for award in note.awards if award.name == "hourglass")
    return Seen(answers=Counter(mark[1] if mark else "" for mark in marks), left_out=left_out)


def faults(plan: Plan, load: Load, rows: Sequence[Row], found: Seen) -> dict[str, int]:
    """Return what went wrong and how often; every number should be 0."""
    ordered = [note for notes in plan.orders.values() for note in notes]
    taken = Counter(row.note_id for row in rows)
    return {
        "deliveries not answered with 200 or 202": sum(one.status not in (200, 202) for one in load.sent),
        "deliveries without an answer": len(plan.deliveries) - len(load.sent),
        "orders lost": sum(taken[note] == 0 for note in ordered),
        "orders taken in twice": sum(taken[note] > 1 for note in ordered),
        "comments taken for orders": sum(note not in set(ordered) for note in taken),
        "orders answered twice": sum(count > 1 for count in (found.answers + Counter(_marked(rows, found))).values()),
        "orders never answered": sum(not _is_answered(row, found) for row in rows),
        "answers to nothing": found.answers[""],
        "orders overtaken in their conversation": _overtaken(rows),
    }


def _marked(rows: Sequence[Row], found: Seen) -> list[str]:
    return [row.id for row in rows for _ in range(found.left_out[row.note_id])]


def _is_answered(row: Row, found: Seen) -> bool:
    return found.answers[row.id] + found.left_out[row.note_id] > 0


def _overtaken(rows: Sequence[Row]) -> int:
    """Count orders begun before the one that was taken in earlier in the same conversation had ended."""
    last: dict[str, datetime] = {}
    count = 0
    for row in rows:
        count += row.conversation_id in last and row.started_at < last[row.conversation_id]
        last[row.conversation_id] = row.finished_at
    return count


def percentiles(seconds: Iterable[float]) -> tuple[float, float, float]:
    """Return p50, p95 and p99 in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return cuts[49] * 1000, cuts[94] * 1000, cuts[98] * 1000


def waits_by_project(rows: Sequence[Row], flooding: int) -> tuple[list[float], list[float]]:
    """Return how long the flooding project's orders waited, and each other project's median, without those left out."""
    waits: dict[int, list[float]] = {}
    for row in rows:
        if row.result != "limited":
            waits.setdefault(row.project_id, []).append(row.waited)
    return waits.get(flooding, []), [statistics.median(own) for one, own in waits.items() if one != flooding]
