"""`python -m bench.table`: one table of what the program takes, beside floors measured in the same run.

Results are written to `tests/bench/results/` with `--write`, as JSON and as the same table, with the machine described.
"""

import logging
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import msgspec
import psycopg
from msgspec import Struct

from bench import busy_past, orders, processes, webhooks
from bench.answers import ask
from bench.machine import Machine, this_machine
from bench.past_over_http import measure_over_http
from bench.place import TOP, Place, place
from bench.retrieval import search_seconds
from bench.synthetic import make
from bot.logs import configure

RESULTS = TOP / "tests" / "bench" / "results"
SIZES = (1_000, 50_000)
_INTAKE_SHARE, _TIMES_PR_AGENT = 0.65, 15
_CONVERSATIONS, _MESSAGES = 2_000, 40_000


class Line(Struct, frozen=True, kw_only=True):
    """One figure; `goal` is the least or the most it should be, `beside` what it is to be held against."""

    part: str
    what: str
    value: float
    unit: str
    beside: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_kept(self) -> bool | None:
        """Whether the goal is kept; None when there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


class Results(Struct, frozen=True, kw_only=True):
    """One run."""

    machine: Machine
    lines: list[Line]


Part = Callable[[Place], Iterator[Line]]


def intake(opened: Place) -> Iterator[Line]:
    """The webhook against its floors."""
    found = webhooks.measure(opened)
    bound = _TIMES_PR_AGENT * webhooks.PR_AGENT_PER_SECOND
    floors = (
        ("bare Litestar endpoint", found.bare),
        ("endpoint with one durable INSERT", found.one_insert),
        ("PostgreSQL's own rate of single-row INSERTs, 1 client (pgbench)", found.postgres_one),
        (f"PostgreSQL's own rate of single-row INSERTs, {webhooks.CONNECTIONS} clients (pgbench)", found.postgres_many),
    )
    for name, value in floors:
        yield Line(
            part="floor", what=name, value=value, unit="/s", beside=f"intake is {found.intake / value:.2f} of it"
        )
    yield Line(
        part="webhook",
        what="signed orders taken in, durable, one web process",
        value=found.intake,
        unit="/s",
        beside=f"{found.intake / webhooks.PR_AGENT_PER_SECOND:.0f} x PR-Agent's 112/s; over "
        f"{webhooks.MANY_CONNECTIONS} connections instead of {webhooks.CONNECTIONS} {found.intake_over_many:.0f}/s",
        at_least=bound,
    )
    yield Line(
        part="webhook",
        what="share of the endpoint with one durable INSERT",
        value=found.of_one_insert,
        unit="",
        beside="median of three rounds by turns",
        at_least=_INTAKE_SHARE,
    )
    yield from _waits(found.half, webhooks.CONNECTIONS, f"one INSERT at half of its rate {found.p99_insert:.1f} ms")
    kept = f"the host kept {found.stolen:.1%} of the processors' time"
    yield from _waits(found.half_over_many, webhooks.MANY_CONNECTIONS, kept)


def _waits(at: webhooks.AtRate, connections: int, more: str) -> Iterator[Line]:
    half = f"at half of the rate over {connections} connections, {at.rate:.0f}/s"
    rounds = f"{webhooks.ROUNDS_AT_HALF} rounds: {at.p99_from:.1f} to {at.p99_to:.1f}"
    yield Line(part="webhook", what=f"p50 {half}", value=at.p50, unit="ms")
    yield Line(part="webhook", what=f"p99 {half}", value=at.p99, unit="ms", beside=f"{rounds}; {more}", at_most=20)


def orders_alone(opened: Place) -> Iterator[Line]:
    """Latency of orders beside GitLab, and the calls of each kind."""
    own, calls = orders.alone(opened)
    for one in own:
        yield Line(
            part="order",
            what=f"{one.kind}: queue, work and storing, without GitLab's time and any model's",
            value=one.milliseconds,
            unit="ms",
        )
    for counted in calls:
        yield Line(part="calls", what=counted.kind, value=len(counted.made), unit="calls", at_most=counted.most)


def workers(opened: Place) -> Iterator[Line]:
    """Orders a second of some workers, with a GitLab that takes its time."""
    first = 0.0
    for one in orders.drained(opened):
        first = first or one.per_second
        yield Line(
            part="workers",
            what=f"{one.workers} workers of 4 orders, GitLab answering after {orders.GITLAB_SECONDS * 1000:.0f} ms",
            value=one.per_second,
            unit="orders/s",
            beside=f"{one.per_second / first:.2f} x one worker",
        )


def surveys(opened: Place) -> Iterator[Line]:
    """Survey, composition and checks of a small and a large repository."""
    for size in SIZES:
        repository = opened.folder / f"files{size}"
        make(repository, size)
        answers = [ask(repository, is_hidden=False) for _ in range(3)]
        complaint = next((answer.complaint for answer in answers if answer.complaint), "")
        if complaint:
            raise click.ClickException(complaint)
        seconds = statistics.median(answer.seconds for answer in answers)
        yield Line(
            part="survey",
            what=f"survey, composition and checks of {size} files",
            value=seconds,
            unit="s",
            beside=f"{seconds / size * 1_000_000:.1f} ms for a thousand files",
            at_most=0.5 if size < 10_000 else 2.0,
        )
        peak = max(answer.peak_mb for answer in answers)
        yield Line(part="survey", what=f"peak memory for {size} files", value=peak, unit="MB", at_most=200)


def retrieval(_: Place) -> Iterator[Line]:
    """A search among a thousand documents."""
    yield Line(
        part="retrieval", what="search among 1000 documents, p95", value=search_seconds() * 1000, unit="ms", at_most=50
    )


def pages(opened: Place) -> Iterator[Line]:
    """Lists, search and pages of a small past; `bench.history` asks a large one."""
    with psycopg.connect(opened.conninfo, autocommit=True) as connection:
        connection.execute("create database past")
    conninfo = opened.conninfo.replace("dbname=postgres", "dbname=past")
    with opened.web(DATABASE_URL=conninfo):  # makes the tables
        pass
    with psycopg.connect(conninfo) as connection:
        busy_past.fill(connection, conversations=_CONVERSATIONS, messages=_MESSAGES)
    with tempfile.TemporaryDirectory(prefix="pipewright-pages-") as folder:
        for name, taken in measure_over_http(conninfo, Path(folder), 30):
            p95 = statistics.quantiles(taken, n=20)[-1]
            yield Line(part="pages", what=f"{name}, p95", value=p95, unit="ms", at_most=100)


def idle(opened: Place) -> Iterator[Line]:
    """Memory and start of the processes."""
    for one in processes.idle(opened):
        most = 200 if one.name == "web" else 250
        yield Line(part="memory", what=f"{one.name}, idle", value=one.megabytes, unit="MB", at_most=most)
        yield Line(
            part="start",
            what=f"{one.name}, from start to ready, existing database",
            value=one.seconds,
            unit="s",
            at_most=5,
        )


PARTS: dict[str, Part] = {
    "webhook": intake,
    "orders": orders_alone,
    "workers": workers,
    "survey": surveys,
    "retrieval": retrieval,
    "pages": pages,
    "processes": idle,
}


@click.command()
@click.option("--part", "chosen", multiple=True, type=click.Choice(list(PARTS)), help="Only this part (repeatable).")
@click.option("--write", is_flag=True, help="Keep the results in tests/bench/results/; parts not measured stay.")
@click.option("--strict", is_flag=True, help="Exit 1 when a goal is missed.")
def main(*, chosen: tuple[str, ...], write: bool, strict: bool) -> None:
    """Measure every part and print one table."""
    configure("json", logging.ERROR)
    lines: list[Line] = []
    postgresql = ""
    for name in chosen or PARTS:
        started = time.monotonic()
        with place() as opened:
            postgresql = _version(opened)
            lines += PARTS[name](opened)
        click.echo(f"{name}: measured in {time.monotonic() - started:.0f} s", err=True)
    results = Results(machine=this_machine(postgresql), lines=lines)
    click.echo(markdown(results))
    if write:
        results = Results(machine=results.machine, lines=_joined(lines))
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / "bench.json").write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
        (RESULTS / "bench.md").write_text(markdown(results), encoding="utf-8")
    sys.exit(1 if strict and any(line.is_kept is False for line in lines) else 0)


def _joined(lines: list[Line]) -> list[Line]:
    """Put new lines in the place of kept ones of the same part."""
    kept = RESULTS / "bench.json"
    old = msgspec.json.decode(kept.read_bytes(), type=Results).lines if kept.exists() else []
    measured = {line.part for line in lines}
    order = list(dict.fromkeys(line.part for line in [*old, *lines]))
    return sorted(
        [*(line for line in old if line.part not in measured), *lines], key=lambda line: order.index(line.part)
    )


def _version(opened: Place) -> str:
    with psycopg.connect(opened.conninfo) as connection:
        number = connection.info.server_version
    return f"{number // 10000}.{number % 10000}"


def markdown(results: Results) -> str:
    """Return the table that people read."""
    machine = results.machine
    rows = ["| part | what | measured | beside | goal | kept |", "| --- | --- | --- | --- | --- | --- |"]
    rows += [_row(line) for line in results.lines]
    packages = ", ".join(f"{name} {number}" for name, number in machine.packages.items())
    told = (
        f"{machine.processors} x {machine.processor}, {machine.memory_gb} GB; {machine.system}; Python "
        f"{machine.python}, PostgreSQL {machine.postgresql} with fsync on, {packages}; measured {machine.at}. Sender, "
        f"web, PostgreSQL and the stand-in share the processors; at the end {machine.busy} programs wanted one of them."
    )
    return "\n".join([*rows, "", told, ""])


def _row(line: Line) -> str:
    goal = f"≥ {line.at_least:g}" if line.at_least is not None else ""
    goal = f"≤ {line.at_most:g}" if line.at_most is not None else goal
    kept = {None: "", True: "yes", False: "NO"}[line.is_kept]
    value = f"{line.value:.0f}" if abs(line.value) >= 100 or line.unit == "calls" else f"{line.value:.2f}"
    return f"| {line.part} | {line.what} | {value} {line.unit} | {line.beside} | {goal} | {kept} |"


if __name__ == "__main__":
    main()
