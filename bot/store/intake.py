"""Takes events in: deliveries, conversations, orders, their turns and their jobs, many in one statement.

What a COMMIT costs (the disk, and the lock that NOTIFY holds until it is done), and what a statement costs, is paid
once for all that go together.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Literal
from uuid import UUID, uuid4

import msgspec
from msgspec import Struct, structs
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow

from bot.domain import Noteable


class Taken(Struct, frozen=True, kw_only=True):
    """What became of an arrival, and which order of which conversation it became."""

    result: Literal["queued", "duplicate"]
    order: UUID | None = None
    conversation: UUID | None = None


class Place(Struct, frozen=True, kw_only=True):
    """Where a conversation is held, so that it can be opened when there is none."""

    noteable: Noteable
    project_path: str
    title: str
    is_confidential: bool
    asked_by: str


class Arrival(Struct, frozen=True, kw_only=True):
    """One event to take in, as JSON; it belongs to a conversation that is known, or to the one held at a place."""

    key: str
    event: bytes
    kind: str
    project_id: int
    conversation: UUID | Place


class _Row(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An arrival as the statement reads it; what has a `noteable` may open the conversation that it brings."""

    number: int
    key: str
    order_id: UUID
    event: msgspec.Raw
    kind: str
    project_id: int
    conversation_id: UUID
    noteable: str | None = None
    iid: int | None = None
    path: str | None = None
    title: str | None = None
    confidential: bool | None = None
    asker: str | None = None


_TAKE_IN = "select order_id, conversation_id from pipewright_take_in(%s, %s::json, %s, %s)"


@contextmanager
def one_step(connection: Connection[TupleRow], *, of_many: bool) -> Iterator[None]:
    """Let what is done inside be one transaction. Where it is not `of_many` statements that write, the one that does is
    a transaction by itself: BEGIN and COMMIT would be two more ways to PostgreSQL and back.
    """
    connection.autocommit = True
    try:
        with connection.transaction() if of_many else nullcontext():
            yield
    finally:
        if not connection.closed:
            connection.autocommit = False


def take_in(connection: Connection[TupleRow], arrivals: Sequence[Arrival], *, queue: str, task: str) -> list[Taken]:
    """Store what arrived, in this order for each project, and queue it as a task.

    Who takes in for a project lets nobody else until COMMIT: two first mentions open one conversation, turns only grow.
    """
    rows = [_row(number, one) for number, one in enumerate(arrivals)]
    found = connection.execute(_TAKE_IN, _values(rows, queue, task), prepare=True).fetchall()
    return _all_taken(rows, found)


async def take_in_on_loop(
    connection: AsyncConnection[TupleRow], arrivals: Sequence[Arrival], *, queue: str, task: str
) -> list[Taken]:
    """Do what `take_in` does, on an event loop."""
    rows = [_row(number, one) for number, one in enumerate(arrivals)]
    answered = await connection.execute(_TAKE_IN, _values(rows, queue, task), prepare=True)
    return _all_taken(rows, await answered.fetchall())


def _values(rows: Sequence[_Row], queue: str, task: str) -> tuple[list[int], str, str, str]:
    return [row.project_id for row in rows], msgspec.json.encode(rows).decode(), queue, task


def _all_taken(rows: Sequence[_Row], found: Sequence[TupleRow]) -> list[Taken]:
    places: dict[UUID, UUID] = dict(found)
    return [_taken(row.order_id, places.get(row.order_id)) for row in rows]


def _row(number: int, one: Arrival) -> _Row:
    row = _Row(
        number=number,
        key=one.key,
        order_id=uuid4(),
        event=msgspec.Raw(one.event),
        kind=one.kind,
        project_id=one.project_id,
        conversation_id=one.conversation if isinstance(one.conversation, UUID) else uuid4(),
    )
    return row if isinstance(one.conversation, UUID) else _opening(row, one.conversation)


def _opening(row: _Row, place: Place) -> _Row:
    return structs.replace(
        row,
        noteable=place.noteable.kind,
        iid=place.noteable.iid,
        path=place.project_path,
        title=place.title,
        confidential=place.is_confidential,
        asker=place.asked_by,
    )


def _taken(order: UUID, conversation: UUID | None) -> Taken:
    if conversation is None:
        return Taken(result="duplicate")
    return Taken(result="queued", order=order, conversation=conversation)
