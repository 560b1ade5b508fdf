"""Fixes go where they help in files as people write them: chains of commands, anchors, odd names, other folders."""

import pytest

from bot.ci.checks.document import read_document
from bot.failures.fixing import applied, propose
from bot.failures.recognise import recognise
from bot.failures.scene import Scene
from bot.failures.trace import read_trace

HEADER = "$ make\nfatal error: libpq-fe.h: No such file or directory\nERROR: Job failed: exit code 1\n"


def mended(text: str, log: str, job: str = "test", paths: tuple[str, ...] = ()) -> str:
    found = recognise(read_trace([log.encode()]), job=job)
    scene = Scene(text, paths, {"api/requirements.txt": "flask\n"}.get)
    fix = propose(found, scene)
    return applied(text, fix) if fix else text


@pytest.mark.parametrize(
    ("line", "after"),
    [
        (
            "apt-get update && apt-get install -y gcc && rm -rf /var/lib/apt/lists/*",
            "apt-get update && apt-get install -y gcc libpq-dev && rm -rf /var/lib/apt/lists/*",
        ),
        ("apt-get install -y gcc && make", "apt-get install -y gcc libpq-dev && make"),
        ("apt-get install -y gcc", "apt-get install -y gcc libpq-dev"),
        ("'apt-get install -y gcc # compilers'", "apt-get install -y gcc libpq-dev # compilers"),
    ],
)
def test_a_package_joins_those_that_are_installed_whatever_follows(line: str, after: str) -> None:
    text = f"test:\n  image: python:3.13\n  script:\n    - {line}\n    - make\n"
    assert after in mended(text, HEADER)


def test_a_package_is_no_word_behind_what_another_shell_is_told() -> None:
    text = "test:\n  image: python:3.13\n  script:\n    - bash -c 'apt-get install -y gcc'\n    - make\n"
    assert "- bash -c 'apt-get install -y gcc'\n" in mended(text, HEADER)
    assert "--no-install-recommends libpq-dev\n" in mended(text, HEADER)


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("apt-get install -y gcc", "apt-get update && apt-get install -y gcc"),
        ("cd src && apt install gcc", "cd src && apt update && apt install gcc"),
        ("sudo -E apt-get -y install gcc", "sudo -E apt-get update && sudo -E apt-get -y install gcc"),
        (
            "DEBIAN_FRONTEND=noninteractive apt-get install -y gcc",
            "DEBIAN_FRONTEND=noninteractive apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y gcc",
        ),
    ],
)
def test_the_lists_of_packages_are_fetched_by_whoever_installs(line: str, after: str) -> None:
    text = f"test:\n  image: cimg/base:2026.01\n  script:\n    - {line}\n"
    log = f"$ {line}\nE: Unable to locate package gcc\nERROR: Job failed: exit code 100\n"
    assert f"- {after}\n" in mended(text, log)


@pytest.mark.parametrize(
    ("paths", "line"),
    [
        (("gradlew",), "chmod +x ./gradlew"),
        (("backend/gradlew",), 'chmod +x "$CI_PROJECT_DIR/backend/gradlew"'),
    ],
)
def test_a_script_of_a_folder_is_made_executable_where_it_lies(paths: tuple[str, ...], line: str) -> None:
    text = "test:\n  image: eclipse-temurin:21\n  script:\n    - cd backend && ./gradlew test\n"
    log = "$ cd backend && ./gradlew test\n/bin/bash: line 139: ./gradlew: Permission denied\n"
    assert f"- {line}\n    - cd backend" in mended(text, log, paths=paths)


def test_an_image_with_a_digest_gets_no_other_tag() -> None:
    image = "python:3.99@sha256:" + "a" * 64
    text = f"test:\n  image: {image}\n  script: [make]\n"
    assert mended(text, f"ERROR: manifest for {image} not found: manifest unknown\n") == text


def test_a_job_whose_own_name_ends_like_a_numbered_one_is_found() -> None:
    text = "test 1/2:\n  image: node:24\n  script:\n    - npm ci\n"
    log = "$ npm ci\nnpm error The `npm ci` command can only install with an existing package-lock.json\n"
    assert "npm install" in mended(text, log, job="test 1/2")


@pytest.mark.parametrize("written", ["<<: *base", "script: *lines", "script: !reference [.base, script]"])
def test_a_line_that_comes_from_elsewhere_is_mended_in_the_job(written: str) -> None:
    text = (
        ".base: &base\n  image: node:24\n  script: &lines\n    - npm ci\n    - npm test\n"
        f"test:\n  image: node:24\n  {written}\n"
    )
    log = "$ npm ci\nnpm error The `npm ci` command can only install with an existing package-lock.json\n"
    after = mended(text, log)
    assert read_document(after).jobs["test"]["script"] == ["npm install", "npm test"]
    assert after.startswith(text.partition("test:\n")[0])


def test_a_variable_hides_none_of_those_that_an_anchor_brings() -> None:
    text = ".base: &base\n  variables:\n    DB_HOST: postgres\n  script: [git describe]\ntest:\n  <<: *base\n"
    after = mended(text, "$ git describe\nfatal: No names found, cannot describe anything.\n")
    assert after == text + '  variables:\n    DB_HOST: postgres\n    GIT_DEPTH: "0"\n'


@pytest.mark.parametrize(
    ("script", "line"),
    [
        (["cd api", "pytest"], 'pip install -r "$CI_PROJECT_DIR/api/requirements.txt"'),
        (["pytest"], "pip install -r api/requirements.txt"),
    ],
)
def test_a_list_of_packages_is_found_also_behind_a_change_of_folder(script: list[str], line: str) -> None:
    lines = "".join(f"    - {each}\n" for each in script)
    log = "$ pytest\nModuleNotFoundError: No module named 'flask'\n"
    after = mended(f"test:\n  image: python:3.13\n  script:\n{lines}", log, paths=("api/requirements.txt",))
    assert read_document(after).jobs["test"]["script"] == [*script[:-1], line, "pytest"]


@pytest.mark.parametrize(
    "line",
    [
        'INFO     httpx:_client.py:1025 HTTP Request: GET http://testserver/me "HTTP/1.1 401 Unauthorized"',
        '127.0.0.1 - - "GET /me HTTP/1.1" 403 Forbidden',
        "E       AssertionError: 403 Forbidden != 200",
    ],
)
def test_what_a_server_under_test_answers_is_no_registry(line: str) -> None:
    log = f"$ pytest\n{line}\n=== 1 failed, 3 passed in 1.05s ===\nERROR: Job failed: exit code 1\n"
    found = recognise(read_trace([log.encode()]), job="test", failure_reason="script_failure")
    assert (found.kind, found.nature) == ("test_failure", "project")


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        ("  1 failing\n", "test_failure"),
        ("/bin/bash: line 3: eslint: command not found\n", "missing_command"),
        ("ERROR: Job failed: exit code 1\n", "vulnerable"),
    ],
)
def test_weaknesses_that_an_installation_counts_are_no_cause_where_there_is_another(after: str, kind: str) -> None:
    log = f"$ npm ci # collapsed multi-line command\n5 vulnerabilities (2 moderate, 3 high)\n{after}"
    assert recognise(read_trace([log.encode()]), job="test", failure_reason="script_failure").kind == kind
