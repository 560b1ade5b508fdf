"""Collects the words of conversations that are older than the search for words, beside all other work."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import structlog
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from bot.store.pool import Pool

log = structlog.get_logger()

_FIRST = UUID(int=0)


@contextmanager
def collected(pool: Pool, *, pause_seconds: float = 10.0) -> Iterator[None]:
    """Collect meanwhile; what is left at the end is left to the next time, or to another process.

    When PostgreSQL does not answer it goes on after a pause.
    """
    stop = threading.Event()
    collecting = threading.Thread(target=_collect_until, args=(pool, stop, pause_seconds), name="words", daemon=True)
    collecting.start()
    try:
        yield
    finally:
        stop.set()
        collecting.join()


def _collect_until(pool: Pool, stop: threading.Event, pause_seconds: float) -> None:
    while not stop.is_set():
        try:
            collect(pool, stop)
            return
        except (OperationalError, PoolTimeout) as error:
            log.warning("collecting words for search was cut short", detail=str(error))
        stop.wait(pause_seconds)


def collect(pool: Pool, stop: threading.Event) -> None:
    """Collect until nothing is left or `stop` is set, and rest as long as each conversation took."""
    last: UUID | None = _FIRST
    while last and not stop.is_set():
        began = time.monotonic()
        with pool.connection() as connection:
            row = connection.execute("select pipewright_collect_words(%s)", (last,)).fetchone()
        last = row[0] if row else None
        stop.wait(time.monotonic() - began)
