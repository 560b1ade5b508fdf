"""Shapes that repositories brought which nobody had looked at while the survey was written."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Survey, Unit

Look = Callable[[Mapping[str, str]], Unit]

PACKAGE = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[project]\nname = "a"\n'
GO = {"go.mod": "module a\n", "a_test.go": ""}
NODE = '{"name": "a", "scripts": {"test": "mocha", "test:unit": "mocha unit"}}'
CMAKE = 'project(a C)\noption({option} "tests" OFF)\nenable_testing()\n'


def workflow(jobs: str, on: str = "push") -> str:
    return f"on: {on}\njobs:\n{jobs}"


def job(name: str, *lines: str, more: str = "") -> str:
    script = "".join(f"        {line}\n" for line in lines)
    return f"  {name}:\n    runs-on: ubuntu-latest\n{more}    steps:\n    - run: |\n{script}"


TOX = "[testenv]\ncommands = pytest\n"
DATABASES = "    services:\n      db:\n        image: {image}\n"


@pytest.mark.parametrize(
    ("files", "name", "values"),
    [
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                "tox.ini": "[tox]\nenvlist = lint, tests\n[testenv:tests]\ncommands = pytest\n",
            },
            "test",
            ("tox -e tests",),
            id="`py` of a tox that gives only its named environments commands would pass and test nothing",
        ),
        pytest.param(
            {"pyproject.toml": PACKAGE, "tox.ini": "[tox]\nenvlist = py313-{sqlite,mysql}\n" + TOX},
            "test",
            ("tox -e py313-sqlite",),
            id="of tox's factors those without a server come first",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                "tox.ini": f"[tox]\nenvlist = py313\n{TOX}[testenv:apicheck]\ncommands = sphinx-build docs out\n",
                ".github/workflows/ci.yml": workflow(job("api", "tox -e apicheck") + job("unit", "tox -e py313")),
            },
            "test",
            ("tox -e py313",),
            id="an environment of tox that builds the docs is no test",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                "tests/test_a.py": "",
                ".github/workflows/action.yml": workflow(job("a", "pytest tests/action")),
                ".github/workflows/ci.yml": workflow(job("min", "pytest --min") + job("test", "pytest tests")),
            },
            "test",
            ("pytest tests",),
            id="the plain tests are believed before variants of them",
        ),
        pytest.param(
            {
                "package.json": NODE,
                ".github/workflows/coverage.yml": workflow(job("a", "npm ci", "npx nyc report")),
                ".github/workflows/unit-tests.yml": workflow(job("a", "npm ci", "npm run test:unit")),
            },
            "test",
            ("npm run test:unit",),
            id="a report of coverage is no test",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                "noxfile.py": "@nox.session\ndef tests(s): ...\n",
                ".github/workflows/ci.yml": workflow(job("a", "nox -s tests", "nox -s conda_tests")),
            },
            "test",
            ("nox -s tests",),
            id="no image for Python brings conda",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                "uv.lock": "",
                ".github/workflows/ci.yml": workflow(
                    "  a:\n    runs-on: ubuntu-latest\n    strategy:\n      matrix:\n        include:\n"
                    "        - {py: 3.13.1, args: --slow}\n        - {py: 3.13.7}\n    steps:\n"
                    "    - run: uv run --python ${{ matrix.py }} pytest ${{ matrix.args }}\n"
                ),
            },
            "test",
            ("uv run pytest --slow",),
            id="uv is not asked to fetch the interpreter the image has",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                "scripts/check": "#!/bin/sh -e\nexport P=''\n${P}ruff check .\n${P}mypy a\n",
                "scripts/test": "pytest\n",
                ".github/workflows/ci.yml": workflow(job("a", "scripts/check", "scripts/test")),
            },
            "test",
            ("scripts/test",),
            id="a script that only lints is no test, whatever its name",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                "scripts/check": "#!/bin/sh -e\n${P}ruff check .\n",
                ".github/workflows/ci.yml": workflow(job("a", "scripts/check")),
            },
            "lint",
            ("scripts/check",),
            id="and is the lint it is",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                ".github/workflows/ci.yml": workflow(job("a", "ruff format .", "ruff check .")),
            },
            "lint",
            ("ruff check .",),
            id="a formatter that writes checks nothing",
        ),
        pytest.param(
            {"setup.py": "", "runtests.py": "", "lib/test_utils.py": ""},
            "test",
            ("python runtests.py",),
            id="a program that runs the tests knows better than file names",
        ),
        pytest.param(
            {
                "pyproject.toml": '[tool.uv.workspace]\nmembers = ["app"]\n',
                "uv.lock": "",
                "app/pyproject.toml": PACKAGE,
                "app/tests/test_a.py": "",
            },
            "install",
            ("pip install uv==0.13.9", "uv sync --locked --all-packages"),
            id="a workspace of uv whose top is no project installs its members by name only",
        ),
        pytest.param(
            {
                **GO,
                ".github/workflows/ci.yml": workflow(
                    job("a", "go run honnef.co/go/tools/cmd/staticcheck ./...", "go run mvdan.cc/gofumpt -l -w .")
                ),
            },
            "lint",
            ("go run honnef.co/go/tools/cmd/staticcheck ./...",),
            id="linters that Go compiles and starts are taken, formatters that write are not",
        ),
        pytest.param(
            {"CMakeLists.txt": CMAKE.format(option="DISABLE_TESTS"), "a.c": ""},
            "build",
            ("cmake -S . -B build", "cmake --build build --parallel 4"),
            id="an option that switches the tests off is not switched on",
        ),
        pytest.param(
            {"CMakeLists.txt": CMAKE.format(option="BUILD_TESTS"), "a.c": ""},
            "build",
            ("cmake -S . -B build -DBUILD_TESTS=ON", "cmake --build build --parallel 4"),
            id="one that switches them on is",
        ),
        pytest.param(
            {"Gemfile": "", "script/cibuild": "bundle exec jekyll build\n"},
            "test",
            ("script/cibuild",),
            id="a Ruby project's own script for CI",
        ),
        pytest.param(
            {
                "build.gradle": "plugins { id 'java' }\n",
                "gradlew": "",
                "src/test/java/ATest.java": "",
                ".github/workflows/ci.yml": workflow(job("a", "./gradlew build --scan")),
            },
            "test",
            ("./gradlew build --no-daemon",),
            id="a build scan would be published",
        ),
    ],
)
def test_what_a_repository_runs(unit_of: Look, files: Mapping[str, str], name: str, values: tuple[str, ...]) -> None:
    assert unit_of(files).all(name) == values


@pytest.mark.parametrize(
    ("files", "name", "values"),
    [
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                ".github/workflows/ci.yml": workflow(
                    job("mysql", "pytest", more=DATABASES.format(image="mysql:8.4")) + job("sqlite", "pytest")
                ),
            },
            "service",
            (),
            id="a command that another job runs without services needs none",
        ),
        pytest.param(
            {
                "Gemfile": "",
                ".github/workflows/ci.yml": workflow(
                    job(
                        "test",
                        "bundle exec rake test",
                        more="    strategy:\n      matrix:\n        db: [{image: redis, version: 7.2}]\n"
                        + DATABASES.format(image="${{ matrix.db.image }}:${{ matrix.db.version }}"),
                    )
                ),
            },
            "service",
            ("redis:7.2",),
            id="a matrix names the service",
        ),
        pytest.param(
            {
                "pyproject.toml": PACKAGE,
                ".github/workflows/ci.yml": workflow(job("a", "pytest", more=DATABASES.format(image="postgres:17"))),
                ".travis.yml": "language: python\naddons: {postgresql: '9.6'}\nscript: pytest\n",
            },
            "service",
            ("postgres:17",),
            id="a second system's services are left to it",
        ),
        pytest.param(
            {
                "package.json": NODE,
                ".github/workflows/ci.yml": workflow(
                    job(
                        "a", 'git config --global user.email "a@b.c" && git config --global user.name "A B"', "npm test"
                    )
                ),
            },
            "prepare",
            ('git config --global user.email "a@b.c"', 'git config --global user.name "A B"'),
            id="tests that commit are told who does",
        ),
        pytest.param(
            {
                "package.json": NODE,
                ".github/workflows/ci.yml": workflow(job("a", "npx playwright install --with-deps", "npm test")),
            },
            "prepare",
            ("npx playwright install --with-deps",),
            id="the browsers that tests need are fetched as other CI does",
        ),
    ],
)
def test_what_stands_beside_the_tests(
    unit_of: Look, files: Mapping[str, str], name: str, values: tuple[str, ...]
) -> None:
    assert unit_of(files).all(name) == values


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("npx prisma migrate deploy",), ("npx prisma migrate deploy",)),
        (("cp .env.ci .env", "A=b yarn knex migrate:latest"), ("cp .env.ci .env", "A=b yarn knex migrate:latest")),
        (("cp config/ci/* config/",), ("cp config/ci/* config/",)),
        (("cp ../.env .env", "cp .env.ci /etc/a", "npx prisma studio"), ()),
    ],
)  # fmt: skip
def test_what_other_ci_makes_ready_just_before_the_tests_is_made_ready(
    unit_of: Look, lines: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    files = {"package.json": NODE, ".env.ci": "", "config/ci/a.json": ""}
    steps = workflow(job("a", *lines, "npm test", "npx prisma db push"))
    assert unit_of({**files, ".github/workflows/ci.yml": steps}).all("prepare") == expected


def test_tables_are_made_where_the_tests_run_and_once(unit_of: Look) -> None:
    rails = {"Gemfile": "gem 'rails'\n", "bin/rails": "", "config.ru": "", "config/database.yml": "test:\n"}
    steps = job("a", "bin/rails db:create db:schema:load", "bin/rails test")
    assert unit_of({**rails, ".github/workflows/ci.yml": workflow(steps)}).all("prepare") == (
        "bin/rails db:create db:schema:load",
    )
    steps = job("a", "alembic upgrade head", "tox -e py")
    assert unit_of({"pyproject.toml": PACKAGE, ".github/workflows/ci.yml": workflow(steps)}).all("prepare") == ()


def test_what_makes_tables_with_rust_is_installed_on_the_path_and_only_where_it_is_called(unit_of: Look) -> None:
    files = {"Cargo.toml": "[package]\nname = 'a'\n", "src/main.rs": ""}
    steps = job("a", "cargo install sqlx-cli --locked", "sqlx db setup", "cargo test")
    assert unit_of({**files, ".github/workflows/ci.yml": workflow(steps)}).all("prepare") == (
        "cargo install --root /usr/local sqlx-cli --locked",
        "sqlx db setup",
    )
    steps = job("a", "cargo install sqlx-cli --locked", "SKIP_DOCKER=true ./scripts/init_db.sh", "cargo test")
    assert unit_of({**files, ".github/workflows/ci.yml": workflow(steps)}).all("prepare") == ()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (".sqlx/query-0029b925.json", ("yes",)),
        ("api/.sqlx/query-0029b925.json", ("yes",)),
        ("sqlx-data.json", ("yes",)),
        ("data/query-0029b925.json", ()),
    ],
)
def test_what_sqlx_keeps_of_the_database_is_seen(unit_of: Look, path: str, expected: tuple[str, ...]) -> None:
    assert unit_of({"Cargo.toml": "[package]\nname = 'a'\n", path: ""}).all("checked_queries") == expected


def test_git_comes_with_the_name_it_is_told(unit_of: Look) -> None:
    steps = job("a", "git config --global user.name tester", "npm test")
    unit = unit_of({"package.json": NODE, ".github/workflows/ci.yml": workflow(steps)})
    assert "git" in unit.all("system_package")


def test_steps_in_the_folder_of_the_checkout_are_at_the_top(unit_of: Look) -> None:
    steps = (
        "  a:\n    runs-on: ubuntu-latest\n    defaults: {run: {working-directory: role}}\n    steps:\n"
        "    - uses: actions/checkout@v4\n      with: {path: role}\n    - run: pytest tests\n"
    )
    unit = unit_of({"pyproject.toml": PACKAGE, ".github/workflows/ci.yml": workflow(steps)})
    assert unit.all("test") == ("pytest tests",)


def test_a_theme_of_hugo_is_no_go_project(look: Callable[[Mapping[str, str]], Survey]) -> None:
    assert look({"go.mod": "module a\n", "theme.toml": "", "layouts/index.html": ""}).units == ()


POETRY = "[tool.poetry]\nname = 'a'\n[tool.poetry.group.dev.dependencies]\npytest = '*'\nblack = '*'\n"
RECIPES = "lint:\n\tblack --check .\ntest:\n\tpytest\n"


@pytest.mark.parametrize(
    ("lock", "lines", "test", "lint"),
    [
        pytest.param(
            "poetry.lock", ("pytest", "black --check ."), "poetry run pytest", "poetry run black --check .", id="poetry"
        ),
        pytest.param("uv.lock", ("A=1 pytest -x", "make lint"), "A=1 uv run pytest -x", "uv run make lint", id="uv"),
        pytest.param("pdm.lock", ("make test", "ruff check"), "pdm run make test", "ruff check", id="pdm"),
        pytest.param(
            "poetry.lock",
            ("source .venv/bin/activate && pytest", "poetry run black --check ."),
            "poetry run pytest",
            "poetry run black --check .",
            id="an environment that a line makes active",
        ),
        pytest.param("poetry.lock", ("tox -e py", "black --check ."), "tox -e py", "black --check .", id="tox"),
        pytest.param("", ("pytest", "black --check ."), "pytest", "black --check .", id="pip"),
    ],
)
def test_what_a_manager_installs_is_called_where_it_lies(
    unit_of: Look, lock: str, lines: tuple[str, ...], test: str, lint: str
) -> None:
    manifest = POETRY if lock == "poetry.lock" else "[project]\nname = 'a'\n[dependency-groups]\ndev = ['pytest']\n"
    files = {"pyproject.toml": manifest, "Makefile": RECIPES, "tox.ini": TOX} | ({lock: ""} if lock else {})
    unit = unit_of({**files, ".github/workflows/ci.yml": workflow(job("a", *lines))})
    assert (unit.all("test"), unit.all("lint")) == ((test,), (lint,))


def test_a_recipe_that_calls_the_manager_itself_is_called_as_it_is(unit_of: Look) -> None:
    files = {"pyproject.toml": POETRY, "poetry.lock": "", "Makefile": "test:\n\tpoetry run pytest\n"}
    unit = unit_of({**files, ".github/workflows/ci.yml": workflow(job("a", "make test"))})
    assert unit.all("test") == ("make test",)


def test_tables_are_made_with_what_the_manager_installs(unit_of: Look) -> None:
    steps = job("a", "A=1 alembic upgrade head", "pytest")
    unit = unit_of({"pyproject.toml": POETRY, "poetry.lock": "", ".github/workflows/ci.yml": workflow(steps)})
    assert unit.all("prepare") == ("A=1 poetry run alembic upgrade head",)


def test_what_pipenv_installs_for_development_is_called_where_it_lies(unit_of: Look) -> None:
    files = {"Pipfile": "[dev-packages]\npytest = '*'\nblack = '*'\n", "Pipfile.lock": "", "test_a.py": ""}
    unit = unit_of({**files, ".github/workflows/ci.yml": workflow(job("a", "pytest", "black --check ."))})
    assert (unit.all("test"), unit.all("lint")) == (("pipenv run pytest",), ("pipenv run black --check .",))


@pytest.mark.parametrize("own", ["project(spdlog CXX)", "project(a)\nproject(Spdlog)"])
def test_a_library_needs_no_package_of_itself(unit_of: Look, own: str) -> None:
    tests = {"tests/CMakeLists.txt": "find_package(spdlog REQUIRED)\nfind_package(ZLIB REQUIRED)\n"}
    found = unit_of({"CMakeLists.txt": f"{own}\n", "a.cpp": "", **tests}).all("system_package")
    assert "zlib1g-dev" in found
    assert "libspdlog-dev" not in found


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("go vet ./...\n\tgo test -v ./...", "make test"),
        ("@golint ./...\n\t@go test -p 1 ./...", "go test -p 1 ./..."),
        ("A=1 gotestsum -- -race ./...", "go test ./..."),
        ("go install golang.org/x/lint/golint@latest\n\tgolint ./...\n\tgo test ./...", "make test"),
        ("golint ./...\n\tgo test $(FLAGS) ./...", "go test ./..."),
    ],
)
@pytest.mark.parametrize("line", ["make test", "docker-compose run --rm app make test"])
def test_make_tests_unless_its_recipe_calls_what_nothing_installs(
    unit_of: Look, recipe: str, expected: str, line: str
) -> None:
    files = {**GO, "Makefile": f"test:\n\t{recipe}\n", ".github/workflows/ci.yml": workflow(job("a", line))}
    assert unit_of(files).all("test") == (expected,)
