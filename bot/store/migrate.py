"""Brings the database to the newest schema: plain SQL files, each applied once, under a lock."""

from importlib import resources

import psycopg

from bot.domain import UnreachableError

_LOCK = 0x50495045


def migrate(conninfo: str, queue_schema: str) -> tuple[str, ...]:
    """Apply what is missing; return its names. Two processes may call this at the same time."""
    try:
        with psycopg.connect(conninfo, connect_timeout=5) as connection:
            connection.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
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
    except psycopg.OperationalError as error:
        raise UnreachableError("PostgreSQL", str(error)) from error
    return tuple(name for name, _ in missing)


def _all(queue_schema: str) -> list[tuple[str, str]]:
    folder = resources.files("bot.store") / "migrations"
    own = sorted((entry.name, entry.read_text(encoding="utf-8")) for entry in folder.iterdir() if ".sql" in entry.name)
    return [("0000_queue", queue_schema), *own]
