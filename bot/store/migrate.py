"""Brings the database to the newest schema: plain SQL files, each applied once, under a lock."""

import time
from importlib import resources

import psycopg
from psycopg import Connection, errors
from psycopg.rows import TupleRow

from bot.domain import UnreachableError
from bot.store.pool import bounded

_LOCK = 0x50495045
_TRIES = 60
_PAUSE_SECONDS = 1.0


def migrate(conninfo: str, queue_schema: str, *, tries: int = _TRIES) -> tuple[str, ...]:
    """Apply what is missing, all or nothing; return its names. Many processes may call this at the same time.

    An older version may be at work meanwhile. A table it holds is waited for shortly, then everything is let go and
    tried again: whoever waits for a table holds up all who come later, and two who wait crosswise end one of them.
    """
    for tried in range(1, tries + 1):
        try:
            with psycopg.connect(bounded(conninfo)) as connection:
                return _apply(connection, queue_schema)
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            if tried == tries:
                words = "its tables are in use by long transactions (a back-up?); migrate again when they have ended"
                raise UnreachableError("PostgreSQL", words) from error
        except psycopg.OperationalError as error:
            raise UnreachableError("PostgreSQL", str(error)) from error
        time.sleep(_PAUSE_SECONDS)
    raise AssertionError("the last try returns or raises")


def _apply(connection: Connection[TupleRow], queue_schema: str) -> tuple[str, ...]:
    connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
    # Less than the second after which PostgreSQL looks for crosswise waits, and might end the other one.
    connection.execute("set local lock_timeout = '500ms'")
    connection.execute(
        "create table if not exists pipewright_migrations"
        " (name text primary key, applied_at timestamptz not null default now())"
    )
    rows = connection.execute("select name from pipewright_migrations").fetchall()
    done = {row[0] for row in rows}
    missing = [(name, sql) for name, sql in _all(queue_schema) if name not in done]
    for name, sql in missing:
        connection.execute(sql.encode())
        connection.execute("insert into pipewright_migrations (name) values (%s)", (name,))
    return tuple(name for name, _ in missing)


def _all(queue_schema: str) -> list[tuple[str, str]]:
    folder = resources.files("bot.store") / "migrations"
    own = sorted((entry.name, entry.read_text(encoding="utf-8")) for entry in folder.iterdir() if ".sql" in entry.name)
    return [("0000_queue", queue_schema), *own]
