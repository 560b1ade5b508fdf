"""Opens connections to PostgreSQL, with a bound on every wait."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, OperationalError, ProgrammingError
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from bot.domain import CannotError, UnreachableError

Pool = ConnectionPool[Connection[TupleRow]]

# A network that swallows packets closes no connection. Left to the kernel, we would wait for an answer a quarter of an
# hour, for a notification two hours, and PostgreSQL would hold our locks as long. It is told before it gives them back.
_OURS = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
_OF_THE_SERVER = (
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=2 -c tcp_user_timeout=15000"
)


def readable(conninfo: str) -> str:
    """Return how to connect as it was given; raises CannotError, without the password in it, for what says nothing."""
    try:
        conninfo_to_dict(conninfo)
    except ProgrammingError:  # whose words, and whose stack trace, hold all of it
        raise CannotError(
            "PIPEWRIGHT_DATABASE_URL is wrong: it must look like postgresql://user:password@host/database"
        ) from None
    return conninfo


def bounded(conninfo: str) -> str:
    """Return how to connect so that either side soon notices that the other is gone; what is set already stays."""
    given = {key: value for key, value in conninfo_to_dict(conninfo).items() if value is not None}
    theirs = given.get("options", os.environ.get("PGOPTIONS", ""))
    options = f"{_OF_THE_SERVER} {theirs}".strip()  # of two that name the same, the later one holds
    return make_conninfo("", **{**_OURS, **given, "options": options})


@contextmanager
def told_as_silence() -> Iterator[None]:
    """Let what goes wrong with PostgreSQL itself be an UnreachableError."""
    try:
        yield
    except OperationalError as error:
        raise UnreachableError("PostgreSQL", str(error)) from error


def open_pool(conninfo: str, size: int = 8) -> Pool:
    """Open a pool; raise UnreachableError when PostgreSQL does not answer within ten seconds."""
    options: dict[str, Any] = {"application_name": "pipewright"}
    pool: Pool = ConnectionPool(
        bounded(conninfo),
        kwargs=options,
        min_size=1,
        max_size=size,
        timeout=10,
        open=False,
        check=ConnectionPool.check_connection,
    )
    try:
        pool.open(wait=True, timeout=10)
    except (PoolTimeout, OperationalError) as error:
        pool.close()
        raise UnreachableError("PostgreSQL", str(error)) from error
    return pool
