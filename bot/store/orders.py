"""Orders: each accepted event, from the queue to its answer."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row


class OrderRow(Struct, frozen=True, kw_only=True):
    """One stored order."""

    id: UUID
    conversation_id: UUID | None
    kind: str
    state: str
    result: str
    reply_note_id: int | None
    attempts: int
    error_id: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


_COLUMNS = (
    "id, conversation_id, kind, state, result, reply_note_id, attempts, error_id, created_at, started_at, finished_at"
)


def get(connection: Connection[TupleRow], order_id: UUID) -> OrderRow | None:
    """Return an order by its id."""
    with connection.cursor(row_factory=class_row(OrderRow)) as cursor:
        return cursor.execute(f"select {_COLUMNS} from orders where id = %s", (order_id,)).fetchone()


def for_conversation(connection: Connection[TupleRow], conversation_id: UUID) -> list[OrderRow]:
    """Return a conversation's orders, oldest first."""
    with connection.cursor(row_factory=class_row(OrderRow)) as cursor:
        return cursor.execute(
            f"select {_COLUMNS} from orders where conversation_id = %s order by created_at",
            (conversation_id,),
        ).fetchall()


def start(connection: Connection[TupleRow], order_id: UUID) -> str | None:
    """Note that work begins (again); return the event as JSON, or None when the order is finished already."""
    row = connection.execute(
        "update orders set state = 'running', attempts = attempts + 1, started_at = coalesce(started_at, now())"
        " where id = %s and state in ('queued', 'running') returning event::text",
        (order_id,),
    ).fetchone()
    return row[0] if row else None


def finish(
    connection: Connection[TupleRow], order_id: UUID, *, state: str, result: str, error_id: str | None = None
) -> None:
    """Note how an order ended, and let whoever waits for its answer over our address hear so (see `live`)."""
    connection.execute(
        "with ended as (update orders set state = %s, result = %s, error_id = %s, finished_at = now() where id = %s"
        " returning event ->> 'channel' as channel)"
        " select pg_notify('pipewright_' || replace(channel, '-', ''), 'end:') from ended where channel is not null",
        (state, result, error_id, order_id),
    )


def find_by_delivery(connection: Connection[TupleRow], key: str) -> OrderRow | None:
    """Return the order that a delivery became."""
    with connection.cursor(row_factory=class_row(OrderRow)) as cursor:
        return cursor.execute(f"select {_COLUMNS} from orders where delivery_key = %s", (key,)).fetchone()


def ask_to_stop(connection: Connection[TupleRow], order_id: UUID) -> None:
    """Note that the answer is not wanted any more."""
    connection.execute("update orders set stop_asked = true where id = %s and finished_at is null", (order_id,))


def is_stop_asked(connection: Connection[TupleRow], order_id: UUID) -> bool:
    """Tell whether the answer is not wanted any more."""
    row = connection.execute("select stop_asked from orders where id = %s", (order_id,)).fetchone()
    return bool(row and row[0])


def set_answer(connection: Connection[TupleRow], order_id: UUID, text: str) -> None:
    """Keep the answer of an order that is answered in no note."""
    connection.execute("update orders set answer = %s where id = %s", (text.replace("\x00", ""), order_id))


def answer_of(connection: Connection[TupleRow], order_id: UUID) -> str:
    """Return what an order was answered, over whichever way it came in with."""
    row = connection.execute("select answer from orders where id = %s", (order_id,)).fetchone()
    return str(row[0]) if row else ""


def set_reply_note(connection: Connection[TupleRow], order_id: UUID, note_id: int) -> None:
    """Remember the note that answers an order, and since when it stands there."""
    connection.execute(
        "update orders set reply_note_id = %s, acked_at = coalesce(acked_at, now()) where id = %s", (note_id, order_id)
    )


def waiting(connection: Connection[TupleRow]) -> tuple[int, float]:
    """Return how many orders are unfinished and the age of the oldest in seconds."""
    row = connection.execute(
        "select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::float8"
        " from orders where state in ('queued', 'running')"
    ).fetchone()
    return (int(row[0]), float(row[1])) if row else (0, 0.0)


def count_by_state(connection: Connection[TupleRow]) -> dict[str, int]:
    """Return the number of orders in each state; those that ended were counted as they did (migration 0014)."""
    rows = connection.execute(
        "select labels ->> 'state', sum(value) from counters where name = 'pipewright_orders_total' group by 1"
        " union all select state, count(*) from orders where state in ('queued', 'running') group by 1"
    ).fetchall()
    return {str(row[0]): int(row[1]) for row in rows}
