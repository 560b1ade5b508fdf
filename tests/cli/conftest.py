"""A stand-in with one project, and the settings of a bot that maintains it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.sandbox import seed
from bot.sandbox.server import Sandbox


def run(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture(autouse=True)
def _no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PIPEWRIGHT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[Sandbox]:
    opened = Sandbox(tmp_path / "gitlab").start()
    yield opened
    opened.stop()


@pytest.fixture
def project(stand_in: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """A project on the stand-in, with the settings of a bot that maintains it."""
    world = stand_in.world
    bot = seed.add_user(world, "pipewright", is_bot=True)
    token = seed.add_token(world, bot)
    seed.add_project(world, "team/app", {"README.md": "hello\n", "go.mod": "module x\n\ngo 1.26\n"}, {bot: 40})
    monkeypatch.setenv("PIPEWRIGHT_GITLAB_URL", stand_in.url)
    monkeypatch.setenv("PIPEWRIGHT_GITLAB_TOKEN", token.value)
    monkeypatch.setenv("PIPEWRIGHT_WEBHOOK_SECRET", "s3cret")
    monkeypatch.setenv("PIPEWRIGHT_PUBLIC_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PIPEWRIGHT_OLLAMA_URL", "http://127.0.0.1:9")
    return "team/app"
