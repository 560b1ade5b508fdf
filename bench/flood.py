"""`python -m bench.flood`: a flood of webhooks: one web process, two workers, a real PostgreSQL, the stand-in.

13 000 deliveries a minute is the most GitLab.com sends for one group. Half of the comments are talk, half are orders
that need no model (help, status); one project sends several times its share. All limits stand as shipped except the
budget of notes, which GitLab's own limit would stretch to hours.
"""

import os
import random
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
import psycopg
from msgspec import Struct

from bench import flood_judge, flood_load, flood_plan
from bench.flood_load import Load
from bench.flood_plan import Plan, Shares
from bench.place import free_port
from bench.place import place as open_place
from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import User

_TOP = Path(__file__).parents[1]
_START_SECONDS = 120.0
_GOAL_MS = 50.0


class Place(Struct, frozen=True, kw_only=True):
    """Where the flood happens."""

    folder: Path
    sandbox: Sandbox
    bot: User
    conninfo: str
    port: int
    secret: str


@click.command()
@click.option("--webhooks", default=10_000, show_default=True, type=click.IntRange(100), help="Deliveries in all.")
@click.option("--per-minute", default=13_000, show_default=True, type=click.IntRange(60), help="How fast they come.")
@click.option("--projects", default=200, show_default=True, type=click.IntRange(2), help="From so many projects.")
@click.option("--patience", default=1200, show_default=True, help="Seconds after which draining is given up.")
@click.option("--seed", "number", default=1, show_default=True, help="Another number makes another flood.")
@click.option("--strict", is_flag=True, help="Exit 1 also when the goal for p99 is missed.")
def main(*, webhooks: int, per_minute: int, projects: int, patience: int, number: int, strict: bool) -> None:
    """Send a flood of webhooks and judge what became of it; exit 1 when anything was lost, doubled or overtaken."""
    shares = Shares(count=webhooks, per_minute=per_minute, projects=projects)
    with _place() as place:
        with place.sandbox.world.lock:
            plan = flood_plan.plan(place.sandbox.world, place.bot, shares, random.Random(number))
        with _bot(place):
            load = _sent(place, plan)
            draining = _drain(place, patience)
        is_well = _report(place, plan, load, draining, strict=strict)
    sys.exit(0 if is_well else 1)


@contextmanager
def _place() -> Iterator[Place]:
    with open_place() as made:
        yield Place(
            folder=made.folder,
            sandbox=made.sandbox,
            bot=made.bot,
            conninfo=made.conninfo,
            port=free_port(),
            secret=secrets.token_urlsafe(24),
        )


@contextmanager
def _bot(place: Place) -> Iterator[None]:
    """Run the web and two workers, as in production, and end them as a deployment would."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PIPEWRIGHT_")},
        "PYTHONPATH": str(_TOP),
        "PIPEWRIGHT_GITLAB_URL": place.sandbox.url,
        "PIPEWRIGHT_GITLAB_TOKEN": seed.add_token(place.sandbox.world, place.bot).value,
        "PIPEWRIGHT_WEBHOOK_SECRET": place.secret,
        "PIPEWRIGHT_DATABASE_URL": place.conninfo,
        "PIPEWRIGHT_DATA_DIR": str(place.folder / "bot"),
        "PIPEWRIGHT_CHROMA_URL": "http://127.0.0.1:9",  # nobody asks for templates here
        "PIPEWRIGHT_OLLAMA_URL": "http://127.0.0.1:9",  # nor talks
        "PIPEWRIGHT_LISTEN_PORT": str(place.port),
        "PIPEWRIGHT_NOTES_PER_MINUTE": "0",
        "PIPEWRIGHT_SWEEP_SECONDS": "0",
    }
    running: list[subprocess.Popen[bytes]] = []
    try:
        with (place.folder / "bot.log").open("wb") as log:
            for command in (["serve", "--no-worker"], ["worker"], ["worker"]):
                full = [sys.executable, "-m", "bot", *command]
                running.append(subprocess.Popen(full, cwd=place.folder, env=environment, stdout=log, stderr=log))
                if command[0] == "serve":
                    _wait_until_ready(place)
            _wait_for_workers(place, len(running) - 1)
            yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=60)


def _wait_until_ready(place: Place) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{place.port}/health/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise click.ClickException("the bot did not start: " + (place.folder / "bot.log").read_text()[-2000:])


def _wait_for_workers(place: Place, count: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    with psycopg.connect(place.conninfo, autocommit=True) as connection:
        while time.monotonic() < deadline:
            row = connection.execute("select count(*) from procrastinate_workers").fetchone()
            if row is not None and row[0] >= count:
                return
            time.sleep(0.2)
    raise click.ClickException("the workers did not start: " + (place.folder / "bot.log").read_text()[-2000:])


def _sent(place: Place, plan: Plan) -> Load:
    """Let another process send, so that the stand-in's work delays no delivery."""
    planned, result = place.folder / "plan.json", place.folder / "load.json"
    planned.write_bytes(msgspec.json.encode(plan))
    subprocess.run(
        [sys.executable, "-m", "bench.flood_load", planned, result, "127.0.0.1", str(place.port)],
        cwd=_TOP,
        env={**os.environ, flood_load.SECRET_VARIABLE: place.secret},
        check=True,
    )
    return msgspec.json.decode(result.read_bytes(), type=Load)


def _drain(place: Place, patience: float) -> float:
    """Wait until nothing is left to do; return the seconds that took after the last delivery."""
    started = time.monotonic()
    with psycopg.connect(place.conninfo, autocommit=True) as connection:
        while time.monotonic() - started < patience:
            row = connection.execute("select count(*) from orders where finished_at is null").fetchone()
            if row is not None and row[0] == 0:
                break
            time.sleep(0.25)
    return time.monotonic() - started


def _report(place: Place, plan: Plan, load: Load, draining: float, *, strict: bool) -> bool:
    with psycopg.connect(place.conninfo) as connection:
        rows = flood_judge.stored(connection)
    found = flood_judge.seen(place.sandbox.world, place.bot)
    faults = flood_judge.faults(plan, load, rows, found)
    p50, p95, p99 = flood_judge.percentiles(one.seconds for one in load.sent)
    late = flood_judge.percentiles(one.late for one in load.sent)
    again = sum(one.is_again for one in load.sent)
    results = Counter(row.result for row in rows)
    marked = sum(found.left_out.values())
    own, others = flood_judge.waits_by_project(rows, plan.flooding_project)
    orders = sum(map(len, plan.orders.values()))
    click.echo(
        f"{len(load.sent)} deliveries ({again} of them again) from {len(place.sandbox.world.projects)} projects in "
        f"{load.seconds:.1f} s: {len(load.sent) / load.seconds * 60:.0f} a minute; {orders} orders, the rest is talk\n"
        f"answers to webhooks: p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms (goal {_GOAL_MS:.0f}: "
        f"{'kept' if p99 < _GOAL_MS else 'NOT KEPT'}); of that the sender itself was late by p99 {late[2]:.1f} ms\n"
        f"orders: {dict(results)}; {marked} of those over a limit got a mark, all others a note\n"
        f"drained {draining:.1f} s after the last delivery: {len(rows) / (load.seconds + draining):.0f} orders/s by two"
        f" workers; {os.cpu_count()} processors for everything, {os.getloadavg()[2]:.1f} programs wanted one of them\n"
        f"waiting times: each project's median {min(others):.1f} to {max(others):.1f} s; the flooding project "
        f"{min(own):.1f} to {max(own):.1f} s"
    )
    for what, count in faults.items():
        click.echo(f"{'ok ' if count == 0 else 'BAD'} {what}: {count}")
    return not any(faults.values()) and (p99 < _GOAL_MS or not strict)


if __name__ == "__main__":
    main()
