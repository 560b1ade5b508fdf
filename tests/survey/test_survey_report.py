"""The whole survey: several units, bad input, large repositories."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain import Snapshot, Survey
from bot.survey.report import MAX_UNITS, survey
from bot.survey.wanted import wanted_paths

Look = Callable[[Mapping[str, str]], Survey]
PACKAGE = '{"scripts": {"test": "jest"}, "dependencies": {"a": "1"}}'


@pytest.mark.parametrize(
    ("files", "units"),
    [
        pytest.param(
            {
                "services/a/requirements.txt": "flask\n",
                "services/a/test_a.py": "",
                "services/b/package.json": PACKAGE,
            },
            [("services/a", "python"), ("services/b", "node")],
            id="separate folders are separate units",
        ),
        pytest.param(
            {"pyproject.toml": '[project]\nname = "a"\n', "test_a.py": "", "frontend/package.json": PACKAGE},
            [("", "python"), ("frontend", "node")],
            id="a front end beside a Python project",
        ),
        pytest.param(
            {
                "go.mod": "module a\n",
                "examples/x/go.mod": "module x\n",
                "docs/package.json": PACKAGE,
                "test/src/go.mod": "x",
            },
            [("", "go")],
            id="examples, documentation and tests are no units",
        ),
        pytest.param(
            {"go.mod": "module a\n", "vendor/b/go.mod": "module b\n", "node_modules/c/package.json": PACKAGE},
            [("", "go")],
            id="vendored code is no unit",
        ),
        pytest.param(
            {"a b/$(id)/package.json": PACKAGE, "go.mod": "module a\n"}, [("", "go")], id="odd folders are left out"
        ),
    ],
)
def test_units(look: Look, files: dict[str, str], units: list[tuple[str, str]]) -> None:
    assert [(unit.root, unit.ecosystem) for unit in look(files).units] == units


def test_an_empty_repository_has_no_units_and_says_so(look: Look) -> None:
    assert look({}) == Survey(units=(), remarks=("The repository is empty.",))


def test_nothing_recognisable_is_said_honestly(look: Look) -> None:
    found = look({"README.md": "x", "main.cob": "", "variables.cob": ""})
    assert not found.units
    assert "Most files are .cob (2)" in found.remarks[0]


def test_submodules_are_fetched(look: Look) -> None:
    assert look({"go.mod": "module a\n", ".gitmodules": "[submodule]\n"}).units[0].first("submodules") == "recursive"


def test_existing_ci_can_be_ignored() -> None:
    texts = {"go.mod": "module a\n", ".travis.yml": "language: go\nscript: go test -short ./...\n"}
    found = survey(Snapshot(paths=(".travis.yml", "a_test.go", "go.mod"), texts=texts), ignore_existing_ci=True)
    assert found.units[0].first("test") == "go test ./..."


BROKEN = {
    "text that is no manifest": "<<<<<<< HEAD {[('\"",
    "NUL bytes": "\0\0[a]\0",
    "a list on top": "[1, 2, 3]",
    "null": "null",
    "a number": "1e999",
    "a mark in front": "\ufeff",
    "deep lists": "[" * 20_000,
    "deep blocks": "- " * 20_000,
    "deep objects": '{"a":' * 20_000,
    "deep calls": "f(" * 20_000,
    "deep tags": "<a>" * 20_000,
    "duplicate keys": '{"scripts": 1, "scripts": {"test": 7, "build": [1]}, "engines": "x", "dependencies": [1]}',
    "wrong types in TOML": "project = 3\n[tool]\npoetry = 1\nuv = []\n[[package]]\n[workspace]\nmembers = 1\n",
    "wrong types in YAML": "jobs: {a: [], b: {steps: {x: 1}, strategy: 1, services: [1]}}\non: push\nlanguage: [1]\n",
    "an alias bomb": "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\non: *c\njobs: {a: *c}\n",
    "an entity bomb": '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><project>&b;</project>',
}
NAMES = (
    "pyproject.toml setup.py setup.cfg tox.ini noxfile.py Pipfile requirements.txt package.json pnpm-lock.yaml "
    "yarn.lock .yarnrc.yml .nvmrc go.mod Cargo.toml Cargo.lock rust-toolchain rust-toolchain.toml pom.xml build.gradle "
    "gradle/wrapper/gradle-wrapper.properties CMakeLists.txt Makefile meson.build configure.ac Dockerfile Procfile "
    ".github/workflows/ci.yml .travis.yml .circleci/config.yml .gitlab-ci.yml Jenkinsfile .pre-commit-config.yaml "
    "runtime.txt .tool-versions mise.toml manage.py main.py main.go hatch.toml tox.toml poetry.lock .golangci.yml"
).split()


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN.keys())
def test_broken_manifests_are_survived(text: str) -> None:
    paths = tuple(sorted([*NAMES, "a.c", "a_test.go", "src/main.rs", "tests/test_a.py"]))
    found = survey(Snapshot(paths=paths, texts=dict.fromkeys(NAMES, text)))
    assert found.units


def test_a_broken_manifest_is_remarked(look: Look) -> None:
    assert look({"package.json": "{", "go.mod": "module a\n"}).remarks == (
        "`package.json` is not valid JSON, so it was not used.",
    )


_PIECES = (
    """[project] [tool.poetry] [tox] [testenv] name= dependencies=["pytest"] {"scripts":{"test":"jest"}} jobs: test:
    run: - : steps: ${{matrix.x}} matrix: include: <project> </project> python-version setup( extras_require={ all:
    & * ! | > [["""
).split()
_SPACES = [
    "\n",
    "\n  ",
    "\t",
    " ",
    '"',
    "'",
    "\\\n",
    "pytest",
    "tox -e py",
    "npm test",
    "3.13",
    ">=3.9",
    "on: push\n",
    "\0",
]
_pieces = st.sampled_from([*_PIECES, *_SPACES])
_texts = st.one_of(st.text(max_size=80), st.lists(_pieces, max_size=25).map("".join))


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(NAMES), _texts, max_size=8))
def test_the_survey_never_raises(texts: dict[str, str]) -> None:
    found = survey(Snapshot(paths=tuple(sorted(texts)), texts=texts))
    lines = [fact.value for unit in found.units for fact in unit.facts]
    assert all(line.strip() and "\0" not in line and "${{" not in line for line in lines)


def test_fifty_thousand_paths_give_a_bounded_number_of_units() -> None:
    paths = [f"packages/p{number // 100}/src/module{number}.py" for number in range(49_800)]
    paths += [f"packages/p{number}/package.json" for number in range(200)]
    found = survey(Snapshot(paths=tuple(sorted(paths)), texts=dict.fromkeys(wanted_paths(paths), PACKAGE)))
    assert 0 < len(found.units) <= MAX_UNITS


def test_a_manifest_without_text_is_named() -> None:
    found = survey(Snapshot(paths=("index.js", "package.json"), texts={"index.js": ""}))
    assert "`package.json` was not used: it is binary or larger than 1 MB." in found.remarks
