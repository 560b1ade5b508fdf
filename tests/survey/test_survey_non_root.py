"""Tests that must not run as root: what tells of them, and how the job runs them."""

from collections.abc import Callable, Mapping

import pytest
import yaml

from bot.ci.assignment import Assignment
from bot.ci.catalog import default_templates_dir, load_catalog
from bot.ci.compose import compose
from bot.ci.render import as_user
from bot.domain import Snapshot, Unit
from bot.survey.report import survey

UnitOf = Callable[[Mapping[str, str]], Unit]

PLAIN = {"requirements.txt": "flask\npytest\n", "tests/test_a.py": ""}


@pytest.mark.parametrize("name", ["pytest-postgresql", "testing.postgresql", "pytest_pgsql"])
def test_what_starts_a_postgresql_wants_another_user(unit_of: UnitOf, name: str) -> None:
    unit = unit_of(PLAIN | {"requirements.txt": f"flask\npytest\n{name}\n"})
    (fact,) = [fact for fact in unit.facts if fact.name == "test_user"]

    assert fact.value == "tests"
    assert "refuses to run as root" in fact.because
    assert [(each.path, each.line) for each in fact.evidence] == [("requirements.txt", 3)]


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("sudo -u tester pytest", True),
        ("su tester -c pytest tests", True),
        ("runuser -u nobody -- tox", True),
        ("sudo -u postgres psql -c 'create database test'", False),
        ("sudo -u root pytest", False),
        ("sudo apt-get install -y pytest", False),
        ("pytest", False),
    ],
)
def test_another_user_of_other_ci_is_evidence(unit_of: UnitOf, line: str, is_told: bool) -> None:
    workflow = f"on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n      - run: {line}\n"

    assert (unit_of(PLAIN | {".github/workflows/ci.yml": workflow}).first("test_user") == "tests") == is_told


def test_the_job_makes_the_user_and_runs_only_the_tests_as_it() -> None:
    files = PLAIN | {"requirements.txt": "pytest\npytest-postgresql\n"}
    found = survey(Snapshot(paths=tuple(sorted(files)), texts={path: text for path, text in files.items() if text}))
    written = compose(Assignment(survey=found), load_catalog(default_templates_dir())).files[".gitlab-ci.yml"]
    job = yaml.safe_load(written)["test"]

    assert job["script"] == [
        "useradd --create-home tests",
        'chown -R tests "$CI_PROJECT_DIR"',
        "runuser -u tests -- env HOME=/home/tests pytest --junitxml=junit.xml",
    ]
    assert job["before_script"][0].endswith("--no-install-recommends postgresql")
    assert job["before_script"][-1].startswith("pip install")
    assert "as jobs in containers are" in written


def test_the_server_that_tests_start_is_no_part_of_the_image() -> None:
    texts = {"requirements.txt": "flask\ngunicorn\npytest-postgresql\n", "Procfile": "web: gunicorn shop:app\n"}
    found = survey(Snapshot(paths=("Procfile", "requirements.txt", "shop.py", "test_a.py"), texts=texts))
    files = compose(Assignment(survey=found), load_catalog(default_templates_dir())).files

    assert "postgresql" in files[".gitlab-ci.yml"]
    assert "postgresql" not in files["Dockerfile"]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("pytest -q", "runuser -u tests -- env HOME=/home/tests pytest -q"),
        ("A=1 pytest", "runuser -u tests -- env HOME=/home/tests A=1 pytest"),
        ("pytest -m 'not slow'", """runuser -u tests -- env HOME=/home/tests bash -c 'pytest -m '"'"'not slow'"'"''"""),
        ("make && make check", "runuser -u tests -- env HOME=/home/tests bash -c 'make && make check'"),
    ],
)
def test_a_command_of_another_user(line: str, meant: str) -> None:
    assert as_user(line, "tests") == meant
