"""What every test may use: a real PostgreSQL, with a fresh database for each test."""

import logging
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, settings

from bot.store.embedded import EmbeddedPostgres
from bot.store.migrate import migrate
from bot.store.pool import Pool, open_pool
from bot.tasks import queue_schema

# The same examples on every run, however slow the machine is and whatever an earlier run found: what only chance
# would find is looked for by hand, with more of them.
settings.register_profile(
    "same", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("same")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server for the whole session, with a migrated database `template` to copy."""
    fast = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "150"}
    with tempfile.TemporaryDirectory(prefix="pw-") as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder), settings=fast)
        conninfo = server.start()
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("create database template")
        migrate(conninfo.replace("dbname=postgres", "dbname=template"), queue_schema())
        yield conninfo
        server.stop()


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Logging is the process's: a command tried in one test must not silence the lines that another reads."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


@contextmanager
def _made(postgres: str, how: str) -> Iterator[str]:
    """A database of its own for as long as this is open."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'create database "{name}" {how}'.encode())
    yield postgres.replace("dbname=postgres", f"dbname={name}")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)'.encode())


@pytest.fixture
def database(postgres: str) -> Iterator[str]:
    """How to connect to a fresh, migrated database."""
    with _made(postgres, "template template strategy file_copy") as conninfo:
        yield conninfo


@pytest.fixture
def empty_database(postgres: str) -> Iterator[str]:
    """How to connect to a database without any table."""
    with _made(postgres, "") as conninfo:
        yield conninfo


@pytest.fixture
def pool(database: str) -> Iterator[Pool]:
    """A pool on a fresh database."""
    opened = open_pool(database)
    yield opened
    opened.close()
