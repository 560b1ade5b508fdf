"""`python -m bench.history`: lists, search and pages with a million messages in fifty thousand conversations.

Each question's plan is looked at too: none may read a big table from end to end.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import psycopg
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow

from bench.busy_past import COMMON, PROJECTS, RARE, fill
from bench.past_over_http import measure_over_http
from bot.store import drafts, messages, search
from bot.store.drafts import DraftQuery
from bot.store.embedded import EmbeddedPostgres
from bot.store.migrate import migrate
from bot.store.search import Mark, Query
from bot.tasks import queue_schema

BIG = frozenset({"conversations", "conversation_words", "messages", "orders", "pipelines"})
GOAL_LISTS_MS, GOAL_PAGES_MS = 50.0, 100.0
EVERYTHING = tuple(range(1, PROJECTS + 1))

Ask = Callable[[Connection[TupleRow]], object]


class Question(Struct, frozen=True, kw_only=True):
    """Something a page or a program asks: how to ask it once, and what is sent to PostgreSQL then."""

    name: str
    ask: Ask
    sql: str
    values: Any


@click.command()
@click.option("--conversations", default=50_000, show_default=True, type=click.IntRange(100))
@click.option("--messages", "count", default=1_000_000, show_default=True, type=click.IntRange(1000))
@click.option("--times", default=200, show_default=True, type=click.IntRange(20), help="How often each is asked.")
@click.option("--strict", is_flag=True, help="Exit 1 when a goal is missed.")
def main(*, conversations: int, count: int, times: int, strict: bool) -> None:
    """Fill a database of its own, then ask."""
    with tempfile.TemporaryDirectory(prefix="pipewright-history-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "data")
        conninfo = server.start()
        try:
            good = _measured(conninfo, Path(folder), conversations, count, times)
        finally:
            server.stop()
    sys.exit(1 if strict and not good else 0)


def _measured(conninfo: str, folder: Path, conversations: int, count: int, times: int) -> bool:
    migrate(conninfo, queue_schema())
    started = time.perf_counter()
    with psycopg.connect(conninfo) as connection:
        fill(connection, conversations=conversations, messages=count)
    click.echo(
        f"{count} messages in {conversations} conversations were stored in {time.perf_counter() - started:.0f} s."
    )
    click.echo("\n| what | p50 | p95 | goal | kept | plan |\n| --- | --- | --- | --- | --- | --- |")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        told("the bare way there and back (select 1)", _bare(connection, times), GOAL_LISTS_MS, "-")
        good = [_line(connection, question, times) for question in questions(connection)]
    good += [
        told(name, taken, GOAL_LISTS_MS if "list" in name or "search" in name else GOAL_PAGES_MS, "-")
        for name, taken in measure_over_http(conninfo, folder, min(times, 60))
    ]
    return all(good)


def _bare(connection: Connection[TupleRow], times: int) -> list[float]:
    """What this machine takes for nothing at all, to hold the rest against."""
    return [_milliseconds(lambda: connection.execute("select 1").fetchone()) for _ in range(times)]


def _line(connection: Connection[TupleRow], question: Question, times: int) -> bool:
    read = full_reads(connection, question.sql, question.values)
    taken = sorted(_milliseconds(lambda: question.ask(connection)) for _ in range(times))
    plan = f"reads all of {', '.join(sorted(read))}" if read else "by index"
    return told(question.name, taken, GOAL_LISTS_MS, plan) and not read


def told(name: str, taken: list[float], goal: float, plan: str) -> bool:
    """Write one line of the table; return whether the goal is kept."""
    p95 = statistics.quantiles(taken, n=20)[-1]
    kept = p95 <= goal
    middle, verdict = statistics.median(taken), "yes" if kept else "NO"
    click.echo(f"| {name} | {middle:.1f} ms | {p95:.1f} ms | {goal:g} ms | {verdict} | {plan} |")
    return kept


def _milliseconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def full_reads(connection: Connection[TupleRow], sql: str, values: Any) -> set[str]:
    """Return the big tables that the plan of a statement reads from end to end."""
    row = connection.execute(f"explain (format json) {sql}".encode(), values).fetchone()
    assert row is not None  # explain always answers
    return {node["Relation Name"] for node in _nodes(row[0][0]["Plan"]) if node["Node Type"] == "Seq Scan"} & BIG


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def questions(connection: Connection[TupleRow]) -> Iterator[Question]:
    """Yield what is asked: as whoever sees everything, a few projects or one; at the top and deep down."""
    deep = search.find(connection, _query(), limit=1)[0].updated_at - timedelta(days=200)
    mark: Mark = (deep, UUID(int=0))
    yield _found(connection, "list, every project", _query())
    yield _found(connection, "list, every project, deep down", _query(), mark)
    yield _found(connection, "list, three projects", _query(projects=(1, 2, 3)))
    yield _found(connection, "list, one project, deep down", _query(projects=(7,)), mark)
    yield _found(connection, "list, nothing to see", _query(projects=()))
    yield _found(connection, "list, of one asker", _query(asker="person17"))
    yield _found(connection, "list, of one project", _query(project_path="group3/project13"))
    yield _found(connection, "list, a rare status", _query(status="failed"))
    yield _found(connection, "list, last year's", _query(until=deep))
    for name, words in (("a rare word", RARE), ("a common word", COMMON), ("the beginning of a word", RARE[:4])):
        yield _found(connection, f"search, {name}", _query(text=words))
        yield _found(connection, f"search, {name}, in one project", _query(text=words, projects=(7,)))
    yield _found(connection, "search, a common and a rare word", _query(text=f"{COMMON} {RARE}"))
    yield _found(connection, "search, a word nobody said", _query(text="xyzzyplugh"))
    yield _found(connection, "search, common words, deep down", _query(text=COMMON), mark)
    for name, query in (("list of pipelines", _drafts()), ("list of pipelines, rare status", _drafts(status="failed"))):
        yield _drafted(name, query)
    session = search.find(connection, _query(), limit=1)[0].id
    yield Question(
        name="list of a conversation's messages",
        ask=lambda opened: messages.page(opened, session, limit=100),
        sql="select id from messages where conversation_id = %s and id < %s order by id desc limit 100",
        values=(session, 2**63 - 1),
    )


def _query(**given: Any) -> Query:
    return Query(**{"projects": EVERYTHING, "person_id": 1, **given})


def _drafts(**given: Any) -> DraftQuery:
    return DraftQuery(projects=EVERYTHING, person_id=1, **given)


def _found(connection: Connection[TupleRow], name: str, query: Query, mark: Mark | None = None) -> Question:
    hits = search.few_hits(connection, query.text) if query.text else None
    sql, values = search.statement(query, before=mark, limit=31, among=hits)
    return Question(
        name=name, ask=lambda opened: search.find(opened, query, before=mark, limit=31), sql=sql, values=values
    )


def _drafted(name: str, query: DraftQuery) -> Question:
    sql, values = drafts.statement(query, before=None, limit=31)
    return Question(name=name, ask=lambda opened: drafts.find(opened, query, limit=31), sql=sql, values=values)


if __name__ == "__main__":
    main()
