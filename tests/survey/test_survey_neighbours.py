"""Services a developer starts by hand, and what the tests are told about them."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Unit

Look = Callable[[Mapping[str, str]], Unit]

DJANGO = {"requirements.txt": "django\npsycopg2-binary\nredis\n", "test_a.py": ""}
NODE = {"package.json": '{"scripts": {"test": "jest"}, "dependencies": {"mongoose": "8"}}'}
COMPOSE = """\
services:
  db:
    image: postgres:16-alpine
    environment: {POSTGRES_USER: app}
  cache:
    image: redis:7
  mail:
    image: mailhog/mailhog
  web:
    build: .
    environment:
    - DATABASE_URL=postgres://app:app@db:5432/app
    - CACHE=redis://cache:6379/0
    - SECRET=${SECRET}
"""
CI = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n    - run: pytest\n"


@pytest.mark.parametrize(
    ("files", "services", "variables"),
    [
        pytest.param(
            {**DJANGO, "docker-compose.yml": COMPOSE},
            ("postgres:16-alpine", "redis:7"),
            ("DATABASE_URL=postgres://app:app@postgres:5432/app", "CACHE=redis://redis:6379/0"),
            id="a compose file, with addresses that fit the job",
        ),
        pytest.param(
            {**DJANGO, "docker-compose.override.yml": "services:\n  web: {ports: []}\n", "docker-compose.yml": COMPOSE},
            ("postgres:16-alpine", "redis:7"),
            ("DATABASE_URL=postgres://app:app@postgres:5432/app", "CACHE=redis://redis:6379/0"),
            id="a file that only overrides another",
        ),
        pytest.param(
            {
                "pom.xml": "<project>mysql postgresql</project>",
                "src/test/java/ATest.java": "",
                "compose.yaml": "services:\n  a: {image: 'mysql:9.6'}\n  b: {image: 'postgres:18'}\n",
            },
            (),
            (),
            id="two databases to choose from",
        ),
        pytest.param(
            {
                "pom.xml": "<project>com.h2database postgresql</project>",
                "src/test/java/ATest.java": "",
                "compose.yaml": "services:\n  b: {image: 'postgres:18'}\n",
            },
            (),
            (),
            id="tests that bring their own database",
        ),
        pytest.param({**NODE, "docker-compose.yml": COMPOSE}, (), (), id="a database the code never speaks to"),
        pytest.param(
            {**NODE, ".env.example": "# Mongo\nMONGO_URL=mongodb://localhost:27017/app\nKEY=x\n"},
            ("mongo:8",),
            ("MONGO_URL=mongodb://mongo:27017/app",),
            id="a sample of .env",
        ),
        pytest.param(
            {**NODE, ".env.example": "MONGO_URL=mongodb://<user>:<password>@host/app\n"},
            (),
            (),
            id="a sample to fill in",
        ),
        pytest.param(
            {**NODE, ".env.example": "MONGO_URL=mongodb://app:{password}@localhost/app\n"},
            ("mongo:8",),
            ("MONGO_URL=mongodb://app@mongo/app",),
            id="a sample with a password to fill in",
        ),
        pytest.param(
            {**DJANGO, "site/settings.py": "ENGINE = 'django.db.backends.postgresql'\n"},
            ("postgres:18",),
            (),
            id="the settings of Django",
        ),
        pytest.param(
            {**DJANGO, "site/settings.py": "ENGINE = 'django.db.backends.postgresql' if a else 'sqlite3'\n"},
            (),
            (),
            id="settings that fall back on a file",
        ),
        pytest.param(
            {**DJANGO, "docker-compose.yml": COMPOSE, ".github/workflows/ci.yml": CI},
            (),
            (),
            id="other CI tests without them",
        ),
        pytest.param(
            {"requirements.txt": "psycopg2\n", "docker-compose.yml": COMPOSE}, (), (), id="nothing is tested here"
        ),
        pytest.param(
            {
                "api/requirements.txt": "psycopg2\n",
                "api/test_a.py": "",
                "docker-compose.yml": COMPOSE.replace("  cache:\n    image: redis:7\n", ""),
            },
            ("postgres:16-alpine",),
            ("DATABASE_URL=postgres://app:app@postgres:5432/app",),
            id="a compose file at the top serves a project below",
        ),
    ],
)
def test_services(unit_of: Look, files: dict[str, str], services: tuple[str, ...], variables: tuple[str, ...]) -> None:
    unit = unit_of(files)
    assert (unit.all("service"), unit.all("variable")) == (services, variables)


def _composed(image: str, database: str, told: str, more: str = "") -> str:
    return (
        f"services:\n  db:\n    image: {image}\n    environment: {{{database}}}\n"
        f"  web:\n    build: .\n{more}    environment: {{{told}}}\n"
    )


GO = {"go.mod": "module a\nrequire github.com/jackc/pgx v5\n", "a_test.go": ""}
OWN = "POSTGRES_USER: app, POSTGRES_DB: shop, POSTGRES_PASSWORD: hidden"


@pytest.mark.parametrize(
    ("files", "settings", "variables"),
    [
        pytest.param(
            {
                **GO,
                "compose.yaml": _composed(
                    "postgres:17", OWN, "DB_HOST: db, DB_PORT: 5432, DB_NAME: shop, DB_USER: app"
                ),
            },
            ("POSTGRES_USER=app", "POSTGRES_DB=shop"),
            ("DB_HOST=postgres", "DB_PORT=5432", "DB_NAME=shop", "DB_USER=app"),
            id="a host and what is said beside it",
        ),
        pytest.param(
            {
                **GO,
                "compose.yaml": _composed("postgres:17", OWN, "PGHOST: db, PGUSER: app, PGPASSWORD: hidden, PGX: 1"),
            },
            ("POSTGRES_USER=app", "POSTGRES_DB=shop"),
            ("PGHOST=postgres", "PGUSER=app", "PGPASSWORD=postgres"),
            id="a password, of which PostgreSQL takes any",
        ),
        pytest.param(
            {
                "requirements.txt": "django\nmysqlclient\n",
                "test_a.py": "",
                "compose.yaml": _composed(
                    "mysql:8.0",
                    "MYSQL_ROOT_PASSWORD: root, MYSQL_DATABASE: shop",
                    "DB_CONNECTION: mysql, DB_HOST: 'db:3306', DB_PASSWORD: root, API_PASSWORD: x",
                ),
            },
            ("MYSQL_ROOT_PASSWORD=root", "MYSQL_DATABASE=shop"),
            ("DB_HOST=mysql:3306", "DB_PASSWORD=root"),
            id="a password with which MySQL starts",
        ),
        pytest.param(
            {
                **GO,
                ".env.example": "POSTGRES_HOST=db\nPOSTGRES_USER='app'\nDEBUG=1\n",
                "compose.yaml": _composed(
                    "postgres:17",
                    "POSTGRES_USER: '${POSTGRES_USER}', POSTGRES_DB: '${DB:-shop}'",
                    "",
                    "    env_file: .env\n",
                ),
            },
            ("POSTGRES_USER=app", "POSTGRES_DB=shop"),
            ("POSTGRES_HOST=postgres", "POSTGRES_USER=app"),
            id="what a sample of .env fills in and hands on",
        ),
        pytest.param(
            {
                **GO,
                "compose.yaml": _composed(
                    "postgres:17",
                    "POSTGRES_USER: app",
                    "DSN: 'postgres://app@db/app', TEST_DSN: 'postgres://app@db/test'",
                ),
            },
            ("POSTGRES_USER=app",),
            ("DSN=postgres://app@postgres/app", "TEST_DSN=postgres://app@postgres/test"),
            id="each address, for tests may read another than the program",
        ),
        pytest.param(
            {
                **NODE,
                "compose.yaml": "services:\n  mongodb: {image: 'mongo:8'}\n  web: {environment: {A: 'mongodb://mongodb:1/a'}}\n",
            },
            (),
            ("A=mongodb://mongo:1/a",),
            id="a service that is called as its addresses begin",
        ),
        pytest.param(
            {
                "pom.xml": "<project>postgresql</project>",
                "src/test/java/ATest.java": "",
                "compose.yaml": _composed(
                    "postgres:17",
                    OWN,
                    "SPRING_DATASOURCE_URL: 'jdbc:postgresql://db:5432/shop', SPRING_DATASOURCE_USERNAME: app",
                ),
            },
            ("POSTGRES_USER=app", "POSTGRES_DB=shop"),
            ("SPRING_DATASOURCE_URL=jdbc:postgresql://postgres:5432/shop", "SPRING_DATASOURCE_USERNAME=app"),
            id="an address of Java's",
        ),
    ],
)
def test_what_a_compose_file_tells_the_code(
    unit_of: Look, files: dict[str, str], settings: tuple[str, ...], variables: tuple[str, ...]
) -> None:
    unit = unit_of(files)
    assert (unit.all("service_setting"), unit.all("variable")) == (settings, variables)


READER = {"package.json": '{"scripts": {"test": "jest"}, "dependencies": {"dotenv": "17"}}'}
SAMPLE = {".env.example": "JWT_SECRET=sample\n"}


@pytest.mark.parametrize(
    ("files", "prepared"),
    [
        pytest.param(READER | SAMPLE, ("cp .env.example .env",), id="what the code reads is made of the sample"),
        pytest.param(
            {"requirements.txt": "python-decouple\n", "test_a.py": "", ".env.dist": "KEY=a\n"},
            ("cp .env.dist .env",),
            id="a sample of another name",
        ),
        pytest.param(READER | SAMPLE | {".env": ""}, (), id="the repository holds the file itself"),
        pytest.param(READER | {".env.test": "KEY=a\n"}, (), id="what only tests read, they find"),
        pytest.param(NODE | SAMPLE, (), id="nothing reads the file"),
        pytest.param(
            {"package.json": '{"scripts": {"build": "tsc"}, "dependencies": {"dotenv": "17"}}'} | SAMPLE,
            (),
            id="nothing is tested",
        ),
        pytest.param(
            READER | SAMPLE | {".github/workflows/ci.yml": CI.replace("pytest", "npm test")},
            (),
            id="other CI tests without it",
        ),
    ],
)
def test_a_sample_of_env_is_copied_for_what_reads_it(
    unit_of: Look, files: dict[str, str], prepared: tuple[str, ...]
) -> None:
    assert unit_of(files).all("prepare") == prepared
