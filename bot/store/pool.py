"""Opens connections to PostgreSQL, with a bound on every wait."""

from typing import Any

from psycopg import Connection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolTimeout

from bot.domain import UnreachableError

Pool = ConnectionPool[Connection[TupleRow]]


def open_pool(conninfo: str, size: int = 8) -> Pool:
    """Open a pool; raise UnreachableError when PostgreSQL does not answer within ten seconds."""
    options: dict[str, Any] = {"connect_timeout": 5, "application_name": "pipewright"}
    pool: Pool = ConnectionPool(
        conninfo,
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
