"""`generate` on checkouts: what is printed, what is written, and what is never overwritten."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main

PYPROJECT = """[project]
name = "teatimer"
version = "1"
requires-python = ">=3.11"

[project.optional-dependencies]
test = ["pytest"]

[tool.pytest.ini_options]
testpaths = ["tests"]
"""
ROOT = Path(__file__).parents[2]
OWN_CI = "# ours, keep it\nhello:\n  script: echo hello\n"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    (folder / "tests").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "tests" / "test_tea.py").write_text("def test_tea():\n    pass\n")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_pipeline_goes_to_stdout_and_the_reasons_to_stderr(checkout: Path) -> None:
    result = run("generate", checkout)
    assert result.exit_code == 0
    assert "pytest" in result.stdout
    assert "stages:" in result.stdout
    assert "pyproject.toml:4" in result.stderr
    assert "because" in result.stderr
    assert not (checkout / ".gitlab-ci.yml").exists()


def test_what_is_printed_passes_its_own_lint(checkout: Path) -> None:
    printed = run("generate", checkout).stdout
    assert CliRunner().invoke(main, ["lint", "-"], input=printed).exit_code == 0


def test_write_puts_the_files_into_the_checkout(checkout: Path) -> None:
    result = run("generate", checkout, "--write")
    assert result.stdout == "wrote .gitlab-ci.yml\n"
    assert "pytest" in (checkout / ".gitlab-ci.yml").read_text()


def test_write_twice_adds_nothing_the_second_time(checkout: Path) -> None:
    run("generate", checkout, "--write")
    first = (checkout / ".gitlab-ci.yml").read_bytes()
    result = run("generate", checkout, "--write")
    assert result.exit_code == 0
    assert "Nothing to add" in result.stderr
    assert (checkout / ".gitlab-ci.yml").read_bytes() == first


def test_an_existing_pipeline_is_edited_and_its_comments_survive(checkout: Path) -> None:
    (checkout / ".gitlab-ci.yml").write_text(OWN_CI)
    assert run("generate", checkout, "--write").exit_code == 0
    text = (checkout / ".gitlab-ci.yml").read_text()
    assert "# ours, keep it" in text
    assert "echo hello" in text
    assert "pytest" in text


def test_an_existing_pipeline_that_is_no_yaml_is_named_with_what_to_do(checkout: Path) -> None:
    (checkout / ".gitlab-ci.yml").write_text("a: [\n")
    result = run("generate", checkout)
    assert result.exit_code == 1
    assert "`.gitlab-ci.yml` can't be extended: the file is not valid YAML" in result.stderr
    assert "Mend that" in result.stderr


@pytest.mark.parametrize(("words", "is_heard"), [("with python 3.12", True), ("with more cowbell", False), (" ", True)])
def test_a_wish_that_changes_nothing_is_said_so(checkout: Path, words: str, is_heard: bool) -> None:
    result = run("generate", checkout, "--ask", words)
    assert result.exit_code == 0
    assert ("changed nothing" in result.stderr) == (not is_heard)


def test_write_never_replaces_a_pipeline_that_it_was_told_to_ignore(checkout: Path) -> None:
    (checkout / ".gitlab-ci.yml").write_text(OWN_CI)
    result = run("generate", checkout, "--write", "--ignore-existing-ci")
    assert result.exit_code == 1
    assert ".gitlab-ci.yml" in result.stderr
    assert "Nothing was written" in result.stderr
    assert (checkout / ".gitlab-ci.yml").read_text() == OWN_CI


def test_output_never_replaces_a_file_of_another_content(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".gitlab-ci.yml").write_text("mine: {script: x}\n")
    assert run("generate", checkout, "--output", tmp_path / "out").exit_code == 1
    assert (tmp_path / "out" / ".gitlab-ci.yml").read_text() == "mine: {script: x}\n"


def test_output_is_made_when_it_is_not_there(checkout: Path, tmp_path: Path) -> None:
    assert run("generate", checkout, "--output", tmp_path / "new" / "folder").exit_code == 0
    assert (tmp_path / "new" / "folder" / ".gitlab-ci.yml").exists()


def test_a_link_that_leads_out_of_the_folder_is_not_written_through(checkout: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yml"
    (checkout / ".gitlab-ci.yml").symlink_to(outside)
    assert run("generate", checkout, "--write").exit_code == 1
    assert not outside.exists()


def test_json_holds_facts_files_and_jobs(checkout: Path) -> None:
    result = run("generate", checkout, "--json")
    everything = json.loads(result.stdout)
    facts = everything["survey"]["units"][0]["facts"]
    assert {"name": "package_manager", "value": "pip"}.items() <= next(
        fact for fact in facts if fact["name"] == "package_manager"
    ).items()
    assert ".gitlab-ci.yml" in everything["composition"]["files"]
    assert everything["composition"]["jobs"]


def test_wishes_are_heard(checkout: Path) -> None:
    assert "python:3.12" in run("generate", checkout, "--ask", "use python 3.12 please").stdout


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda path: None, "there is no folder", id="missing"),
        pytest.param(lambda path: path.mkdir(), "empty", id="empty"),
        pytest.param(lambda path: path.write_text("x"), "there is no folder", id="a file"),
    ],
)
def test_a_path_without_a_repository_is_one_clear_line(tmp_path: Path, make: object, words: str) -> None:
    path = tmp_path / "given"
    make(path)  # type: ignore[operator]
    result = run("generate", path)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_an_invalid_existing_pipeline_is_named_with_its_line(checkout: Path) -> None:
    (checkout / ".gitlab-ci.yml").write_text("a: [1\nb: 2\n")
    result = run("generate", checkout)
    assert result.exit_code == 1
    assert "line" in result.stderr


def test_write_needs_a_folder_for_an_address() -> None:
    assert run("generate", "https://gitlab.test/team/app", "--write").exit_code == 2


def test_an_address_needs_the_settings_and_names_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PIPEWRIGHT_")]:
        monkeypatch.delenv(name)
    result = run("generate", "https://gitlab.test/team/app")
    assert result.exit_code == 1
    assert "PIPEWRIGHT_GITLAB_URL is missing" in result.stderr
    assert "PIPEWRIGHT_GITLAB_TOKEN is missing" in result.stderr


def test_an_address_of_another_gitlab_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPEWRIGHT_GITLAB_URL", "https://gitlab.test")
    monkeypatch.setenv("PIPEWRIGHT_GITLAB_TOKEN", "t")
    result = run("generate", "https://gitlab.example.org/team/app")
    assert result.exit_code == 1
    assert "not a project on https://gitlab.test" in result.stderr


def test_a_checkout_needs_none_of_the_heavy_libraries(checkout: Path) -> None:
    code = (
        "import sys, bot.cli\n"
        f"bot.cli.main(['generate', {str(checkout)!r}], standalone_mode=False)\n"
        "heavy = {'chromadb', 'litestar', 'ollama', 'gitlab', 'procrastinate', 'psycopg', 'pydantic', 'wordllama'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.splitlines()[-1] == "[]"
