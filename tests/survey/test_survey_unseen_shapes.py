"""Shapes that were met in repositories nobody had looked at before, each by the rule it taught."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Survey, Unit
from bot.survey import commands

Look = Callable[[Mapping[str, str]], Unit]

HEAD = "on: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps:\n"
WORKFLOW = ".github/workflows/ci.yml"


def _ci(*lines: str) -> dict[str, str]:
    return {WORKFLOW: HEAD + "".join(f"    - run: {line}\n" for line in lines)}


CARGO = {"Cargo.toml": '[package]\nname = "a"\n[workspace]\nmembers = ["b"]\n', "src/lib.rs": ""}
NOX_WITH_PDM = """import nox

@nox.session(python=("3.13", "3.14"))
def test(session):
    session.run("pdm", "install", external=True)
    session.run("pytest")
"""
NOX_ALONE = NOX_WITH_PDM.replace('session.run("pdm", "install", external=True)', 'session.install("pdm", "pytest")')
PDM = {
    "pyproject.toml": '[project]\nname = "a"\nrequires-python = ">=3.13"\n'
    '[tool.pdm.dev-dependencies]\ntest = ["pytest"]\n'
}
TOX = {"pyproject.toml": '[project]\nname = "a"\nrequires-python = ">=3.13"\n'}
HATCH = {"pyproject.toml": '[project]\nname = "a"\n[tool.hatch.envs.test.scripts]\ncov = "pytest --cov"\n'}
DART = {"pubspec.yaml": "name: a\nenvironment:\n  sdk: ^3.4.0\n", "test/a_test.dart": ""}
BATS = {"test/a.bats": "", "a.sh": "#!/bin/bash\n", "b.sh": "#!/bin/bash\n"}
SCRIPTS = '{"scripts": {"prepare-tests": "rollup -c", "test": "npm run prepare-tests && qunit test"}}'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            CARGO | _ci("cargo test --workspace --exclude b", "cargo test --no-default-features"),
            ("cargo test --workspace --exclude b", "cargo test --no-default-features"),
        ),
        (CARGO | _ci("cargo test -p b"), ("cargo test --workspace",)),
        (CARGO | _ci("cargo test -- --skip a::slow"), ("cargo test -- --skip a::slow",)),
        (CARGO | _ci("cargo test -- a::slow"), ("cargo test --workspace",)),
        (HATCH | _ci("hatch run test:python -m pip install redis", "hatch run test:cov"), ("hatch run test:cov",)),
        (HATCH | _ci("hatch run test:python -m pytest"), ("hatch run test:python -m pytest",)),
        ({"package.json": SCRIPTS} | _ci("npm run prepare-tests", "npm run deploy"), ("npm test",)),
        (DART | _ci("dart test --platform vm,chrome"), ("dart test --platform vm",)),
        (DART | _ci("dart test -p chrome"), ("dart test",)),
        (DART | _ci("dart test --platform vm"), ("dart test --platform vm",)),
        (BATS | _ci("bats/bin/bats --tap test"), ("bats --recursive test",)),
        (BATS | _ci("bats/bin/bats test") | {"bats/bin/bats": "#!/bin/bash\n"}, ("bats/bin/bats test",)),
        (
            BATS | _ci("bats/bin/bats test") | {".gitmodules": '[submodule "bats"]\n\tpath = bats\n'},
            ("bats/bin/bats test",),
        ),
        (
            TOX | {"tox.ini": "[tox]\nenvlist = py313-{crypto,nocrypto}, py313{,-crypto}-mypy\n"},
            ("tox -e py313-crypto",),
        ),
        (TOX | {"tox.ini": "[tox]\nenvlist = py313-mypy\n"}, ("tox -e py313-mypy",)),
    ],
)
def test_the_tests_are_run_by_what_really_tests_here(
    unit_of: Look, files: Mapping[str, str], expected: tuple[str, ...]
) -> None:
    assert unit_of(files).all("test") == expected


@pytest.mark.parametrize(
    ("noxfile", "is_called"),
    [(NOX_WITH_PDM, True), (NOX_ALONE, False)],
)
def test_a_manager_that_nox_calls_outside_of_its_environments_is_installed(
    unit_of: Look, noxfile: str, is_called: bool
) -> None:
    unit = unit_of(PDM | {"noxfile.py": noxfile} | _ci("nox -s test-3.14"))

    assert unit.all("test") == ("nox -s test-3.14",)
    assert any("pip install pdm==" in line and "hishel" in line for line in unit.all("install")) == is_called


def test_a_manager_that_tox_is_allowed_to_call_is_installed(unit_of: Look) -> None:
    text = "[tox]\nenvlist = py313\n[testenv]\nallowlist_externals =\n    make\n    poetry\ncommands = poetry install\n"

    assert any(line.startswith("pip install poetry==") for line in unit_of(TOX | {"tox.ini": text}).all("install"))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("prepare-tests", "other"), ("setup_test", "other"), ("install-test-deps", "other"),
        ("download-test-data", "other"), ("test", "test"), ("unit-tests", "test"), ("test-setup", "test"),
        ("check.pyright", "lint"), ("check.pytest", "test"),
    ],
)  # fmt: skip
def test_what_only_gets_ready_for_tests_is_none(name: str, kind: str) -> None:
    assert commands.name_kind(name) == kind


@pytest.mark.parametrize(
    ("dockerfile", "lacking"),
    [
        ("FROM scratch\nCOPY app /bin/app\n", "app"),
        ("FROM scratch\nCOPY --chown=1:1 ./app \\\n  /bin/app\n", "app"),
        ('FROM scratch\nCOPY ["app", "/bin/app"]\n', "app"),
        ("FROM golang AS a\nFROM scratch\nCOPY --from=a /app /bin/app\n", ""),
        ("FROM golang\nCOPY go.mod cmd ./\nCOPY . .\nADD https://example.org/a.tar /a\n", ""),
        ("FROM golang\nCOPY *.go $EXTRA ./\nCOPY <<EOF /etc/a\nb\nEOF\n", ""),
    ],
)
def test_an_image_that_copies_what_is_not_there_is_told(unit_of: Look, dockerfile: str, lacking: str) -> None:
    unit = unit_of({"go.mod": "module a\ngo 1.26\n", "cmd/a/main.go": "package main\n", "Dockerfile": dockerfile})

    assert (unit.first("image_lacks") or "") == lacking
    assert unit.first("dockerfile") == "Dockerfile"


def test_an_image_may_copy_what_an_earlier_job_makes(unit_of: Look) -> None:
    package = '{"scripts": {"build": "tsc --outDir dist"}}'
    unit = unit_of({"package.json": package, "Dockerfile": "FROM node:24\nCOPY dist ./dist\n"})

    assert unit.all("artifact") == ("dist/",)
    assert unit.first("image_lacks") is None


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("docker.io/bitnami/redis", "redis:8"), ("bitnami/rabbitmq:4.1", "rabbitmq:4.1"), ("mongo", "mongo:8"),
        ("postgis/postgis:17-3.5", "postgis/postgis:17-3.5"),
    ],
)  # fmt: skip
def test_the_services_of_a_compose_file_can_be_pulled(unit_of: Look, image: str, expected: str) -> None:
    compose = f"services:\n  it:\n    image: {image}\n"
    package = (
        '{"scripts": {"test": "mocha"}, "dependencies": {"ioredis": "5", "amqplib": "1", "mongodb": "6", "pg": "8"}}'
    )
    unit = unit_of({"package.json": package, "docker-compose.yml": compose})

    assert unit.all("service") == (expected,)


@pytest.mark.parametrize(
    ("classifier", "version"),
    [('classifiers = ["Programming Language :: Python :: 3.14"]\n', "3.14"), ("", "3.9")],
)
def test_a_stale_dockerfile_gives_way_to_what_the_project_names(unit_of: Look, classifier: str, version: str) -> None:
    project = f'[project]\nname = "a"\n{classifier}'
    unit = unit_of({"pyproject.toml": project, "a.py": "", "b.py": "", "Dockerfile": "FROM python:3.9\n"})

    assert unit.first("version") == version


@pytest.mark.parametrize(
    ("more", "advisory"),
    [
        ({}, "yes"), ({"rustfmt.toml": "edition = '2021'\n"}, None), ({"clippy.toml": "msrv = '1.80'\n"}, None),
        (_ci("cargo fmt --check"), None), (_ci("cargo test"), None),
    ],
)  # fmt: skip
def test_checks_that_nobody_keeps_to_yet_only_advise(
    unit_of: Look, more: Mapping[str, str], advisory: str | None
) -> None:
    assert unit_of(CARGO | more).first("lint_advisory") == advisory


def test_the_browsers_that_other_ci_fetches_are_fetched_here_too(unit_of: Look) -> None:
    package = '{"scripts": {"test": "ava"}}'
    unit = unit_of({"package.json": package} | _ci("npm install", "npx playwright install --with-deps", "npm test"))

    assert unit.all("prepare") == ("npx playwright install --with-deps",)
    assert unit.all("test") == ("npm test",)


def test_a_folder_with_requirements_of_its_own_is_the_project(look: Callable[[Mapping[str, str]], Survey]) -> None:
    files = {
        "src/requirements.txt": "pytest\n",
        "src/tests/test_a.py": "",
        "src/app/a.py": "",
        "docker-compose.yml": "",
    }

    assert [unit.root for unit in look(files).units] == ["src"]


def test_maven_is_told_once_to_be_quiet(unit_of: Look) -> None:
    pom = {"pom.xml": "<project><artifactId>a</artifactId></project>", "src/test/java/ATest.java": ""}

    assert unit_of(pom | _ci("mvn --no-transfer-progress verify")).all("test") == ("mvn --no-transfer-progress verify",)


def test_a_folder_that_only_measures_is_no_project_of_its_own(look: Callable[[Mapping[str, str]], Survey]) -> None:
    files = {"package.json": SCRIPTS, "perf-testing/package.json": '{"scripts": {"build": "tsc"}}'}

    assert [unit.root for unit in look(files).units] == [""]


ROWS = """on: push
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        python: ['3.12', '3.13']
        php: ['8.4', '8.5']
        stability: [lowest, stable]
    steps:
    - uses: actions/setup-python@v5
      with: {python-version: "${{ matrix.python }}"}
    - uses: shivammathur/setup-php@v2
      with: {php-version: "${{ matrix.php }}"}
"""


@pytest.mark.parametrize(
    ("files", "steps", "expected"),
    [
        (HATCH, "    - run: hatch run lint:all\n      if: matrix.python == '3.12'\n", ("hatch run lint:all",)),
        (HATCH, "    - run: hatch run lint:all\n      if: matrix.python == '3.9'\n", ()),
        (
            {"composer.json": '{"require": {"php": "^8.4"}}'},
            "    - run: composer phpstan\n      if: matrix.php == '8.5' && matrix.stability == 'stable'\n"
            "    - run: composer phpcs:fix\n",
            ("composer phpstan",),
        ),
        (
            {"composer.json": '{"require": {"php": "^8.4"}}'},
            "    - run: ./bin/console lint:yaml config --parse-tags\n    - run: ./bin/console cache:clear\n",
            ("./bin/console lint:yaml config --parse-tags",),
        ),
    ],
)
def test_linters_that_one_row_of_a_matrix_runs_are_run(
    unit_of: Look, files: Mapping[str, str], steps: str, expected: tuple[str, ...]
) -> None:
    assert unit_of({**files, WORKFLOW: ROWS + steps}).all("lint") == expected


def test_rust_is_formatted_by_the_toolchain_of_other_ci_and_checked_by_the_action_that_is_gone(unit_of: Look) -> None:
    steps = (
        "    - uses: actions-rs/cargo@v1\n      with: {command: clippy, args: --all-targets -- -D warnings}\n"
        "    - run: cargo +nightly fmt --all -- --check --verbose\n"
    )
    unit = unit_of(CARGO | {"rustfmt.toml": "", WORKFLOW: HEAD + steps})

    assert unit.all("lint") == (
        "cargo +nightly fmt --all -- --check --verbose",
        "cargo clippy --all-targets -- -D warnings",
    )
    assert unit.all("lint_install")[1].startswith("rustup toolchain install nightly ")


@pytest.mark.parametrize(
    ("listed", "found"),
    [
        ('"a.vcxproj"', ["cpp"]),
        ('"a.vcproj"', ["cpp"]),
        ('"a.vcxproj" "b.csproj"', ["dotnet"]),
        ("", ["dotnet"]),
    ],
)
def test_a_solution_of_c_alone_is_no_dotnet(
    look: Callable[[Mapping[str, str]], Survey], listed: str, found: list[str]
) -> None:
    files = {"CMakeLists.txt": "project(a)\n", "a.c": "", "a.sln": f"Project = {listed}\n"}

    assert [unit.ecosystem for unit in look(files).units] == found
