"""`python -m bench.webhooks`: the webhook's intake against floors on the same machine, in one run.

Every delivery is an order: a signed comment that mentions the bot, with delivery, conversation, order and job durable
before it is answered. The floors get the same bytes.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import click
import msgspec
import psycopg
from msgspec import Struct

from bench.endpoints import TABLE
from bench.hammer import ISSUE_IID, NOTE_ID, PROJECT_ID, Job, Result
from bench.machine import processor_seconds
from bench.place import TOP, Place, free_port, place
from bot.sandbox import acts, payloads, seed
from bot.sandbox.state import Note
from bot.store.postgres_programs import binaries

PR_AGENT_PER_SECOND = 112.0
CONNECTIONS = 32
MANY_CONNECTIONS = 4 * CONNECTIONS
_ROUNDS = 3
# About a minute: what Linux does each half (it writes out what lay in memory meanwhile) is in it, and mostly what
# PostgreSQL does once a minute (autovacuum).
ROUNDS_AT_HALF = 20
_ROUNDS_OF_FLOOR = 5
_INTAKE, _INSERT = "/webhooks/gitlab", "/insert"
_INSERT_SCRIPT = "insert into bench_deliveries (body) values (repeat('x', {size}));\n"


class AtRate(Struct, frozen=True, kw_only=True):
    """How long answers took at a rate, in milliseconds: `p50` and `p99` of all deliveries of all rounds, and the least
    and the most that one round's own hundredth waited (`p99_from`, `p99_to`).
    """

    rate: float
    p50: float
    p99: float
    p99_from: float
    p99_to: float


class Webhooks(Struct, frozen=True, kw_only=True):
    """What was measured, a second each: medians of rounds; and the waits at half of the intake's two rates.

    How much of a wait is the machine's tell what the endpoint with one INSERT needs at half of its own rate
    (`p99_insert`), and which share of the processors' time the machine's host kept from it meanwhile (`stolen`).
    """

    bare: float
    one_insert: float
    intake: float
    intake_over_many: float
    postgres_one: float
    postgres_many: float
    half: AtRate
    half_over_many: AtRate
    p99_insert: float
    stolen: float

    @property
    def of_one_insert(self) -> float:
        """The intake's share of an endpoint with one durable INSERT."""
        return self.intake / self.one_insert


class Sender:
    """Sends deliveries from a process of its own, never the same twice."""

    def __init__(self, opened: Place) -> None:
        self._place = opened
        self._template = template(opened)
        self._sent = 0

    @property
    def size(self) -> int:
        """How many bytes a delivery's body has, about."""
        return len(self._template)

    def send(self, port: int, path: str, count: int, *, rate: float = 0.0, connections: int = CONNECTIONS) -> Result:
        """Send so many deliveries; each must be answered with 202."""
        job = Job(
            port=port,
            path=path,
            template=self._template,
            signing_token=self._place.signing_token,
            count=count,
            first=self._sent,
            connections=connections,
            rate=rate,
        )
        self._sent += count
        return sent(self._place, job, status=202)


def sent(opened: Place, job: Job, *, status: int) -> Result:
    """Do a job in a process of its own; each delivery must be answered with this status."""
    asked, result = opened.folder / "job.json", opened.folder / "result.json"
    asked.write_bytes(msgspec.json.encode(job))
    subprocess.run([sys.executable, "-m", "bench.hammer", asked, result], cwd=TOP, check=True, timeout=120)
    found = msgspec.json.decode(result.read_bytes(), type=Result)
    if found.statuses != {status: job.count}:
        raise click.ClickException(
            f"{job.path} answered {found.statuses} instead of {status} to {job.count} deliveries"
        )
    return found


def template(opened: Place) -> str:
    """Return a comment's payload as the stand-in delivers it, with numbers in place of its ids."""
    world = opened.sandbox.world
    with world.lock:
        author = seed.add_user(world, "mia")
        project = seed.add_project(world, "group/app", {"README.md": "An app.\n"}, {author: 30, opened.bot: 40})
        issue = acts.open_issue(world, project, author, "Please add CI", "We want it.")
        note = acts.comment(world, issue, author, "@pipewright generate, please, with the tests in parallel")
        assert isinstance(note, Note)  # none of these words is a quick action
        payload: dict[str, Any] = json.loads(json.dumps(payloads.note(world, issue, note, "create")))
    payload["project"]["id"] = payload["project_id"] = PROJECT_ID
    payload["issue"]["iid"] = ISSUE_IID
    payload["object_attributes"]["id"] = NOTE_ID
    return json.dumps(payload)


def measure(opened: Place, *, count: int = 4000) -> Webhooks:
    """Measure the intake and its floors by turns, and take the medians."""
    sender = Sender(opened)
    with opened.web() as (_, port), _floors(opened) as floor:
        rates = _rates(sender, port, floor, count)
        before = processor_seconds()
        half, half_over_many = (
            _at_rate(opened, sender, port, count, rates[name] / 2) for name in ("intake", "intake_over_many")
        )
        after = processor_seconds()
        insert = _at_rate(opened, sender, floor, count, rates["one_insert"] / 2, path=_INSERT, rounds=_ROUNDS_OF_FLOOR)
    _check_stored(opened, 1000 + count * 2 * (_ROUNDS + ROUNDS_AT_HALF))
    return Webhooks(
        **rates,
        postgres_one=pgbench(opened, 1, sender.size),
        postgres_many=pgbench(opened, CONNECTIONS, sender.size),
        half=half,
        half_over_many=half_over_many,
        p99_insert=insert.p99,
        stolen=after.stolen_since(before),
    )


def _rates(sender: Sender, port: int, floor: int, count: int) -> dict[str, float]:
    """Return how many are answered a second, as fast as answers come: by turns, for machines change their speed."""
    ways = {
        "bare": (floor, "/bare", CONNECTIONS),
        "one_insert": (floor, _INSERT, CONNECTIONS),
        "intake": (port, _INTAKE, CONNECTIONS),
        "intake_over_many": (port, _INTAKE, MANY_CONNECTIONS),
    }
    for at, path, connections in list(ways.values())[:3]:
        sender.send(at, path, 1000, connections=connections)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(_ROUNDS):
        for name, (at, path, connections) in ways.items():
            found[name].append(sender.send(at, path, count, connections=connections).per_second)
    return {name: statistics.median(each) for name, each in found.items()}


def _at_rate(
    opened: Place,
    sender: Sender,
    port: int,
    count: int,
    rate: float,
    *,
    path: str = _INTAKE,
    rounds: int = ROUNDS_AT_HALF,
) -> AtRate:
    """Return how long answers take; over many connections, so that no delivery that is due waits for a free one."""
    _write_out(opened)
    waits = [
        sender.send(port, path, count, rate=rate, connections=MANY_CONNECTIONS).milliseconds for _ in range(rounds)
    ]
    return AtRate(
        rate=rate,
        p50=_percentile(chain.from_iterable(waits), 50),
        p99=_percentile(chain.from_iterable(waits), 99),
        p99_from=min(_percentile(each, 99) for each in waits),
        p99_to=max(_percentile(each, 99) for each in waits),
    )


def _write_out(opened: Place) -> None:
    """Write what the measurement before left behind: half a minute later the system would, and hold up this one."""
    with psycopg.connect(opened.conninfo, autocommit=True) as connection:
        connection.execute("checkpoint")
    os.sync()


def _percentile(milliseconds: Iterable[float], percent: int) -> float:
    return statistics.quantiles(milliseconds, n=100, method="inclusive")[percent - 1]


@contextmanager
def _floors(opened: Place) -> Iterator[int]:
    port = free_port()
    with psycopg.connect(opened.conninfo, autocommit=True) as connection:
        connection.execute(TABLE)
    with opened.process(["bench.endpoints", str(port), opened.conninfo], opened.environment()):
        opened.wait_for(f"http://127.0.0.1:{port}/alive")
        yield port


def _check_stored(opened: Place, count: int) -> None:
    """A fast answer to what was not stored would be none."""
    with psycopg.connect(opened.conninfo) as connection:
        for table in ("orders", "deliveries", "procrastinate_jobs"):
            row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
            if row != (count,):
                raise click.ClickException(f"{row} {table} are stored instead of {count}")


def pgbench(opened: Place, clients: int, size: int, seconds: int = 5) -> float:
    """Return how many single-row INSERTs a second PostgreSQL's own bench gets through, each in its own transaction."""
    script = opened.folder / "insert.sql"
    script.write_text(_INSERT_SCRIPT.format(size=size), encoding="utf-8")
    command = [
        str(binaries() / "pgbench"),
        "-n",
        "-M",
        "prepared",
        "-c",
        str(clients),
        "-j",
        str(min(clients, os.cpu_count() or 1)),
    ]
    ran = subprocess.run(
        [*command, "-T", str(seconds), "-f", script, opened.conninfo],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    line = next(line for line in ran.stdout.splitlines() if line.startswith("tps ="))
    return float(line.split()[2])


@click.command()
@click.option("--count", default=4000, show_default=True, type=click.IntRange(100), help="Deliveries in each round.")
def main(*, count: int) -> None:
    """Measure and print."""
    with place() as opened:
        found = measure(opened, count=count)
    click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    click.echo(f"{found.of_one_insert:.2f} of an endpoint with one INSERT")


if __name__ == "__main__":
    main()
