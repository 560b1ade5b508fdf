"""Who is signed in: sessions by the hash of their cookie, with tokens that only the cookie opens."""

from datetime import timedelta

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
_SEEN_AGAIN = timedelta(minutes=1)

_ALIVE = "seen_at > now() - %(idle)s and created_at > now() - %(longest)s"
_BOUNDS = {"idle": IDLE, "longest": LONGEST}


class Session(Struct, frozen=True, kw_only=True):
    """One session. `sealed` holds the tokens."""

    user_id: int
    username: str
    sealed: bytes


def add(connection: Connection[TupleRow], id_hash: bytes, *, user_id: int, username: str, sealed: bytes) -> None:
    """Begin a session, and clear away those that have ended by themselves."""
    prune(connection)
    connection.execute(
        "insert into user_sessions (id_hash, user_id, username, sealed) values (%s, %s, %s, %s)",
        (id_hash, user_id, username, sealed),
    )


def find(connection: Connection[TupleRow], id_hash: bytes, *, locked: bool = False) -> Session | None:
    """Return a session that has not ended; `locked` keeps others from changing it until the transaction ends."""
    query = f"select user_id, username, sealed from user_sessions where id_hash = %(id)s and {_ALIVE}"
    with connection.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(
            (query + (" for update" if locked else "")).encode(), {"id": id_hash, **_BOUNDS}
        ).fetchone()


def touch(connection: Connection[TupleRow], id_hash: bytes) -> None:
    """Note that a session is in use, at most once a minute."""
    connection.execute(
        "update user_sessions set seen_at = now() where id_hash = %s and seen_at < now() - %s", (id_hash, _SEEN_AGAIN)
    )


def reseal(connection: Connection[TupleRow], id_hash: bytes, sealed: bytes) -> None:
    """Store renewed tokens."""
    connection.execute("update user_sessions set sealed = %s where id_hash = %s", (sealed, id_hash))


def remove(connection: Connection[TupleRow], id_hash: bytes) -> Session | None:
    """End a session and return what it was."""
    with connection.cursor(row_factory=class_row(Session)) as cursor:
        return cursor.execute(
            "delete from user_sessions where id_hash = %s returning user_id, username, sealed", (id_hash,)
        ).fetchone()


def prune(connection: Connection[TupleRow]) -> None:
    """Remove what has ended by itself."""
    connection.execute(f"delete from user_sessions where not ({_ALIVE})".encode(), _BOUNDS)
