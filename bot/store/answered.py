"""Requests of programs that carry a key: each is done once and answered the same way again."""

from typing import Any

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb


class Answered(Struct, frozen=True, kw_only=True):
    """A request with a key. `status` and `answer` are None while it is worked on; the hash is of what was asked."""

    request_hash: bytes
    status: int | None
    answer: Any


def remember(connection: Connection[TupleRow], person_id: int, key: str, request_hash: bytes) -> Answered:
    """Return the request with this key, remembered now if it is the first one."""
    connection.execute(
        "insert into answered_requests (person_id, key, request_hash) values (%s, %s, %s) on conflict do nothing",
        (person_id, key, request_hash),
    )
    with connection.cursor(row_factory=class_row(Answered)) as cursor:
        known = cursor.execute(
            "select request_hash, status, answer from answered_requests where person_id = %s and key = %s",
            (person_id, key),
        ).fetchone()
    assert known is not None  # just remembered, and nothing deletes it
    return known


def set_answer(connection: Connection[TupleRow], person_id: int, key: str, *, status: int, answer: Any) -> None:
    """Keep the first answer that was given."""
    connection.execute(
        "update answered_requests set status = %s, answer = %s where person_id = %s and key = %s and status is null",
        (status, Jsonb(answer), person_id, key),
    )
