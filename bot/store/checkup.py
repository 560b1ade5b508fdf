"""What whoever looks after the bot wants to know of its database, without changing anything in it."""

from importlib import resources

import psycopg
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow

from bot.domain import UnreachableError
from bot.store import alive
from bot.store.pool import bounded


class Found(Struct, frozen=True, kw_only=True):
    """How a database is. `missing` and `newer` are names of migrations, by what this program knows.

    `worker_silent_seconds` is None when there never was a worker.
    """

    version: int
    encoding: str
    user: str
    schema: str
    may_create: bool
    is_begun: bool
    missing: tuple[str, ...] = ()
    newer: tuple[str, ...] = ()
    waiting: int = 0
    worker_silent_seconds: float | None = None


def look_at(conninfo: str) -> Found:
    """Look at a database; raises UnreachableError with PostgreSQL's words."""
    try:
        with psycopg.connect(bounded(conninfo), application_name="pipewright doctor") as connection:
            connection.read_only = True
            return _found(connection)
    except psycopg.OperationalError as error:
        raise UnreachableError("PostgreSQL", " ".join(str(error).split())) from error


def _found(connection: Connection[TupleRow]) -> Found:
    row = connection.execute(
        "select current_user, current_schema(), has_schema_privilege(current_schema(), 'create'),"
        " pg_encoding_to_char(encoding), to_regclass('pipewright_migrations') is not null"
        " from pg_database where datname = current_database()"
    ).fetchone()
    assert row is not None  # the database one is connected to
    user, schema, may_create, encoding, is_begun = row
    applied = set()
    if is_begun:
        applied = {name for (name,) in connection.execute("select name from pipewright_migrations").fetchall()}
    known = known_migrations()
    is_whole = set(known) <= applied
    return Found(
        version=connection.info.server_version // 10_000,
        encoding=encoding,
        user=user,
        schema=schema or "public",
        may_create=bool(may_create),
        is_begun=is_begun,
        missing=tuple(name for name in known if name not in applied),
        newer=tuple(sorted(applied - set(known))),
        waiting=_waiting(connection) if is_whole else 0,
        worker_silent_seconds=alive.seconds_since_heartbeat(connection) if is_whole else None,
    )


def _waiting(connection: Connection[TupleRow]) -> int:
    row = connection.execute("select count(*) from orders where state in ('queued', 'running')").fetchone()
    return int(row[0]) if row else 0


def known_migrations() -> tuple[str, ...]:
    """Return the names of all migrations of this program, in their order."""
    folder = resources.files("bot.store") / "migrations"
    return ("0000_queue", *sorted(entry.name for entry in folder.iterdir() if ".sql" in entry.name))
