"""How long orders take beside GitLab, how often they call it, and how many a second some workers get through."""

import statistics
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import click
import psycopg
from msgspec import Struct, structs

from bench.calls import Calls, Scene, count
from bench.place import Place
from bot.domain import Event, Mention, Noteable, Person, ProjectRef
from bot.main import running
from bot.parts import Parts, open_parts
from bot.sandbox import acts, seed
from bot.sandbox.faults import Fault
from bot.sandbox.state import Note
from bot.settings import read_settings
from bot.store import counters, orders
from bot.store.pool import open_pool
from bot.tasks import Queue
from bot.web.api.metrics import counted_text

GITLAB_SECONDS = 0.1
WORKERS = (1, 2, 4)
_KINDS = ("help", "status", "generate")
_TIMES = 15
_PATIENCE_SECONDS = 120.0
_SECRET = "a-secret-for-measuring"
# What holds floods back would hold the measurement back.
NO_LIMITS: Mapping[str, str] = dict.fromkeys(
    ("ORDERS_PER_PERSON", "ORDERS_PER_PROJECT", "ORDERS_PER_DISCUSSION", "TURNS_IN_A_ROW", "NOTES_PER_MINUTE"), "0"
)
_FILES = {
    "pyproject.toml": '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.12"\n'
    '[project.optional-dependencies]\ntest = ["pytest"]\n',
    "tests/test_x.py": "def test_one():\n    assert True\n",
}


class OwnTime(Struct, frozen=True, kw_only=True):
    """What an order of one kind takes beside GitLab and any model: milliseconds from taking in to its end."""

    kind: str
    milliseconds: float


class Drained(Struct, frozen=True, kw_only=True):
    """How many orders a second so many workers got through."""

    workers: int
    per_second: float


def _database(opened: Place, name: str) -> str:
    with psycopg.connect(opened.conninfo, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return opened.conninfo.replace("dbname=postgres", f"dbname={name}")


def alone(opened: Place) -> tuple[list[OwnTime], list[Calls]]:
    """Measure orders one after another with a bot in this process, and count the calls of each kind."""
    environment = opened.environment(
        DATABASE_URL=_database(opened, "alone"), WEBHOOK_SECRET=_SECRET, LISTEN_PORT="0", **NO_LIMITS
    )
    del environment["PIPEWRIGHT_CHROMA_URL"]  # the embedded one, as with `pipewright serve`
    settings = read_settings(
        {key: value for key, value in environment.items() if key.startswith("PIPEWRIGHT_")}, env_file=None
    )
    with open_parts(settings) as parts, running(parts) as address:
        own = [_own(opened, parts, kind) for kind in _KINDS]
        scene = Scene(opened.sandbox, opened.bot, f"{address}/webhooks/gitlab", _SECRET, lambda: _settle(opened, parts))
        return own, count(scene)


def _settle(opened: Place, parts: Parts) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with parts.services.pool.connection() as connection:
            if orders.waiting(connection)[0] == 0 and opened.sandbox.world.busy == 0:
                return
        time.sleep(0.01)
    raise click.ClickException("an order did not come to its end")


def _own(opened: Place, parts: Parts, kind: str) -> OwnTime:
    """Each in a new project without a webhook, so that nothing follows; the first, which warms up, is left out."""
    found = []
    for number in range(_TIMES + 1):
        event, key = _asked(opened, f"own-{kind}-{number}", f"@pipewright {kind}"), str(uuid.uuid4())
        waited = _gitlab_seconds(parts)
        parts.queue.accept(key, event)
        _settle(opened, parts)
        with parts.services.pool.connection() as connection:
            order = orders.find_by_delivery(connection, key)
        if order is None or order.finished_at is None or order.state != "done":
            raise click.ClickException(f"the order {kind} was not done")
        seconds = (order.finished_at - order.created_at).total_seconds()
        found.append(seconds - (_gitlab_seconds(parts) - waited))
    return OwnTime(kind=kind, milliseconds=statistics.median(found[1:]) * 1000)


def _gitlab_seconds(parts: Parts) -> float:
    parts.metrics.share(parts.services.pool)
    with parts.services.pool.connection() as connection:
        lines = counted_text(counters.every(connection)).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("pipewright_gitlab_seconds_total{"))


def _asked(opened: Place, name: str, text: str) -> Event:
    world = opened.sandbox.world
    with world.lock:
        person = seed.add_user(world, f"person-{name}")
        project = seed.add_project(world, f"group-{name}/app", _FILES, {person: 30, opened.bot: 40})
        issue = acts.open_issue(world, project, person, "We need CI", "")
        note = acts.comment(world, issue, person, text)
        assert isinstance(note, Note)  # none of these words is a quick action
        return Mention(
            project=ProjectRef(id=project.id, path=project.path),
            noteable=Noteable(kind="issue", iid=issue.iid),
            author=Person(id=person.id, username=person.username),
            text=text,
            note_id=note.id,
        )


def drained(opened: Place, *, count_of_orders: int = 240) -> Iterator[Drained]:
    """Let orders wait, start workers, and see how fast they get through; each of GitLab's answers takes a while.

    Half are `help`, half `status`, in twenty conversations of twenty projects: orders of one wait for each other.
    """
    events = [_asked(opened, f"scale-{number}", "@pipewright help") for number in range(20)]
    opened.sandbox.faults.add(Fault("*", ".", times=0, seconds=GITLAB_SECONDS))
    try:
        for workers in WORKERS:
            yield Drained(workers=workers, per_second=_drained(opened, workers, events, count_of_orders))
    finally:
        opened.sandbox.faults.clear()


def _drained(opened: Place, workers: int, events: list[Event], amount: int) -> float:
    """The clock runs from the first order begun to the last one ended: starting processes is measured elsewhere."""
    conninfo = _database(opened, f"workers{workers}")
    with opened.web(DATABASE_URL=conninfo, **NO_LIMITS):
        pool = open_pool(conninfo)
        queue = Queue(conninfo, pool, None)
        with _workers(opened, workers, conninfo):
            queue.accept_all([(f"k{number}", _another(events, number)) for number in range(amount)])
            seconds = _until_done(conninfo, amount)
        pool.close()
    return amount / seconds


def _another(events: list[Event], number: int) -> Event:
    one = events[number % len(events)]
    assert isinstance(one, Mention)  # made above
    return structs.replace(one, text="@pipewright help" if number % 2 else "@pipewright status")


@contextmanager
def _workers(opened: Place, amount: int, conninfo: str) -> Iterator[None]:
    with ExitStack() as stack:
        for number in range(amount):
            environment = opened.environment(
                DATABASE_URL=conninfo, DATA_DIR=str(opened.folder / f"worker{number}"), **NO_LIMITS
            )
            stack.enter_context(opened.process(["bot", "worker"], environment))
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with psycopg.connect(conninfo, autocommit=True) as connection:
            while _number(connection, "select count(*) from procrastinate_workers") < amount:
                if time.monotonic() > deadline:
                    raise click.ClickException("the workers did not start")
                time.sleep(0.1)
        yield


def _until_done(conninfo: str, amount: int) -> float:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with psycopg.connect(conninfo, autocommit=True) as connection:
        while _number(connection, "select count(*) from orders where state = 'done'") < amount:
            if time.monotonic() > deadline:
                states = connection.execute(
                    "select state, count(*) from orders group by state order by state"
                ).fetchall()
                raise click.ClickException(f"the workers did not get through in time: {states}")
            time.sleep(0.1)
        span = "select extract(epoch from max(finished_at) - min(started_at)) from orders"
        return _number(connection, span)


def _number(connection: psycopg.Connection[tuple[object, ...]], sql: str) -> float:
    row = connection.execute(sql.encode()).fetchone()
    assert row is not None  # an aggregate always answers
    return float(str(row[0]))
