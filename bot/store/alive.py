"""Signs of life: whoever works on a queued order holds a lock that PostgreSQL gives back when the connection ends.

Silence alone proves nothing: a machine that slept, a starved process or a restarted PostgreSQL is silent too, and whose
orders were taken over while it still works on them does everything twice.
"""

import threading
from contextlib import suppress

import psycopg
from psycopg import Connection, OperationalError
from psycopg.rows import TupleRow

_CLASS = 1886220919  # any number that tells our locks from others' in the same database
_MOST = 2**31
# A machine that ends closes no connection: PostgreSQL asks after it, and gives its locks back within half a minute.
_OPTIONS = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"


class SignOfLife:
    """Holds the locks of one process, on a connection of its own; safe to use from several threads."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection[TupleRow] | None = None
        self._held: set[int] = set()
        self._lock = threading.Lock()

    def hold(self, job_id: int) -> bool:
        """Show from now on that the job is worked on; False when it is already, here or elsewhere.

        Raises OperationalError when it cannot be shown.
        """
        with self._lock:
            if job_id in self._held:
                return False
            if self._connection is None or self._connection.closed:
                self._open()
            if not self._try(job_id):
                return False
            self._held.add(job_id)
            return True

    def release(self, job_id: int) -> None:
        """Show that nobody works on the job any more."""
        with self._lock:
            self._held.discard(job_id)
            if self._connection is not None:
                with suppress(OperationalError):  # a connection that is gone holds nothing
                    self._connection.execute("select pg_advisory_unlock(%s::int, %s::int)", (_CLASS, job_id % _MOST))

    def keep(self) -> None:
        """Take the locks again when the connection was lost; to be called about once a second."""
        with self._lock, suppress(OperationalError):  # it is tried again in a second
            if self._connection is not None and not self._connection.closed:
                self._connection.execute("select 1")
            if self._held and (self._connection is None or self._connection.closed):
                self._open()

    def close(self) -> None:
        """Give everything back."""
        with self._lock:
            self._held.clear()
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _open(self) -> None:
        self._connection = psycopg.connect(
            self._conninfo,
            autocommit=True,
            connect_timeout=5,
            application_name="pipewright sign of life",
            options=_OPTIONS,
        )
        for job_id in self._held:
            self._try(job_id)

    def _try(self, job_id: int) -> bool:
        assert self._connection is not None  # opened before
        sql = "select pg_try_advisory_lock(%s::int, %s::int)"
        row = self._connection.execute(sql, (_CLASS, job_id % _MOST)).fetchone()
        return bool(row and row[0])


def abandoned(connection: Connection[TupleRow]) -> set[int]:
    """Return the jobs of the queue that are begun and that nobody works on at this moment."""
    rows = connection.execute(
        "select id from procrastinate_jobs where status = 'doing' and mod(id, %(most)s) not in ("
        "  select objid::bigint from pg_locks where locktype = 'advisory' and granted and objsubid = 2"
        "  and classid = %(class)s::bigint::oid"
        "  and database = (select oid from pg_database where datname = current_database()))",
        {"most": _MOST, "class": _CLASS},
    ).fetchall()
    return {int(row[0]) for row in rows}


def seconds_since_heartbeat(connection: Connection[TupleRow]) -> float | None:
    """Return how long no worker has shown that it fetches orders; None when there never was one."""
    row = connection.execute(
        "select extract(epoch from now() - max(last_heartbeat))::float8 from procrastinate_workers"
    ).fetchone()
    return row[0] if row else None
