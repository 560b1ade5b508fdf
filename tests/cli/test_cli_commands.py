"""The other commands: lint, doctor, hooks, templates, sandbox, and how errors look."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from bot.domain import CannotError
from bot.main import listen
from bot.sandbox import seed
from bot.sandbox.oauth.records import add_application
from bot.sandbox.server import Sandbox
from tests.cli.conftest import run

GOOD = "test:\n  image: alpine:3.22\n  script:\n    - echo hello\n"
COMMANDS = ("demo", "serve", "worker", "generate", "lint", "doctor", "hooks", "templates", "audit", "sandbox")


def test_help_names_every_command_at_once() -> None:
    done = subprocess.run([sys.executable, "-m", "bot", "--help"], capture_output=True, text=True, check=True, cwd=ROOT)
    assert all(f"\n  {command} " in done.stdout for command in COMMANDS)


ROOT = Path(__file__).parents[2]


# What a shell starts in the background, perhaps these tests, is deaf to it.
HEARING_CTRL_C = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)


def test_whoever_ends_it_while_it_loads_sees_no_stack_trace(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(9)\n")
    done = subprocess.run(
        [sys.executable, "-c", HEARING_CTRL_C, "-m", "bot", "doctor"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_what_a_terminal_cannot_show_ends_no_command() -> None:
    """As in a terminal of Latin-1, which has no check marks."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", "templates", "check", ROOT / "templates"],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"\\u2713 ")


def test_a_port_in_use_is_said_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CannotError, match=rf"^127.0.0.1:{port} cannot be listened on \(Address already in use\)\. "
        ):
            listen("127.0.0.1", port)


def test_the_version_is_shown() -> None:
    assert re.fullmatch(r"pipewright \d+\.\d+\.\d+\n", run("--version").stdout)


@pytest.mark.parametrize("arguments", [["nonsense"], ["lint"], ["generate"], ["serve", "--port", "x"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("command", [["serve"], ["worker"], ["hooks", "list", "a/b"], ["templates", "index"]])
def test_missing_settings_are_all_named(command: list[str]) -> None:
    result = run(*command)
    assert result.exit_code == 1
    assert "PIPEWRIGHT_GITLAB_URL is missing" in result.stderr
    assert "PIPEWRIGHT_GITLAB_TOKEN is missing" in result.stderr
    assert "PIPEWRIGHT_WEBHOOK_SECRET is missing" in result.stderr
    assert "Traceback" not in result.output


def test_a_part_that_is_not_there_is_named_with_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("GITLAB_URL", "http://127.0.0.1:9"), ("GITLAB_TOKEN", "glpat-none"), ("WEBHOOK_SECRET", "x")):
        monkeypatch.setenv(f"PIPEWRIGHT_{name}", value)
    monkeypatch.setenv("PIPEWRIGHT_DATABASE_URL", "postgresql://someone:hidden@127.0.0.1:9/none")
    result = run("serve")
    assert result.exit_code == 1
    assert "PostgreSQL did not answer" in result.stderr
    assert "PIPEWRIGHT_DATABASE_URL" in result.stderr
    assert "hidden" not in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["backup", "file/x"],
        ["backup", "none/x"],
        ["migrate"],
        ["generate", "checkout", "--output", "file/x"],
        ["init", "--no-input", "--env-file", "file/x"],
        ["init", "--no-input", "--env-file", "checkout"],
        ["sandbox", "--port", "0", "--data-dir", "file/x"],
    ],
    ids=" ".join,
)
def test_a_file_that_cannot_be_used_is_named(
    project: str, postgres: str, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    Path("file").touch()
    Path("checkout").mkdir()
    Path("checkout", "go.mod").write_text("module x\n\ngo 1.26\n")
    if arguments == ["migrate"]:
        monkeypatch.setenv("PIPEWRIGHT_DATA_DIR", "file/x")
    else:
        monkeypatch.setenv("PIPEWRIGHT_DATABASE_URL", postgres)
    result = run(*arguments)
    assert result.exit_code == 1
    assert re.search(r"^Error: .*(file|none/x|checkout)\S* cannot be used: ", result.stderr, re.M), result.output
    assert "name another place" in result.stderr


def test_a_good_file_is_checked(tmp_path: Path) -> None:
    (tmp_path / "ci.yml").write_text(GOOD)
    result = run("lint", "ci.yml")
    assert result.exit_code == 0
    assert result.stderr.startswith("checked, ")


def test_an_error_is_shown_with_file_line_and_mend() -> None:
    result = run("lint", "-", stdin="test:\n  script: echo\n  stage: nowhere\n")
    assert result.exit_code == 1
    assert re.search(r"^<stdin>:\d+: semantics: .*nowhere.* — ", result.stdout, re.MULTILINE)


def test_no_yaml_is_an_error_with_its_line() -> None:
    result = run("lint", "-", stdin="a: [1\nb: 2\n")
    assert result.exit_code == 1
    assert re.match(r"<stdin>:\d+: yaml: ", result.stdout)


@pytest.mark.parametrize("command", ["serve", "migrate", "doctor"])
@pytest.mark.parametrize("address", ["mysql://app:a-password@db/app", "postgresql//app:a-password@db/app"])
def test_an_address_of_no_database_is_refused_without_its_password(
    project: str, monkeypatch: pytest.MonkeyPatch, command: str, address: str
) -> None:
    monkeypatch.setenv("PIPEWRIGHT_DATABASE_URL", address)
    result = run(command)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "must look like postgresql://user:password@host/database" in result.output
    assert "a-password" not in result.output


def test_a_dockerfile_is_known_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN pip install x\n")
    result = run("lint", "Dockerfile")
    assert result.exit_code == 1
    assert "Dockerfile:1: policy: the base image python is not pinned" in result.stdout


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:3.13\n")
    result = run("lint", "Dockerfile")
    assert result.exit_code == 0
    assert "policy (warning)" in result.stdout
    assert "checked, 1 warning" in result.stderr


def test_several_files_and_folders_are_checked(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".gitlab-ci.yml").write_text(GOOD)
    (tmp_path / "b.yml").write_text("x: [\n")
    result = run("lint", "a", "b.yml")
    assert result.exit_code == 1
    assert result.stdout.startswith("b.yml:")


@pytest.mark.parametrize(
    ("content", "code"),
    [pytest.param(None, 2, id="missing"), pytest.param(b"\x00\x01", 1, id="binary"), pytest.param(b"", 1, id="empty")],
)
def test_what_cannot_be_checked_is_said(tmp_path: Path, content: bytes | None, code: int) -> None:
    if content is not None:
        (tmp_path / "ci.yml").write_bytes(content)
    result = run("lint", "ci.yml")
    assert result.exit_code == code
    assert "Traceback" not in result.output


def test_templates_are_listed_with_their_hash() -> None:
    result = run("templates", "list")
    assert result.exit_code == 0
    assert re.search(r"^python-uv\s+[0-9a-f]{12}  \S", result.stdout, re.MULTILINE)


def test_templates_are_found_by_words() -> None:
    result = run("templates", "search", "python project with uv", "--limit", "3")
    assert result.exit_code == 0
    assert "python-uv" in result.stdout
    assert len(result.stdout.splitlines()) == 3


def test_ones_own_templates_join_the_shipped_ones(tmp_path: Path) -> None:
    folder = tmp_path / "own" / "cobol"
    folder.mkdir(parents=True)
    (folder / "template.yml").write_text(
        "name: cobol\ndescription: Compiles COBOL.\napplies_to: {ecosystem: [cobol]}\n"
    )
    result = run("templates", "list", "--templates-dir", "own")
    assert "cobol" in result.stdout
    assert "python-uv" in result.stdout


def test_a_broken_template_of_ones_own_is_named_beside_the_list(tmp_path: Path) -> None:
    folder = tmp_path / "own" / "cobol"
    folder.mkdir(parents=True)
    (folder / "template.yml").write_text("name: fortran\n")
    result = run("templates", "list", "--templates-dir", "own")
    assert result.exit_code == 0
    assert "left out: templates/cobol/template.yml" in result.stderr
    assert "python-uv" in result.stdout


def test_the_webhook_is_installed_once_listed_and_removed(project: str, stand_in: Sandbox) -> None:
    for _ in range(2):
        result = run("hooks", "install", f"{stand_in.url}/{project}/-/issues")
        assert result.exit_code == 0, result.output
    listed = run("hooks", "list", project).stdout
    assert listed.count("http://127.0.0.1:9/webhooks/gitlab") == 1
    assert "emoji" in listed
    assert run("hooks", "remove", project).exit_code == 0
    assert run("hooks", "list", project).stdout == ""
    assert run("hooks", "remove", project).exit_code == 1


def test_a_project_that_is_not_there_is_one_clear_line(project: str) -> None:
    for command in ("install", "list", "remove"):
        result = run("hooks", command, "no/where")
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: no/where is neither a project nor a group that I can see. Look for")


def test_generate_reads_a_project_by_its_address(project: str, stand_in: Sandbox, tmp_path: Path) -> None:
    result = run("generate", f"{stand_in.url}/{project}", "--output", "out")
    assert result.exit_code == 0, result.output
    assert "golang:" in (tmp_path / "out" / ".gitlab-ci.yml").read_text()


def test_templates_of_a_project_are_listed_with_its_commit(
    project: str, stand_in: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = next(user for user in stand_in.world.users.values() if user.username == "pipewright")
    files = {"cobol/template.yml": "name: cobol\ndescription: Compiles it.\napplies_to: {ecosystem: [cobol]}\n"}
    with stand_in.world.lock:
        seed.add_project(stand_in.world, "platform/ci", files, {bot: 20})
    monkeypatch.setenv("PIPEWRIGHT_TEMPLATES_PROJECT", "platform/ci")
    assert re.search(r"^cobol .*\[platform/ci@[0-9a-f]{8}\]$", run("templates", "list").stdout, re.MULTILINE)
    assert run("templates", "search", "compile cobol", "--limit", "1").stdout.split()[1] == "cobol"
    assert re.search(r"✓ templates project: platform/ci at [0-9a-f]{8}: cobol", run("doctor").stdout)
    result = run("templates", "list", "--templates-project", "no/where")
    assert result.exit_code == 1
    assert "I can't see this project" in result.output


def test_the_doctor_finds_everything_well_but_the_model(project: str) -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.output
    assert "✗" not in result.stdout
    assert "! Ollama: nobody answers at http://127.0.0.1:9" in result.stdout
    assert "✓ token: scopes api" in result.stdout


def test_the_doctor_asks_gitlab_whether_it_knows_the_application(
    project: str, stand_in: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "! sign-in: nobody can sign in to the pages — Set PIPEWRIGHT_OAUTH_CLIENT_ID" in run("doctor").stdout
    application = add_application(stand_in.world, "http://127.0.0.1:9/sign-in/callback", "read_api")
    for name, value in (
        ("PUBLIC_URL", "http://127.0.0.1:9"),
        ("OAUTH_CLIENT_ID", application.uid),
        ("OAUTH_CLIENT_SECRET", application.secret),
    ):
        monkeypatch.setenv(f"PIPEWRIGHT_{name}", value)
    assert "✓ sign-in: GitLab knows the application; its redirect URI must be http://127.0.0.1:9/sign-in/callback" in (
        run("doctor").stdout
    )
    monkeypatch.setenv("PIPEWRIGHT_OAUTH_CLIENT_SECRET", "wrong")
    result = run("doctor")
    assert result.exit_code == 1
    assert "✗ sign-in: GitLab refused to sign in (invalid_client" in result.stdout


def test_the_sandbox_runs_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "sandbox", "--port", "0", "--data-dir", str(tmp_path / "world")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        said = "".join(iter_until(process.stdout, "Ctrl-C ends it."))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
    assert "answers at http://127.0.0.1:" in said
    assert "PIPEWRIGHT_GITLAB_TOKEN=glpat-" in said
    assert "PIPEWRIGHT_OAUTH_CLIENT_SECRET=gloas-" in said


def test_the_sandbox_fails_as_a_plan_says(tmp_path: Path) -> None:
    (tmp_path / "faults.yml").write_text("calls: [{method: GET, pattern: /version$, status: 503, times: 2}]")
    words = ["--port", "0", "--data-dir", str(tmp_path / "world"), "--faults", str(tmp_path / "faults.yml"), "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "sandbox", *words],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["project"] == "demo/teatimer"
        url, token = (said["settings"][f"PIPEWRIGHT_GITLAB_{name}"] for name in ("URL", "TOKEN"))
        ask = partial(httpx.get, f"{url}/api/v4/version", headers={"PRIVATE-TOKEN": token}, trust_env=False, timeout=60)
        assert [ask().status_code for _ in range(3)] == [503, 503, 200]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0


def test_a_wrong_plan_of_faults_is_refused_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "faults.yml").write_text("calls: [{method: GET, pattern: ., statsu: 503}]")
    result = run("sandbox", "--port", "0", "--faults", tmp_path / "faults.yml")
    assert result.exit_code == 1
    assert "unknown field `statsu` - at `$.calls[0]`" in result.stderr


def iter_until(lines: Iterable[str], last: str) -> Iterator[str]:
    for line in lines:
        yield line
        if last in line:
            return


def test_the_sandbox_wants_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    result = run("sandbox", "--port", "0", "--data-dir", tmp_path)
    assert result.exit_code == 1
    assert "not empty" in result.stderr
