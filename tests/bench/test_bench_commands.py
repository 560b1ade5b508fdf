"""Commands and versions of a proposal are judged as a person would judge them."""

import pytest

from bench.commands import best, likeness, split
from bench.expand import Runners
from bench.versions import version_score


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("pytest tests", "poetry run pytest tests --cov=shop -v", 1.0),
        ("python -m pytest", "py.test", 1.0),
        ("tox", "tox -e py312", 1.0),
        ("tox -e py3.13", "uv run --locked tox run -e py313", 1.0),
        ("npm ci", "npm install --no-audit", 1.0),
        ("make -j4", "cmake --build build", 1.0),
        ("gofmt -l .", 'test -z "$(gofmt -d -s .)"', 0.8),
        ("mvn package", "mvn -B package -DskipTests", 1.0),
        ("go test ./...", "gotestsum --junitfile out.xml -- -p 2 -cover ./...", 1.0),
        ("cargo fmt --check", "cargo fmt --all -- --check", 1.0),
        ("cargo build", "cargo build --release", 0.8),
        ("pytest tests", "pytest", 0.5),
        ("npm run lint", "npm test", 0.5),
        ("go test ./...", "go vet ./...", 0.0),
        ("echo done", "echo done", 0.0),
        ("echo 'open", "pytest 'open", 0.0),
    ],
)
def test_two_commands_are_as_alike_as_their_tools_targets_and_flags(one: str, other: str, expected: float) -> None:
    assert likeness(one, other) == expected
    assert likeness(other, one) == expected


def test_lines_are_split_into_the_commands_that_do_work() -> None:
    assert split(["cd build && ctest", "mkdir -p out; make all"]) == ["ctest", "make all"]


def test_a_script_of_package_json_counts_as_what_it_runs() -> None:
    runners = Runners(scripts={"test": "npm run unit && tsc", "unit": "mocha spec"})

    assert runners.ways("npm test") == ("npm test", "npm run unit", "mocha spec", "tsc")
    assert best(runners.ways("npm test"), ["nyc mocha spec"]) == 1.0


def test_a_script_that_calls_itself_ends() -> None:
    assert Runners(scripts={"a": "npm run a"}).ways("npm run a") == ("npm run a",)


def test_a_recipe_counts_as_what_it_runs() -> None:
    assert Runners(recipes={"check": ("go vet ./...",)}).ways("make check") == ("make check", "go vet ./...")


@pytest.mark.parametrize(
    ("version", "ecosystem", "said", "floor", "expected"),
    [
        ("3.13", "python", "3.9-3.14", "", 1.0),
        ("3.12", "python", "3.11, 3.14", ">=3.9", 0.5),
        ("3.12", "python", "3.11, 3.14", ">=3.13", 0.0),
        ("3.10", "python", "3.11-3.14", "", 0.0),
        ("3.13", "python", "3.6-3.8", ">=3.6", 1.0),
        ("24", "node", "lts/*", "", 1.0),
        ("24", "node", "22.x,24.x", "", 1.0),
        ("", "node", "22", "", 0.0),
        ("", "cpp", "g++-10", "", None),
        ("1.27", "go", "", "", None),
    ],
)
def test_a_version_is_right_inside_what_the_ci_runs(
    version: str, ecosystem: str, said: str, floor: str, expected: float | None
) -> None:
    assert version_score(version, ecosystem, said, floor) == expected
