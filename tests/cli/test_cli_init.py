"""`init`: from nothing to a bot that `doctor` finds well."""

import json
import os
import pty
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import env_file
from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from tests.cli.conftest import run
from tests.world.scripted_ollama import MODEL, ScriptedOllama

ROOT = Path(__file__).parents[2]
SETTINGS = ("GITLAB_URL", "GITLAB_TOKEN", "WEBHOOK_SECRET", "PUBLIC_URL")


@pytest.fixture
def token(project: str, stand_in: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """The bot's token; nothing is set in the environment but where Ollama would be."""
    for name in SETTINGS:
        monkeypatch.delenv(f"PIPEWRIGHT_{name}")
    return next(iter(stand_in.world.tokens))


def given(stand_in: Sandbox, token: str) -> list[str]:
    Path("token").write_text(token + "\n")
    return ["--gitlab-url", stand_in.url, "--token-file", "token", "--public-url", "http://127.0.0.1:9", "--no-input"]


def test_one_command_sets_everything_up(stand_in: Sandbox, project: str, token: str, tmp_path: Path) -> None:
    result = run("init", *given(stand_in, token), "--install", project)
    assert result.exit_code == 0, result.output
    assert "✓ GitLab: " in result.stdout
    assert "@pipewright" in result.stdout
    assert f"✓ webhook: {project}: installed" in result.stdout
    assert "✓ templates: indexed" in result.stdout
    assert "✗" not in result.stdout
    assert token not in result.output
    env = tmp_path / ".env"
    assert env.stat().st_mode & 0o777 == 0o600
    written = env_file.values_of(env)
    assert written["GITLAB_TOKEN"] == token
    (hook,) = stand_in.world.project_at(project).hooks  # type: ignore[union-attr]
    assert (hook.signing_token, hook.token) == (written["WEBHOOK_SIGNING_TOKEN"], None)
    assert len(b64decode(written["WEBHOOK_SIGNING_TOKEN"].removeprefix("whsec_"))) == 32


@pytest.mark.parametrize("version", ["18.11.3-ee", "16.0.0"])
def test_a_gitlab_that_signs_nothing_gets_a_secret_token(
    stand_in: Sandbox, project: str, token: str, tmp_path: Path, version: str
) -> None:
    stand_in.world.version = version
    assert run("init", *given(stand_in, token), "--install", project).exit_code == 0
    written = env_file.values_of(tmp_path / ".env")
    (hook,) = stand_in.world.project_at(project).hooks  # type: ignore[union-attr]
    assert hook.token == written["WEBHOOK_SECRET"]
    assert len(written["WEBHOOK_SECRET"]) == 64
    assert "WEBHOOK_SIGNING_TOKEN" not in written


def test_asked_again_it_keeps_what_is_there(stand_in: Sandbox, project: str, token: str, tmp_path: Path) -> None:
    run("init", *given(stand_in, token))
    before = env_file.values_of(tmp_path / ".env")
    (tmp_path / ".env").write_text((tmp_path / ".env").read_text() + "# mine\nPIPEWRIGHT_LISTEN_PORT=9999\n")
    result = run("init", "--no-input", "--mention", "helper")
    assert result.exit_code == 0, result.output
    assert env_file.values_of(tmp_path / ".env") == before | {"MENTION": "helper", "LISTEN_PORT": "9999"}
    assert "# mine\n" in (tmp_path / ".env").read_text()


def test_what_is_not_given_is_asked_for(stand_in: Sandbox, project: str, token: str, tmp_path: Path) -> None:
    answers = "\n".join([stand_in.url, token, "http://127.0.0.1:9", f"{project}, no/where"]) + "\n"
    result = run("init", stdin=answers)
    assert result.exit_code == 0, result.output
    assert token not in result.output
    assert f"✓ webhook: {project}: installed" in result.stdout
    assert "! webhook: no/where: " in result.stdout


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_file_of_the_token_may_come_from_windows(
    stand_in: Sandbox, project: str, token: str, encoding: str
) -> None:
    arguments = given(stand_in, token)
    Path("token").write_text(token + "\r\n", encoding=encoding)
    assert run("init", *arguments).exit_code == 0
    assert env_file.values_of(Path(".env"))["GITLAB_TOKEN"] == token


@pytest.fixture
def ollamas(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ScriptedOllama, ScriptedOllama]]:
    """One that has the model, and a new one beside it."""
    known, new = ScriptedOllama().start(), ScriptedOllama(models=[]).start()
    monkeypatch.setenv("PIPEWRIGHT_OLLAMA_URL", f"{known.url},{new.url}")
    yield known, new
    known.stop()
    new.stop()


def test_each_ollama_fetches_the_model_it_lacks(
    stand_in: Sandbox, token: str, ollamas: tuple[ScriptedOllama, ScriptedOllama]
) -> None:
    known, new = ollamas
    assert f"✓ model: {MODEL} is there" in run("init", *given(stand_in, token)).stdout
    assert new.models == []
    result = run("init", *given(stand_in, token), "--pull")
    assert f"✓ model: {MODEL} fetched" in result.stdout
    assert (known.models, new.models) == ([MODEL], [MODEL])
    assert f"✓ Ollama: {MODEL} at {new.url}" in result.stdout


def test_one_ollama_that_is_away_keeps_no_other_from_the_model(
    stand_in: Sandbox, token: str, ollamas: tuple[ScriptedOllama, ScriptedOllama], monkeypatch: pytest.MonkeyPatch
) -> None:
    new = ollamas[1]
    monkeypatch.setenv("PIPEWRIGHT_OLLAMA_URL", f"http://127.0.0.1:9,{new.url}")
    result = run("init", *given(stand_in, token), "--pull")
    assert "! model: Ollama" in result.stdout
    assert new.models == [MODEL]


def test_on_a_terminal_a_bar_shows_how_far_the_download_is(
    stand_in: Sandbox, token: str, ollamas: tuple[ScriptedOllama, ScriptedOllama], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIPEWRIGHT_OLLAMA_URL", ollamas[1].url)
    terminal, stderr = pty.openpty()
    words = [sys.executable, "-m", "bot", "init", *given(stand_in, token), "--pull"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=stderr, env=environment, text=True, check=True)
    os.close(stderr)
    assert "4.9/4.9 GB" in os.read(terminal, 100_000).decode()
    assert "GB" not in done.stdout


def test_for_programs_there_is_one_document(stand_in: Sandbox, project: str, token: str) -> None:
    result = run("init", *given(stand_in, token), "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert [step["step"] for step in document["steps"]] == ["GitLab", "settings", "webhook", "model", "templates"]
    assert {each["part"] for each in document["doctor"]} >= {"GitLab", "account", "PostgreSQL"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--no-input"], "give --gitlab-url", id="nothing given"),
        pytest.param(
            ["--no-input", "--gitlab-url", "http://x", "--public-url", "http://y"], "--token-file", id="token"
        ),
        pytest.param(["--token-file", "none"], "does not exist", id="no such file"),
    ],
)
def test_what_is_missing_is_said_and_nothing_written(
    token: str, tmp_path: Path, arguments: list[str], says: str
) -> None:
    result = run("init", *arguments)
    assert result.exit_code != 0
    assert says in result.stderr
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("GITLAB_URL", "{url}/team/app", "There is no API below {url}/team/app"),
        ("GITLAB_TOKEN", "glpat-unknown", "make a new token with the scope `api`"),
    ],
)
@pytest.mark.parametrize("command", ["init", "serve"])
def test_who_does_not_get_in_hears_which_setting_to_mend(
    stand_in: Sandbox,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    name: str,
    value: str,
    says: str,
) -> None:
    right = {
        "GITLAB_URL": stand_in.url,
        "GITLAB_TOKEN": token,
        "PUBLIC_URL": "http://127.0.0.1:9",
        "WEBHOOK_SECRET": "x",
    }
    for each, text in (right | {name: value.format(url=stand_in.url)}).items():
        monkeypatch.setenv(f"PIPEWRIGHT_{each}", text)
    result = run(command, *(["--no-input"] if command == "init" else []))
    assert result.exit_code == 1
    assert f"PIPEWRIGHT_{name}" in result.stderr
    assert says.format(url=stand_in.url) in result.stderr
    assert not Path(".env").exists()


def test_of_what_is_wrong_it_names_nothing_that_it_makes_itself(stand_in: Sandbox, token: str, tmp_path: Path) -> None:
    result = run("init", *given(stand_in, token), "--mention", "my bot")
    assert result.exit_code == 1
    assert "PIPEWRIGHT_MENTION is wrong" in result.stderr
    assert "WEBHOOK_SECRET" not in result.stderr
    assert not (tmp_path / ".env").exists()


@pytest.mark.parametrize("scopes", [("read_api",), None], ids=["may only read", "unknown"])
def test_a_token_that_does_not_do_is_said_and_nothing_written(
    stand_in: Sandbox, token: str, tmp_path: Path, scopes: tuple[str, ...] | None
) -> None:
    user = next(iter(stand_in.world.users.values()))
    other = seed.add_token(stand_in.world, user, *scopes).value if scopes else "glpat-unknown"
    result = run("init", *given(stand_in, other))
    assert result.exit_code == 1
    assert ("`api`" if scopes else "401") in result.stderr or "token" in result.stderr
    assert other not in result.output
    assert not (tmp_path / ".env").exists()
