"""Which big tables PostgreSQL would read from end to end: the plans of all that a question really sends."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import TupleRow

BIG = frozenset(
    ("conversations", "conversation_noteables", "conversation_words", "deliveries", "messages", "orders", "pipelines")
)

Ask = Callable[[Connection[TupleRow]], object]


def full_reads(conninfo: str, ask: Ask) -> set[str]:
    """Ask once, and return the big tables that the plan of any statement sent reads from end to end."""
    heard: list[tuple[Any, Any]] = []

    class Heard(Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
            heard.append((query, params))
            return super().execute(query, params, **more)

    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.cursor_factory = Heard
        ask(connection)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        return {table for query, params in heard for table in _full_reads(connection, query, params)}


def _full_reads(connection: Connection[TupleRow], query: Any, params: Any) -> set[str]:
    text = query.decode() if isinstance(query, bytes) else str(query)
    row = connection.execute(f"explain (format json) {text}".encode(), params).fetchone()
    assert row is not None  # explain always answers
    return {node["Relation Name"] for node in _nodes(row[0][0]["Plan"]) if node["Node Type"] == "Seq Scan"} & BIG


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def require_eyes(conninfo: str) -> None:
    """A look at plans that sees no full read where there is one would be worth nothing."""
    whole = full_reads(conninfo, lambda asked: asked.execute("select max(content) from messages where role = 'user'"))
    one = full_reads(conninfo, lambda asked: asked.execute("select * from messages where id = %s", (7,)))
    assert (whole, one) == ({"messages"}, set()), "the look at plans is blind"
