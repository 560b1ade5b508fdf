"""What became of another CI, and what a person is told about it."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Survey
from bot.replies.texts import conversion_table
from bot.survey.report import survey
from tests.survey.conftest import snapshot_of

Look = Callable[[Mapping[str, str]], Survey]

PYTHON = {"requirements.txt": "flask\n", "test_a.py": ""}
WORKFLOW = """\
on:
  push:
  schedule:
  - cron: '0 4 * * 1'
jobs:
  test:
    runs-on: ubuntu-latest
    services:
      db: {image: 'postgres:13'}
    steps:
    - uses: actions/checkout@v4
    - uses: actions/setup-python@v5
      with:
        python-version: '3.12'
    - uses: codecov/codecov-action@v5
    - uses: someone/surprise@v1
    - run: pip install -r requirements.txt pytest
    - run: pytest -q
    - run: echo done
    - run: echo $HOME
    - run: cd other && make
    - run: twine upload dist/*
      env: {TWINE_PASSWORD: '${{ secrets.PYPI_TOKEN }}'}
"""
ROWS = [
    ("actions/checkout@v4", "GitLab"),
    ("actions/setup-python@v5", "image"),
    ("codecov/codecov-action@v5", ""),
    ("someone/surprise@v1", ""),
    ("pip install -r requirements.txt pytest", "install"),
    ("pytest -q", "test"),
    ("echo done", ""),
    ("echo $HOME", ""),
    ("make", ""),
    ("twine upload dist/*", ""),
    ("postgres:13", "service"),
    ("python-version: '3.12'", "image"),
]


def test_every_line_says_what_it_became(look: Look) -> None:
    found = look({**PYTHON, ".github/workflows/ci.yml": WORKFLOW}).conversion
    assert {row.where.quote: row.became for row in found} == dict(ROWS)
    assert [row.where.line for row in found] == sorted(row.where.line or 0 for row in found)
    assert all(row.why for row in found)


def test_gitlabs_own_pipeline_is_not_converted(look: Look) -> None:
    assert look({**PYTHON, ".gitlab-ci.yml": "test:\n  script: [pytest]\n"}).conversion == ()


def test_nothing_is_converted_from_a_ci_that_shall_be_ignored() -> None:
    found = survey(snapshot_of({**PYTHON, ".github/workflows/ci.yml": WORKFLOW}), ignore_existing_ci=True)
    assert (found.conversion, found.remarks) == ((), ())


def test_the_table_shows_where_a_line_stood(look: Look) -> None:
    table = conversion_table(look({**PYTHON, ".github/workflows/ci.yml": WORKFLOW}))
    assert "| `.github/workflows/ci.yml:18` | `pytest -q` | test | as it is |" in table
    assert conversion_table(Survey(units=())) == ""


JENKINS = """\
pipeline { stages {
  stage('Test') { steps { sh 'pytest -q' } }
  stage('Deploy') { steps {
    withCredentials([string(credentialsId: 'prod-key', variable: 'K')]) { sh 'kubectl apply -f k8s' }
  } }
} }
"""


@pytest.mark.parametrize(
    ("files", "remark"),
    [
        pytest.param(
            {".github/workflows/ci.yml": WORKFLOW},
            "`.github/workflows/ci.yml` delivers with `twine upload dist/*` (line 22). I left that out: it takes a "
            "manual job on protected branches or tags and the protected variables PYPI_TOKEN.",
            id="a delivery and its secrets",
        ),
        pytest.param(
            {"Jenkinsfile": JENKINS},
            "`Jenkinsfile` delivers with `kubectl apply -f k8s` (line 4). I left that out: it takes a manual job on "
            "protected branches or tags and the protected variables prod-key.",
            id="a delivery of Jenkins",
        ),
        pytest.param(
            {".github/workflows/ci.yml": WORKFLOW},
            "`.github/workflows/ci.yml` also runs on a schedule (`0 4 * * 1`): add it under Build > Pipeline schedules "
            "if it is needed.",
            id="a schedule",
        ),
        pytest.param(
            {".github/workflows/ci.yml": WORKFLOW},
            "The service `postgres:13` is past its end of life; it is used because the repository names it.",
            id="a service without support",
        ),
        pytest.param(
            {".github/workflows/ci.yml": WORKFLOW, ".travis.yml": "language: python\nscript: nosetests\n"},
            "`.travis.yml` may be stale: `.github/workflows/ci.yml` stands beside it and was believed first.",
            id="a second system",
        ),
        pytest.param(
            {"runtime.txt": "python-3.6.4\n", ".github/workflows/ci.yml": WORKFLOW},
            "`runtime.txt` names 3.6.4, but 3.12 is used: it is the newest supported version that other CI or the "
            "Dockerfile runs.",
            id="a version file nobody followed up",
        ),
        pytest.param(
            {"Dockerfile": "FROM python:3.14-slim\n", ".github/workflows/ci.yml": WORKFLOW},
            "The Dockerfile starts from `python:3.14-slim`, while the jobs run on 3.12: it is the newest supported "
            "version that other CI or the Dockerfile runs.",
            id="a Dockerfile with another version",
        ),
        pytest.param(
            {".travis.yml": "language: python\npython: ['3.9', '3.12', '3.13']\nscript: pytest\n"},
            "Other CI also tests python 3.9, 3.12; the pipeline tests 3.13 alone.",
            id="the rest of a matrix",
        ),
    ],
)
def test_remarks(look: Look, files: dict[str, str], remark: str) -> None:
    assert remark in look({**PYTHON, **files}).remarks


@pytest.mark.parametrize(
    ("files", "version"),
    [
        pytest.param({**PYTHON, "Dockerfile": "FROM python:3.11-slim AS base\n"}, "3.11", id="Python"),
        pytest.param(
            {"package.json": '{"scripts": {"test": "jest"}}', "Dockerfile": "FROM node:22-alpine\n"}, "22", id="Node.js"
        ),
    ],
)
def test_the_dockerfile_tells_a_version_nobody_declared(look: Look, files: dict[str, str], version: str) -> None:
    assert look(files).units[0].first("version") == version
