"""Two workers as on two machines: folders of their own, nothing shared but PostgreSQL, Chroma and GitLab."""

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from bench.orders import NO_LIMITS
from bench.place import NOWHERE, TOP, Place
from bot.sandbox import acts, seed
from bot.sandbox.faults import Fault
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Issue, User
from tests.world.chroma_server import started

PATIENCE_SECONDS = 180.0
PROJECTS, PLACES, TAKEOVER_SECONDS = 6, 2, 2.0
DONE = "select count(*) from orders where kind = 'mention' and state = 'done'"
WORKER = (sys.executable, "-m", "bot", "worker")
SECRET = "a-webhook-secret-for-tests"
FILES = {
    "pyproject.toml": '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.12"\n',
    "tests/test_x.py": "def test_one():\n    assert True\n",
}


@dataclass
class Machine:
    """A worker with a folder of its own, which is all that it leaves behind."""

    folder: Path
    process: "subprocess.Popen[bytes]"

    @property
    def said(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def ended(self) -> int:
        return self.said.count('"order done"')


@dataclass
class Site:
    place: Place
    issues: list[Issue]
    machines: list[Machine]

    def comment(self, text: str) -> None:
        world = self.place.sandbox.world
        with world.lock:
            for issue in self.issues:
                acts.comment(world, issue, issue.author, text)

    def number(self, sql: str) -> int:
        with psycopg.connect(self.place.conninfo) as connection:
            row = connection.execute(sql.encode()).fetchone()
        assert row is not None
        return int(row[0])

    def until(self, sql: str, least: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.number(sql) < least:
            assert time.monotonic() < deadline, [machine.said[-2000:] for machine in self.machines]
            time.sleep(0.02)

    def rounds_until_each_ended_some(self, asked: int = 0) -> int:
        """Ask every project for help, again and again, until each machine has ended an order more; how often in all."""
        before = [machine.ended() for machine in self.machines]
        for rounds in itertools.count(asked + 1):
            self.comment("@pipewright help")
            self.until(DONE, rounds * PROJECTS)
            if all(machine.ended() > ended for machine, ended in zip(self.machines, before, strict=True)):
                return rounds
        raise AssertionError

    def answers(self) -> list[int]:
        bot = self.place.bot
        return [sum(note.author is bot and not note.is_system for note in issue.notes) for issue in self.issues]


def start_worker(stack: ExitStack, place: Place, name: str, command: Sequence[str] = WORKER, **more: str) -> Machine:
    """Start a worker with a folder of its own."""
    folder = place.folder / name
    folder.mkdir()
    settings = {
        "WEBHOOK_SECRET": SECRET,
        "DATA_DIR": str(folder / "data"),
        "TAKEOVER_SECONDS": str(TAKEOVER_SECONDS),
        "WORKER_CONCURRENCY": str(PLACES),
        **NO_LIMITS,  # a machine that is slow to come back is waited for in as many rounds as that takes
    }
    environment = place.environment(**{**settings, **more})
    log = stack.enter_context((folder / "log").open("wb"))
    machine = Machine(folder, subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log))
    stack.callback(machine.process.wait, 60)
    stack.callback(machine.process.terminate)
    return machine


def open_issues(sandbox: Sandbox, bot: User, port: int) -> list[Issue]:
    """Open one in each of the projects, which tell the web process of everything."""
    issues = []
    with sandbox.world.lock:
        for number in range(PROJECTS):
            person = seed.add_user(sandbox.world, f"person{number}")
            project = seed.add_project(sandbox.world, f"group{number}/app", FILES, {person: 30, bot: 40})
            seed.add_hook(sandbox.world, project, f"http://127.0.0.1:{port}/webhooks/gitlab", token=SECRET)
            issues.append(acts.open_issue(sandbox.world, project, person, "We need CI", ""))
    return issues


@pytest.fixture
def site(database: str, tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        chroma = started(tmp_path)
        stack.callback(chroma.stop)
        sandbox = Sandbox(tmp_path / "gitlab", job_seconds=0.01).start()
        stack.callback(sandbox.stop)
        bot = seed.add_user(sandbox.world, "pipewright", is_bot=True)
        place = Place(folder=tmp_path, sandbox=sandbox, bot=bot, conninfo=database, signing_token="whsec_a2tra2tr")
        _, port = stack.enter_context(place.web(WEBHOOK_SECRET=SECRET, CHROMA_URL=NOWHERE, **NO_LIMITS))
        issues = open_issues(sandbox, bot, port)
        machines = [start_worker(stack, place, name, CHROMA_URL=chroma.url) for name in ("north", "south")]
        opened = Site(place, issues, machines)
        opened.until("select count(*) from procrastinate_workers", 2)
        yield opened


def test_two_machines_share_the_load_and_the_loss_of_one_loses_and_doubles_nothing(site: Site) -> None:
    assert TOP not in site.place.folder.parents
    north = site.machines[0]
    site.place.sandbox.faults.add(Fault("*", ".", times=0, seconds=0.05))  # orders take a while, as with a real GitLab
    rounds = site.rounds_until_each_ended_some()
    site.comment("@pipewright generate")
    site.until("select count(*) from orders where state = 'running'", PLACES + 1)  # so each machine has one at least
    north.process.send_signal(signal.SIGKILL)
    north.process.wait()
    site.until(DONE, (rounds + 1) * PROJECTS)
    site.comment("@pipewright status")
    site.until(DONE, (rounds + 2) * PROJECTS)
    assert site.answers() == [rounds + 2] * PROJECTS
    assert [len(issue.project.merge_requests) for issue in site.issues] == [1] * PROJECTS
    assert site.number("select count(*) from orders where kind = 'mention' and state <> 'done'") == 0


def test_a_worker_that_could_share_nothing_with_others_says_what_to_set(tmp_path: Path) -> None:
    ran = subprocess.run(
        WORKER,
        cwd=tmp_path,
        env={"PYTHONPATH": str(TOP), "PIPEWRIGHT_GITLAB_URL": NOWHERE, "PIPEWRIGHT_GITLAB_TOKEN": "t", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ran.returncode != 0
    assert "PIPEWRIGHT_DATABASE_URL and PIPEWRIGHT_CHROMA_URL" in " ".join((ran.stdout + ran.stderr).split())
