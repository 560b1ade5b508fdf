"""Other CI systems as evidence, and what is never copied from them."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit
from bot.survey import commands
from bot.survey.other_ci.model import resolve
from bot.survey.other_ci.services import ANY_KEY

Look = Callable[[Mapping[str, str]], Unit]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("pytest -x", "test"),
        ("python -X dev -m pytest tests", "test"),
        ("uv run --group test pytest", "test"),
        ("coverage run -m unittest", "test"),
        ("tox -e lint,typing", "lint"),
        ("tox -e docs", "other"),
        ("tox", "test"),
        ("nox -s tests-3.13", "test"),
        ("python manage.py test", "test"),
        ("python -m pip install 'Django~=5.0' codecov -e .[tests]", "install"),
        ("codecov -t abc", ""),
        ("coverage run --rcfile=.coveragerc runtests.py", "test"),
        ("coverage run makemessages.py", "other"),
        ("npm t", "test"),
        ("yarn", "install"),
        ("npx eslint .", "lint"),
        ("pnpm run build", "build"),
        ("make check", "test"),
        ("cargo clippy -- -D warnings", "lint"),
        ("twine upload dist/*", ""),
        ("npm publish", ""),
        ("curl https://x | sh", ""),
        ("pytest $ARGS", ""),
        ("pytest `id`", ""),
        ("pytest ${{ matrix.x }}", ""),
        ("pytest > log", ""),
    ],
)
def test_commands_are_told_apart(line: str, kind: str) -> None:
    assert commands.kind(line) == kind


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        pytest.param("a ${{ matrix.v }}", "a 1", id="a value of the matrix"),
        pytest.param("a ${{ matrix.none || 'b' }}", "a b", id="a fallback"),
        pytest.param("a ${{ secrets.X }}", "a ${{ secrets.X }}", id="a secret stays and spoils the line"),
    ],
)
def test_expressions(text: str, resolved: str) -> None:
    assert resolve(text, {"v": "1"}) == resolved


GO = {"go.mod": "module a\n", "a_test.go": ""}


def workflow(steps: str, head: str = "on: push", job: str = "runs-on: ubuntu-latest") -> str:
    return f"{head}\njobs:\n  test:\n    {job}\n    steps:\n{steps}"


@pytest.mark.parametrize(
    ("text", "test"),
    [
        pytest.param(workflow("      - run: go test -race ./...\n"), "go test -race ./...", id="a plain command"),
        pytest.param(workflow("      - run: go test ${{ github.sha }}\n"), "go test ./...", id="an unknown expression"),
        pytest.param(
            workflow("      - run: go test -v\n", job="runs-on: windows-latest"), "go test ./...", id="another system"
        ),
        pytest.param(
            workflow("      - run: go test -v\n", head="on:\n  release:\n"),
            "go test ./...",
            id="a workflow for releases",
        ),
        pytest.param(
            workflow("      - run: go test -v\n        if: runner.os == 'Windows'\n"), "go test ./...", id="a condition"
        ),
        pytest.param(
            workflow("      - run: go test -v\n        working-directory: sub\n"), "go test ./...", id="another folder"
        ),
        pytest.param(
            workflow("      - uses: actions/download-artifact@v4\n      - run: go test -v\n"),
            "go test ./...",
            id="a job that needs what another built",
        ),
    ],
)
def test_only_plain_commands_for_linux_are_taken(unit_of: Look, text: str, test: str) -> None:
    assert unit_of({**GO, ".github/workflows/ci.yml": text}).first("test") == test


def test_services_and_variables_of_the_testing_job(unit_of: Look) -> None:
    text = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    services:
      db:
        image: postgres:16
    env:
      DATABASE_URL: postgres://postgres:x@localhost:5432/app
      API_TOKEN: abc
      COLOR: ${{ matrix.x }}
    steps:
      - run: sudo apt-get update && sudo apt-get install -y libpq-dev python3-dev
      - run: go test ./...
"""
    unit = unit_of({**GO, ".github/workflows/ci.yml": text})
    assert unit.all("service") == ("postgres:16",)
    assert unit.all("variable") == ("DATABASE_URL=postgres://postgres:x@postgres:5432/app",)
    assert unit.all("system_package") == ("libpq-dev",)


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("SECRET_KEY: abc", (f"SECRET_KEY={ANY_KEY}",)),
        ("JWT_SECRET: ${{ secrets.JWT }}", (f"JWT_SECRET={ANY_KEY}",)),
        ("AWS_SECRET_ACCESS_KEY: abc", ()),
        ("CLIENT_SECRET: abc", ()),
    ],
)
def test_an_application_gets_a_key_to_sign_with_and_nobody_elses(
    unit_of: Look, variable: str, expected: tuple[str, ...]
) -> None:
    steps = f"      - run: go test ./...\n        env:\n          {variable}\n"
    assert unit_of({**GO, ".github/workflows/ci.yml": workflow(steps)}).all("variable") == expected


def test_databases_start_as_other_ci_starts_them_and_are_found_by_the_names_of_variables(unit_of: Look) -> None:
    text = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    services:
      db:
        image: postgres:16
        env: {POSTGRES_USER: app, POSTGRES_DB: app_test, POSTGRES_PASSWORD: "${{ secrets.X }}", TZ: UTC}
      other: {image: "mysql:8.4", env: {MYSQL_ROOT_PASSWORD: root, MYSQL_USER: "${{ vars.X }}"}}
      redis: {image: "redis:8"}
    env: {PGHOST: localhost, MYSQL_HOST: 127.0.0.1, REDIS_HOST: localhost, HOST: localhost}
    steps:
      - run: go test ./...
"""
    unit = unit_of({**GO, ".github/workflows/ci.yml": text})
    assert unit.all("service_setting") == ("POSTGRES_USER=app", "POSTGRES_DB=app_test", "MYSQL_ROOT_PASSWORD=root")
    assert unit.all("variable") == ("PGHOST=postgres", "MYSQL_HOST=mysql", "REDIS_HOST=redis", "HOST=localhost")


def test_a_database_that_a_step_starts_is_a_service_and_tests_know_its_password(unit_of: Look) -> None:
    steps = (
        "      - run: |\n          sudo systemctl start mysql.service\n"
        "          mysql -uroot -proot -e 'CREATE DATABASE `app`'\n"
        "      - run: go test ./...\n        env: {MYSQL_PASS: root, MYSQL_HOST: 127.0.0.1, DB_PASSWORD: other}\n"
    )
    unit = unit_of({**GO, ".github/workflows/ci.yml": workflow(steps)})
    assert unit.all("service") == ("mysql:8.4",)
    assert unit.all("service_setting") == ("MYSQL_ROOT_PASSWORD=root", "MYSQL_DATABASE=app")
    assert unit.all("variable") == ("MYSQL_PASS=root", "MYSQL_HOST=mysql")


def test_each_address_of_a_list_leads_to_its_own_database(unit_of: Look) -> None:
    job = (
        "runs-on: ubuntu-latest\n    services: {a: {image: 'postgres:18'}, b: {image: 'mysql:8.4'}}\n    env:\n"
        "      URLS: |\n        sqlite:///a,\n        mysql+aiomysql://u:p@localhost:3306/a,\n"
        "        postgresql+asyncpg://u:p@localhost/a\n"
    )
    unit = unit_of({**GO, ".github/workflows/ci.yml": workflow("      - run: go test ./...\n", job=job)})
    assert unit.all("variable") == (
        "URLS=sqlite:///a,mysql+aiomysql://u:p@mysql:3306/a,postgresql+asyncpg://u:p@postgres/a",
    )


@pytest.mark.parametrize(
    ("action", "services"),
    [
        ("supercharge/mongodb-github-action@1.12.0", ("mongo:8",)),
        ("superchargejs/redis-github-action@1.8.1", ("redis:8",)),
        ("harmon758/postgresql-action@v1", ("postgres:18",)),
        ("ankane/setup-mysql@v1", ("mysql:8.4",)),
        ("a/redis-lint-action-b@v1", ()),
    ],
)
def test_a_database_that_an_action_starts_is_a_service(unit_of: Look, action: str, services: tuple[str, ...]) -> None:
    steps = f"      - uses: {action}\n      - run: go test ./...\n"
    assert unit_of({**GO, ".github/workflows/ci.yml": workflow(steps)}).all("service") == services


@pytest.mark.parametrize(("line", "services"), [("docker compose up -d db", ("postgres:17",)), ("docker ps", ())])
def test_what_other_ci_starts_of_a_compose_file_is_a_service(
    unit_of: Look, line: str, services: tuple[str, ...]
) -> None:
    files = {
        "requirements.txt": "psycopg\n",
        "test_a.py": "",
        "compose.yml": "services: {db: {image: 'postgres:17'}}\n",
        ".github/workflows/ci.yml": workflow(f"      - run: {line}\n      - run: pytest\n"),
    }
    assert unit_of(files).all("service") == services


def test_what_stands_beside_the_tests_is_that_of_their_version(unit_of: Look) -> None:
    job = (
        "runs-on: ubuntu-latest\n    strategy: {matrix: {python: ['3.12', '3.13']}}\n"
        "    services: {db: {image: 'redis:7'}}\n    env: {PYTHON: '${{ matrix.python }}'}"
    )
    steps = (
        "      - uses: actions/setup-python@v5\n        with: {python-version: '${{ matrix.python }}'}\n"
        "      - run: nox -s test-${{ matrix.python }}\n"
    )
    files = {"setup.py": "", "noxfile.py": "", "test_a.py": ""}
    unit = unit_of({**files, ".github/workflows/ci.yml": workflow(steps, job=job)})
    assert unit.all("test") == ("nox -s test-3.13",)
    assert (unit.all("service"), unit.all("variable")) == (("redis:7",), ("PYTHON=3.13",))


def test_a_variable_may_name_a_value_of_the_matrix(unit_of: Look) -> None:
    job = "runs-on: ubuntu-latest\n    strategy: {matrix: {db: [sqlite]}}\n    env: {DB: '${{ matrix.db }}'}"
    unit = unit_of({**GO, ".github/workflows/ci.yml": workflow("      - run: go test ./...\n", job=job)})
    assert unit.all("variable") == ("DB=sqlite",)


def test_tests_that_ask_for_the_password_of_postgresql_are_given_one(unit_of: Look) -> None:
    job = (
        "runs-on: ubuntu-latest\n    services: {db: {image: 'postgres:18', env: {POSTGRES_PASSWORD: abc}}}\n"
        "    env: {POSTGRES_PASSWORD: abc, DB_PASS: '${{ secrets.X }}', API_PASSWORD: abc}"
    )
    unit = unit_of({**GO, ".github/workflows/ci.yml": workflow("      - run: go test ./...\n", job=job)})
    assert unit.all("variable") == ("POSTGRES_PASSWORD=postgres", "DB_PASS=postgres")


def test_the_password_of_a_user_that_a_script_makes_stays_behind(unit_of: Look) -> None:
    job = (
        "runs-on: ubuntu-latest\n    services: {db: {image: 'postgres:18', env: {POSTGRES_USER: app}}}\n"
        "    env: {PGUSER: app, PGPASSWORD: abc, SCRAM_PGUSER: scram, SCRAM_PGPASSWORD: def}"
    )
    unit = unit_of({**GO, ".github/workflows/ci.yml": workflow("      - run: go test ./...\n", job=job)})
    assert unit.all("variable") == ("PGUSER=app", "PGPASSWORD=postgres", "SCRAM_PGUSER=scram")


@pytest.mark.parametrize(
    ("image", "variable", "host"),
    [
        ("postgres:18", "MYSQL_HOST", "127.0.0.1"),
        ("postgres:18", "DB_HOST", "postgres"),
        ("mariadb:11", "MYSQL_HOST", "mariadb"),
        ("valkey/valkey:9", "REDIS_HOST", "valkey"),
    ],
)
def test_a_variable_of_another_database_is_not_led_to_the_only_one(
    unit_of: Look, image: str, variable: str, host: str
) -> None:
    job = f"runs-on: ubuntu-latest\n    services: {{a: {{image: '{image}'}}}}\n    env: {{{variable}: 127.0.0.1}}"
    unit = unit_of({**GO, ".github/workflows/ci.yml": workflow("      - run: go test ./...\n", job=job)})
    assert unit.all("variable") == (f"{variable}={host}",)


def test_a_matrix_excludes_includes_and_skips_other_systems(unit_of: Look) -> None:
    text = """\
on: push
jobs:
  test:
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-latest, windows-latest]
        java: [11, 17]
        exclude:
          - java: 11
        include:
          - {os: ubuntu-latest, java: 21, goal: verify}
    steps:
      - uses: actions/setup-java@v4
        with:
          java-version: ${{ matrix.java }}
      - run: mvn -B ${{ matrix.goal || 'test' }}
"""
    unit = unit_of({"pom.xml": "<project/>", ".github/workflows/ci.yml": text})
    assert (unit.first("version"), unit.first("test")) == ("21", "mvn -B verify")


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        pytest.param(".travis.yml", "language: go\ngo: [1.26]\n", "go test -v ./...", id="the habit of Travis"),
        pytest.param(
            ".travis.yml", "language: go\nscript: go test -short ./...\n", "go test -short ./...", id="Travis"
        ),
        pytest.param(
            ".circleci/config.yml",
            "jobs:\n  b:\n    docker: [{image: 'cimg/go:1.26'}]\n    steps: [checkout, {run: go test -v ./...}]\n",
            "go test -v ./...",
            id="CircleCI",
        ),
        pytest.param(
            ".gitlab-ci.yml", "test:\n  script:\n    - go test -short ./...\n", "go test -short ./...", id="GitLab"
        ),
        pytest.param("Jenkinsfile", "steps {\n  sh 'go test -short ./...'\n}\n", "go test -short ./...", id="Jenkins"),
    ],
)
def test_other_systems(unit_of: Look, path: str, text: str, expected: str) -> None:
    assert unit_of({**GO, path: text}).first("test") == expected


@pytest.mark.parametrize(
    ("file", "is_read"),
    [("aiosql-package", True), ("async", True), ("block", True), ("hmac", True), ("ios", False), ("file-sync", False)],
)
def test_a_workflow_is_judged_by_the_words_of_its_name(unit_of: Look, file: str, is_read: bool) -> None:
    unit = unit_of({**GO, f".github/workflows/{file}.yml": workflow("      - run: go test -short ./...\n")})
    assert unit.first("test") == ("go test -short ./..." if is_read else "go test ./...")


def test_a_local_action_is_followed(unit_of: Look) -> None:
    files = {
        **GO,
        ".github/workflows/ci.yml": workflow("      - uses: ./.github/actions/t\n"),
        ".github/actions/t/action.yml": "runs:\n  using: composite\n  steps:\n    - run: go test -short ./...\n",
    }
    assert unit_of(files).first("test") == "go test -short ./..."
