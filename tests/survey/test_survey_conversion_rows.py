"""Rows of a conversion that point at nothing of their own: steps that an orb runs, and shared libraries of Jenkins."""

from bot.domain import Carried, Snapshot
from bot.survey.report import survey


def converted(files: dict[str, str]) -> tuple[Carried, ...]:
    return survey(Snapshot(paths=tuple(sorted(files)), texts=files)).conversion


def test_what_an_orb_runs_is_shown_where_it_is_called() -> None:
    config = (
        "version: 2.1\norbs: {python: circleci/python@2}\njobs:\n  test:\n    docker: [{image: cimg/python:3.12}]\n"
        "    steps:\n      - python/install-packages:\n          pkg-manager: pipenv\n      - run: pipenv run pytest\n"
    )
    pipfile = '[packages]\n[dev-packages]\npytest = "*"\n'
    rows = {row.where.quote: row for row in converted({".circleci/config.yml": config, "Pipfile": pipfile})}
    assert rows["pipenv install --dev"].where.line == 7
    assert rows["pipenv install --dev"].why == "replaced by `pip install pipenv && pipenv install --dev --skip-lock`"


def test_a_jenkinsfile_that_only_calls_a_shared_library_says_so() -> None:
    files = {"Jenkinsfile": "/* see\n the docs */\n\n// ours\nbuildPlugin(\n  jdk: 21)\n", "pom.xml": "<project/>"}
    (row,) = converted(files)
    assert (row.where.path, row.where.line, row.where.quote) == ("Jenkinsfile", 5, "buildPlugin(")
    assert row.became == ""
    assert "shared library" in row.why
