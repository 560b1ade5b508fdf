"""Signs of life: whoever works on a queued order holds a lock that PostgreSQL gives back when the connection ends.

Silence alone proves nothing: a machine that slept, a starved process or a restarted PostgreSQL is silent too. When it
lasts its orders are taken over nevertheless; whoever comes back learns it before the next change outside.
"""

import threading
from contextlib import suppress

import psycopg
from psycopg import Connection, OperationalError
from psycopg.rows import TupleRow

from bot.domain import LostError
from bot.store.pool import bounded, told_as_silence

_CLASS = 1886220919  # any number that tells our locks from others' in the same database
_MOST = 2**31
_NAME = "pipewright sign of life"


class SignOfLife:
    """Holds the locks of one process, on a connection of its own; safe to use from several threads.

    A job is begun again after it was taken over, so its try (`attempt`) tells whether it is still the same.
    """

    def __init__(self, conninfo: str) -> None:
        self._conninfo = bounded(conninfo)
        self._connection: Connection[TupleRow] | None = None
        self._held: dict[int, int] = {}
        self._lock = threading.Lock()

    def hold(self, job_id: int, attempt: int = 0) -> bool:
        """Show from now on that the job is worked on; False when it is already, here or elsewhere.

        Raises UnreachableError when it cannot be shown.
        """
        with self._lock, told_as_silence():
            if job_id in self._held or not self._try(self._answering(), job_id):
                return False
            self._held[job_id] = attempt
            return True

    def release(self, job_id: int, attempt: int = 0) -> bool:
        """Show that nobody works on the job any more; False when it was not ours, as far as can be known now."""
        with self._lock:
            with suppress(OperationalError):
                self._answering()
            if self._held.get(job_id) != attempt:
                return False
            del self._held[job_id]
            if self._connection is None:
                return False
            with suppress(OperationalError):
                self._give_back(self._connection, job_id)
            return True

    def keep(self) -> None:
        """Take the locks again when the connection was lost; to be called about once a second."""
        with self._lock, suppress(OperationalError):  # it is tried again in a second
            if self._held or self._connection is not None:
                self._answering()

    def assure(self, job_id: int, attempt: int = 0) -> None:
        """Return when the job was held all the time; raise LostError when another may have begun it meanwhile.

        Raises UnreachableError when nobody can tell now.
        """
        with self._lock, told_as_silence():
            self._answering()
            if self._held.get(job_id) != attempt:
                raise LostError(f"job {job_id} was lost while this process was cut off or stood still")

    def close(self) -> None:
        """Give everything back."""
        with self._lock:
            self._held.clear()
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _answering(self) -> Connection[TupleRow]:
        """Return the connection that holds the locks, or a new one with those that nobody took meanwhile."""
        if self._connection is not None:
            with suppress(OperationalError):
                self._connection.execute("select 1")
                return self._connection
            self._connection.close()
        self._connection = None
        opened = psycopg.connect(self._conninfo, autocommit=True, application_name=_NAME)
        try:
            self._held = {job: attempt for job, attempt in self._held.items() if self._again(opened, job, attempt)}
        except OperationalError:
            opened.close()
            raise
        self._connection = opened
        return opened

    def _again(self, connection: Connection[TupleRow], job_id: int, attempt: int) -> bool:
        if not self._try(connection, job_id):
            return False
        sql = "select from procrastinate_jobs where id = %s and status = 'doing' and attempts = %s"
        if connection.execute(sql, (job_id, attempt)).fetchone() is not None:
            return True
        self._give_back(connection, job_id)
        return False

    def _try(self, connection: Connection[TupleRow], job_id: int) -> bool:
        sql = "select pg_try_advisory_lock(%s::int, %s::int)"
        row = connection.execute(sql, (_CLASS, job_id % _MOST)).fetchone()
        return bool(row and row[0])

    def _give_back(self, connection: Connection[TupleRow], job_id: int) -> None:
        connection.execute("select pg_advisory_unlock(%s::int, %s::int)", (_CLASS, job_id % _MOST))


def end_the_silent(connection: Connection[TupleRow], seconds: float) -> int:
    """Take the locks from whoever has not spoken for so long, though the connection stands; return how many did.

    A process that was stopped, or a machine that is paused: its kernel, or nobody, answers for it.
    """
    row = connection.execute(
        "select count(*) filter (where pg_terminate_backend(pid)) from pg_stat_activity"
        " where application_name = %s and datname = current_database() and usename = current_user"
        " and state_change < now() - make_interval(secs => %s)",
        (_NAME, seconds),
    ).fetchone()
    return int(row[0]) if row else 0


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
