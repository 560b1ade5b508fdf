"""What a script reads is JSON and nothing else, wherever it would want it."""

import json
from pathlib import Path
from typing import Any

import click
import pytest

from bot.cli import main
from tests.cli.conftest import run

# These print nothing that a program would read, or have a form of their own.
WITHOUT = {"serve", "worker", "completion", "audit export"}


def objects(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def commands(group: click.Group, path: str = "") -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for name, command in group.commands.items():
        found |= commands(command, f"{path}{name} ") if isinstance(command, click.Group) else {path + name: command}
    return found


def test_every_other_command_has_it() -> None:
    lacking = {
        name for name, command in commands(main).items() if not any("--json" in each.opts for each in command.params)
    }
    assert lacking == WITHOUT


def test_lint(tmp_path: Path) -> None:
    (tmp_path / "ci.yml").write_text("test:\n  script: echo\n  stage: nowhere\n")
    result = run("lint", "ci.yml", "--json")
    assert result.exit_code == 1
    found = objects(result.stdout)
    assert [(one["path"], one["line"], one["is_error"]) for one in found if one["is_error"]] == [("ci.yml", 3, True)]


def test_templates(tmp_path: Path) -> None:
    listed = objects(run("templates", "list", "--json").stdout)
    assert {"name", "content_hash", "origin", "description"} == set(listed[0])
    (best, *_) = objects(run("templates", "search", "python project with uv", "--json").stdout)
    assert best["name"] in {one["name"] for one in listed}
    folder = tmp_path / "own" / "cobol"
    folder.mkdir(parents=True)
    text = "name: cobol\ndescription: It.\nknown_by: [cobol]\napplies_to: {ecosystem: [generic]}\nprovides: [test]\n"
    (folder / "template.yml").write_text(text)
    (folder / "jobs.yml.j2").write_text("test:\n  image: alpine:3.22\n  script: [cobc]\n")
    result = run("templates", "check", folder.parent, "--json", "--show")
    (trial,) = objects(result.stdout)
    assert result.exit_code == 0, result.output
    assert (trial["template"], trial["ok"], trial["jobs"]) == ("cobol", True, ["test"])
    assert "cobc" in trial["files"][".gitlab-ci.yml"]
    (folder / "jobs.yml.j2").write_text("{{ nothing }}\n")
    result = run("templates", "check", folder.parent, "--json")
    assert result.exit_code == 1
    assert not objects(result.stdout)[0]["ok"]


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in (("GITLAB_URL", "http://127.0.0.1:9"), ("GITLAB_TOKEN", "x"), ("WEBHOOK_SECRET", "x")):
        monkeypatch.setenv(f"PIPEWRIGHT_{name}", value)
    monkeypatch.setenv("PIPEWRIGHT_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def test_the_database(embedded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = run("migrate", "--check", "--json")
    assert missing.exit_code == 1
    (before,) = objects(missing.stdout)
    (applied,) = objects(run("migrate", "--json").stdout)
    assert before["missing"] == applied["applied"] != []
    after = run("migrate", "--check", "--json")
    assert (after.exit_code, objects(after.stdout)) == (0, [{"missing": [], "newer": []}])
    (saved,) = objects(run("backup", "copy", "--json").stdout)
    assert saved == {"file": "copy", "bytes": Path("copy").stat().st_size}
    monkeypatch.setenv("PIPEWRIGHT_DATA_DIR", str(embedded / "other"))
    assert objects(run("restore", "copy", "--json").stdout) == [{"file": "copy", "applied": []}]


def test_the_index(embedded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = embedded / "own" / "cobol"
    folder.mkdir(parents=True)
    (folder / "template.yml").write_text("name: fortran\n")
    monkeypatch.setenv("PIPEWRIGHT_TEMPLATES_DIR", str(folder.parent))
    result = run("templates", "index", "--json")
    assert result.exit_code == 0, result.output
    (indexed,) = objects(result.stdout)
    assert list(indexed) == ["left_out"]
    assert "cobol" in indexed["left_out"][0]


def test_rotating_tells_no_secret(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PIPEWRIGHT_WEBHOOK_SECRET=first\n")
    assert objects(run("hooks", "rotate", "--json").stdout) == [{"result": "rotated", "renewed": ["WEBHOOK_SECRET"]}]
    finished = objects(run("hooks", "rotate", "--finish", "--json").stdout)
    assert finished == [{"result": "finished", "removed": ["WEBHOOK_SECRET_OLD"]}]
