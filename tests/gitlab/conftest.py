"""GitLabs for the client: one whose answers are written beforehand, and one recorded from the stand-in."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from vcr.cassette import Cassette

from bot.gitlab.client import GitLab
from bot.sandbox import acts, seed
from bot.sandbox.server import Sandbox
from tests.world.cassettes import IS_RECORDING, cassette, sent
from tests.world.wire import WireServer


@pytest.fixture
def wires() -> Iterator[WireServer]:
    """The other end."""
    server = WireServer().start()
    yield server
    server.stop()


@pytest.fixture
def waits() -> list[float]:
    """How long the client wanted to wait, each time it did."""
    return []


@pytest.fixture
def gitlab(wires: WireServer, waits: list[float]) -> GitLab:
    """The client; it notes its waits instead of waiting."""
    return GitLab(wires.url, "glpat-of-a-test", timeout=(5.0, 5.0), sleep=waits.append)


SHOWN = "http://gitlab.example.test"
FILES = {
    "pyproject.toml": '[project]\nname = "app"\nversion = "1"\n',
    "src/app.py": "print('über')\n",
    "logo.png": "\x89PNG\x00\x00",
}


@dataclass
class Recorded:
    """The client before a recorded GitLab: project `team/app`, its issue 1, and what everybody said there."""

    gitlab: GitLab
    tape: Cassette
    settle: Callable[[], None]

    @property
    def project_id(self) -> int:
        return self.gitlab.find_project("team/app").id

    def calls(self, *methods: str) -> list[tuple[str, str, Any]]:
        """Return the calls made with these methods, below the project where they are."""
        project = re.compile(r"^/projects/(?:\d+|team%2Fapp)")
        every = sent(self.tape, below=f"{SHOWN}/api/v4")
        return [(method, project.sub("", path), body) for method, path, body in every if method in methods]


@pytest.fixture
def recorded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Recorded]:
    """The client on the cassette named like the test."""
    name = "gitlab/" + request.node.name.removeprefix("test_")
    if not IS_RECORDING:
        with cassette(name, real=SHOWN, shown=SHOWN) as tape:
            yield Recorded(GitLab(SHOWN, "a-token", sleep=lambda _: None), tape, lambda: None)
        return
    sandbox = Sandbox(tmp_path / "gitlab", job_seconds=0.01).start()
    token = _settle_in(sandbox)
    with cassette(name, real=sandbox.url, shown=SHOWN) as tape:
        yield Recorded(GitLab(sandbox.url, token), tape, lambda: _idle(sandbox))
    sandbox.stop()


def _idle(sandbox: Sandbox) -> None:
    assert sandbox.wait_idle()


def _settle_in(sandbox: Sandbox) -> str:
    """Fill the stand-in and return the bot's token."""
    world = sandbox.world
    with world.lock:
        bot = seed.add_user(world, "pipewright", is_bot=True)
        people = {name: seed.add_user(world, name) for name in ("max", "mia", "gina", "sam")}
        roles = {people["max"]: 40, people["mia"]: 30, people["gina"]: 10, bot: 40}
        project = seed.add_project(world, "team/app", FILES, roles, visibility="public")
        issue = acts.open_issue(world, project, people["mia"], "We need CI", "Who can help?")
        for person in (*people.values(), bot):
            acts.comment(world, issue, person, f"I am {person.username}.")
        return seed.add_token(world, bot).value
