"""What is heard of an order while it is worked on, from any worker to any web process: PostgreSQL carries it.

Nothing of it is stored: whoever listens too late finds the answer with the order.
"""

from collections.abc import AsyncIterator
from uuid import UUID

from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow

from bot.store.pool import bounded

_MOST_CHARACTERS = 1_500  # a notification holds 8000 bytes


def publish(connection: Connection[TupleRow], channel: UUID, kind: str, words: str) -> None:
    """Tell whoever listens; long words go in pieces."""
    pieces = [words[at : at + _MOST_CHARACTERS] for at in range(0, len(words), _MOST_CHARACTERS)] or [""]
    for piece in pieces:
        connection.execute("select pg_notify(%s, %s)", (_name(channel), f"{kind}:{piece}"))


async def listen(conninfo: str, channel: UUID, *, tick_seconds: float) -> AsyncIterator[tuple[str, str] | None]:
    """Yield None once listening has begun and after each silence, else kind and words of what is told."""
    async with await AsyncConnection.connect(bounded(conninfo), autocommit=True) as connection:
        await connection.execute(f"listen {_name(channel)}".encode())
        yield None
        while True:
            heard = False
            async for notify in connection.notifies(timeout=tick_seconds, stop_after=1):
                heard = True
                kind, _, words = notify.payload.partition(":")
                yield kind, words
            if not heard:
                yield None


def _name(channel: UUID) -> str:
    return f"pipewright_{channel.hex}"
