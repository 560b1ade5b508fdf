"""Takes mentions in on an event loop: a thread would take the interpreter from the loop, and the loop from it."""

import time
from collections.abc import Sequence

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow

from bot.domain import Mention
from bot.store.arrivals import Receipt, arrival_of_mention, receipt_of
from bot.store.intake import take_in_on_loop
from bot.store.pool import bounded

_FRESH_SECONDS = 1.0


class Mentions:
    """One connection of its own, made when it is needed, and made anew when PostgreSQL went away. For one loop only.

    A pool would wait longer after each failure, and turn deliveries away that it could take in again.
    """

    def __init__(self, conninfo: str, *, queue: str, task: str) -> None:
        self._conninfo, self._queue, self._task = bounded(conninfo), queue, task
        self._connection: AsyncConnection[TupleRow] | None = None
        self._answered_at = 0.0

    async def take_in(self, deliveries: Sequence[tuple[str, Mention]]) -> list[Receipt]:
        """Store and queue all of them in one transaction, one call at a time.

        Raises OperationalError when PostgreSQL is away: then nothing is stored, or a repetition will be known as one.
        """
        began = time.time()
        arrivals = [arrival_of_mention(key, event) for key, event in deliveries]
        connection = await self._connected()
        taken = iter(await take_in_on_loop(connection, arrivals, queue=self._queue, task=self._task))
        self._answered_at = time.monotonic()
        return [receipt_of(arrival, taken, began) for arrival in arrivals]

    async def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            await self._connection.close()
        self._connection = None

    async def _connected(self) -> AsyncConnection[TupleRow]:
        if self._connection is not None and await _stands(self._connection, self._answered_at):
            return self._connection
        await self.close()
        self._connection = await AsyncConnection.connect(self._conninfo, autocommit=True, application_name="pipewright")
        return self._connection


async def _stands(connection: AsyncConnection[TupleRow], answered_at: float) -> bool:
    if connection.closed or time.monotonic() - answered_at < _FRESH_SECONDS:
        return not connection.closed
    try:
        await connection.execute("")
    except OperationalError:
        return False
    return True
