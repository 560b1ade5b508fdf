"""Commands and versions of a proposal are judged as a person would judge them."""

from pathlib import Path

import pytest

from bench.commands import best, likeness, split
from bench.expand import Runners, read_runners
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
        ("pipenv install --dev", "pipenv sync --dev", 1.0),
        ("py.test --junit-xml out/r.xml a.py", "pytest a.py", 1.0),
        ("python -m py_compile src/*.py", "python -m py_compile src/a.py src/b.py", 1.0),
        ("python -m py_compile src/*.py", "python -m py_compile src/a.py lib/b.py", 0.5),
        ("dotnet test", "dotnet test --configuration Release", 0.8),
        ("test -z \"$(gofmt -l $(git ls-files '*.go'))\"", "gofmt -l .", 1.0),
        ("shellcheck", "git ls-files -z '*.sh' | xargs -0 shellcheck --severity=error", 1.0),
        ("gem build", "gem build a.gemspec", 1.0),
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
    assert split(["(cd examples && ./run.sh)"]) == ["./run.sh"]


def test_a_script_of_package_json_counts_as_what_it_runs() -> None:
    runners = Runners(scripts={"test": "npm run unit && tsc", "unit": "mocha spec"})

    assert runners.ways("npm test") == ("npm test", "npm run unit", "mocha spec", "tsc")
    assert best(runners.ways("npm test"), ["nyc mocha spec"]) == 1.0


def test_a_script_that_calls_itself_ends() -> None:
    assert Runners(scripts={"a": "npm run a"}).ways("npm run a") == ("npm run a",)


def test_a_recipe_counts_as_what_it_runs() -> None:
    assert Runners(recipes={"check": ("go vet ./...",)}).ways("make check") == ("make check", "go vet ./...")


TOX = "[testenv]\ncommands =\n    coverage erase\n    pytest {posargs:tests}\n[testenv:lint]\ncommands = ruff check .\n"
TOX_TOML = """[tool.tox.env_run_base]
commands = [["pytest", "-v", {replace = "posargs", default = []}]]
[tool.tox.env.typing]
commands = [["mypy"]]
"""


@pytest.mark.parametrize(
    ("name", "text", "command", "expected"),
    [
        ("tox.ini", TOX, "tox", ("tox", "coverage erase", "pytest")),
        ("tox.ini", TOX, "uv run tox run -e py313", ("uv run tox run -e py313", "coverage erase", "pytest")),
        ("tox.ini", TOX, "tox -e lint", ("tox -e lint", "ruff check .")),
        ("tox.ini", "not an ini", "tox", ("tox",)),
        ("pyproject.toml", TOX_TOML, "tox -e py,typing", ("tox -e py,typing", "pytest -v", "mypy")),
        ("pyproject.toml", "[", "tox", ("tox",)),
        ("composer.json", '{"scripts": {"t": ["@u", "@php x"], "u": "phpunit"}}', "composer t",
         ("composer t", "composer u", "phpunit", "php x")),
        ("deno.json", '{"tasks": {"t": "deno test -A"}}', "deno task t", ("deno task t", "deno test -A")),
        ("x", "", "./gradlew build", ("./gradlew build", "./gradlew assemble", "./gradlew check")),
        ("x", "", "docker compose build", ("docker compose build", "docker build .")),
    ],
)  # fmt: skip
def test_a_runner_counts_as_what_it_runs(
    tmp_path: Path, name: str, text: str, command: str, expected: tuple[str, ...]
) -> None:
    (tmp_path / name).write_text(text)

    assert read_runners(tmp_path).ways(command) == expected


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
