"""`python -m bench.history`: lists, search and pages with a million messages in fifty thousand conversations.

Each question's plan is looked at too: none may read a big table from end to end. `--keep DIR` leaves the database there
for the next run.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import psycopg
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow

from bench.busy_past import COMMON, LONG_ONE, NEWCOMER, OLD, PROJECTS, RARE, YOUNG, fill
from bench.past_over_http import measure_over_http
from bench.plans import Ask, full_reads, require_eyes
from bot.store import counters, drafts, figures, history, messages, orders, proposals, search
from bot.store.drafts import DraftQuery
from bot.store.embedded import EmbeddedPostgres
from bot.store.migrate import migrate
from bot.store.search import Mark, Query
from bot.tasks import queue_schema

GOAL_LISTS_MS, GOAL_PAGES_MS = 50.0, 100.0
EVERYTHING = tuple(range(1, PROJECTS + 1))


class Question(Struct, frozen=True, kw_only=True):
    """Something a page or a program asks of PostgreSQL, and within how many milliseconds the answer must be there."""

    name: str
    ask: Ask
    goal: float = GOAL_LISTS_MS


@click.command()
@click.option("--conversations", default=50_000, show_default=True, type=click.IntRange(1000))
@click.option("--messages", "count", default=1_000_000, show_default=True, type=click.IntRange(1000))
@click.option("--times", default=200, show_default=True, type=click.IntRange(20), help="How often each is asked.")
@click.option("--keep", type=click.Path(path_type=Path), help="A folder that keeps the database for the next run.")
@click.option("--strict", is_flag=True, help="Exit 1 when a goal is missed.")
def main(*, conversations: int, count: int, times: int, keep: Path | None, strict: bool) -> None:
    """Fill a database of its own, then ask."""
    with tempfile.TemporaryDirectory(prefix="pipewright-history-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres((keep or Path(folder) / "data").resolve())
        conninfo = server.start()
        try:
            migrate(conninfo, queue_schema())
            _fill_once(conninfo, conversations, count)
            good = _measured(conninfo, Path(folder), times)
        finally:
            server.stop()
    sys.exit(1 if strict and not good else 0)


def _fill_once(conninfo: str, conversations: int, count: int) -> None:
    started = time.perf_counter()
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("select count(*) from messages").fetchone()
        if row and row[0]:
            click.echo(f"{row[0]} messages were there already.")
            return
        fill(connection, conversations=conversations, messages=count)
    taken = time.perf_counter() - started
    click.echo(f"{count} messages in {conversations} conversations were stored in {taken:.0f} s.")


def _measured(conninfo: str, folder: Path, times: int) -> bool:
    require_eyes(conninfo)
    click.echo("\n| what | p50 | p95 | goal | kept | plan |\n| --- | --- | --- | --- | --- | --- |")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        bare = [_milliseconds(lambda: connection.execute("select 1").fetchone()) for _ in range(times)]
        told("the bare way there and back (select 1)", bare, GOAL_LISTS_MS, "-")
        good = [_line(conninfo, connection, question, times) for question in questions(connection)]
    good += [
        told(name, taken, GOAL_LISTS_MS if "list" in name or "search" in name else GOAL_PAGES_MS, "-")
        for name, taken in measure_over_http(conninfo, folder, min(times, 60))
    ]
    return all(good)


def _line(conninfo: str, connection: Connection[TupleRow], question: Question, times: int) -> bool:
    read = full_reads(conninfo, question.ask)
    taken = sorted(_milliseconds(lambda: question.ask(connection)) for _ in range(times))
    plan = f"reads all of {', '.join(sorted(read))}" if read else "by index"
    return told(question.name, taken, question.goal, plan) and not read


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


def questions(connection: Connection[TupleRow]) -> Iterator[Question]:
    """Yield what is asked: as whoever sees everything, a few projects or one; at the top and deep down."""
    newest = search.find(connection, _query(), limit=1)[0]
    mark: Mark = (newest.updated_at - timedelta(days=200), UUID(int=0))
    yield from _lists(mark)
    yield from _searches(mark)
    for name, query in (("list of pipelines", _drafts()), ("list of pipelines, rare status", _drafts(status="failed"))):
        yield Question(name=name, ask=partial(drafts.find, query=query, limit=31))
    yield Question(
        name="list of pipelines, deep down", ask=partial(drafts.find, query=_drafts(), before=mark, limit=31)
    )
    for name, id_ in (("a conversation", newest.id), ("the longest conversation", LONG_ONE)):
        yield from _pages(name, id_)
    yield from _figures()


def _lists(mark: Mark) -> Iterator[Question]:
    yield _found("list, every project", _query())
    yield _found("list, every project, deep down", _query(), mark)
    yield _found("list, three projects", _query(projects=(1, 2, 3)))
    yield _found("list, one project, deep down", _query(projects=(7,)), mark)
    yield _found("list, nothing to see", _query(projects=()))
    yield _found("list, of one asker", _query(asker="person17"))
    yield _found("list, of one project", _query(project_path="group3/project13"))
    yield _found("list, a rare status", _query(status="failed"))
    yield _found("list, last year's", _query(until=mark[0]))


def _searches(mark: Mark) -> Iterator[Question]:
    for name, words in (("a rare word", RARE), ("a common word", COMMON), ("the beginning of a word", RARE[:4])):
        yield _found(f"search, {name}", _query(text=words))
        yield _found(f"search, {name}, in one project", _query(text=words, projects=(7,)))
    yield _found("search, a common and a rare word", _query(text=f"{COMMON} {RARE}"))
    yield _found("search, a word nobody said", _query(text="xyzzyplugh"))
    yield _found("search, common words, deep down", _query(text=COMMON), mark)
    yield _found("search, a word that was common long ago", _query(text=OLD))
    yield _found("search, a word that was common long ago, in three projects", _query(text=OLD, projects=(1, 2, 3)))
    yield _found("search, common words that never meet", _query(text=f"{OLD} {YOUNG}"))
    yield _found("search, a common word, by somebody who never said it", _query(text=OLD, asker=NEWCOMER))
    yield _found("search, a common word, of a status that never had it", _query(text=OLD, status="generated"))


def _pages(name: str, id_: UUID) -> Iterator[Question]:
    yield Question(name=f"list of {name}'s messages", ask=partial(messages.page, conversation_id=id_, limit=100))
    yield Question(name=f"turns of {name}", ask=partial(history.turns, conversation_id=id_, limit=51))
    yield Question(name=f"list of states of {name}", ask=partial(history.states, conversation_id=id_, limit=51))
    yield Question(name=f"draft of {name}", ask=partial(proposals.newest_for_conversation, conversation_id=id_))
    yield Question(name=f"whether {name} changed", ask=partial(history.pulse, conversation_id=id_))


def _figures() -> Iterator[Question]:
    yield Question(name="figures of a project", ask=partial(figures.drafts_of, project_id=7), goal=GOAL_PAGES_MS)
    yield Question(name="operator: who was heard of", ask=figures.last_heard, goal=GOAL_PAGES_MS)
    yield Question(name="operator: what broke", ask=figures.broken, goal=GOAL_PAGES_MS)
    yield Question(name="operator: what waits", ask=figures.unfinished, goal=GOAL_PAGES_MS)
    yield Question(name="operator: how many", ask=orders.count_by_state, goal=GOAL_PAGES_MS)
    yield Question(name="metrics: how long it took lately", ask=counters.lately, goal=GOAL_PAGES_MS)


def _query(**given: Any) -> Query:
    return Query(**{"projects": EVERYTHING, "person_id": 1, **given})


def _drafts(**given: Any) -> DraftQuery:
    return DraftQuery(projects=EVERYTHING, person_id=1, **given)


def _found(name: str, query: Query, mark: Mark | None = None) -> Question:
    return Question(name=name, ask=partial(search.find, query=query, before=mark, limit=31))


if __name__ == "__main__":
    main()
