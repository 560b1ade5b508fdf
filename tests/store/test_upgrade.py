"""The first version goes on while its database is brought up to date: neither stops the other, and nothing is lost."""

import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import TupleRow

from bot.domain import UnreachableError
from bot.store.backup import put_back
from bot.store.migrate import migrate
from bot.tasks import queue_schema

DATA = Path(__file__).parent / "data"
WEB, WORKER = (DATA / "first_version.sql").read_text().split("-- What its worker said")
OLD_PROCESSES = 4
DONE = "select count(*) from orders where state = 'done'"
WAITS_FOR_CONVERSATIONS = "select count(*) from pg_locks where not granted and relation = 'conversations'::regclass"


def statements(text: str) -> list[bytes]:
    """Return the statements of the old version, without what is said about them."""
    said = "\n".join(line for line in text.splitlines() if line.endswith(";"))
    return [line.encode() for line in said.splitlines()]


class OldVersion:
    """Processes of the first version: each takes orders in and works on them, one after another, until told to end."""

    def __init__(self, conninfo: str) -> None:
        self.conninfo = conninfo
        self.ending = threading.Event()
        self.done: list[uuid.UUID] = []
        self.first = threading.Barrier(OLD_PROCESSES + 1)

    def run(self) -> None:
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute("select id from conversations").fetchone()
            assert row is not None
            self.one_order(connection, row[0])
            self.first.wait(60)
            while not self.ending.is_set():
                self.one_order(connection, row[0])

    def one_order(self, connection: psycopg.Connection[TupleRow], conversation: uuid.UUID) -> None:
        order = uuid.uuid4()
        values = {
            "place": "104/issue/1",
            "conversation": conversation,
            "order": order,
            "key": f"key:{order}",
            "lock": str(order),
        }
        with connection.transaction():
            for sql in statements(WEB):
                connection.execute(sql, values)
        for sql in statements(WORKER):
            connection.execute(sql, values)
        self.done.append(order)


@contextmanager
def running(old: OldVersion) -> Iterator[None]:
    """Let the old processes run meanwhile; what went wrong in one is raised in the end."""
    with ThreadPoolExecutor(OLD_PROCESSES) as threads:
        going = [threads.submit(old.run) for _ in range(OLD_PROCESSES)]
        try:
            old.first.wait(60)
            yield
        finally:
            old.ending.set()
        for one in going:
            one.result()


@pytest.fixture
def first_version(empty_database: str) -> str:
    put_back(empty_database, DATA / "first_version.dump")
    return empty_database


def number(conninfo: str, sql: str) -> int:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(sql.encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_the_first_version_works_on_while_many_migrate_at_once(first_version: str) -> None:
    before = number(first_version, DONE)
    old = OldVersion(first_version)
    with running(old), ThreadPoolExecutor(3) as threads:
        applied = list(threads.map(lambda _: migrate(first_version, queue_schema()), range(3)))
        known = len(old.done)
        while len(old.done) < known + OLD_PROCESSES and not old.ending.is_set():
            assert migrate(first_version, queue_schema()) == ()  # each old process has worked on the new schema
    assert sorted(map(bool, applied)) == [False, False, True]
    assert number(first_version, DONE) == before + len(old.done)
    assert number(first_version, "select count(*) from procrastinate_jobs where status = 'todo'") == len(old.done)
    assert number(first_version, "select count(*) from messages where content = '@pipewright help'") == len(old.done)
    assert number(first_version, "select count(*) from pipelines where status = 'superseded'") == len(old.done)


def test_one_who_waits_crosswise_with_the_migration_goes_first(first_version: str) -> None:
    with psycopg.connect(first_version) as old, ThreadPoolExecutor(1) as threads:
        old.execute("update conversations set updated_at = now()")
        going = threads.submit(migrate, first_version, queue_schema())
        while not number(first_version, WAITS_FOR_CONVERSATIONS):  # it holds the proposals by now, which come before
            assert not going.done()
        old.execute("update pipelines set updated_at = now()")
        old.commit()
        assert going.result()[0] == "0002_changes.sql"


def test_a_transaction_that_stays_open_is_not_waited_for_in_everybodys_way(first_version: str) -> None:
    """Who waits for a table's lock holds up all who come after: better to try again, and to say so in the end."""
    with psycopg.connect(first_version) as open_long:
        open_long.execute("select count(*) from orders")
        with pytest.raises(UnreachableError, match="in use"):
            migrate(first_version, queue_schema(), tries=2)
        with psycopg.connect(first_version) as other:
            other.execute("set statement_timeout = '5s'")
            other.execute("insert into orders (delivery_key, event, kind) values ('x', '{}', 'mention')")
    assert migrate(first_version, queue_schema())[0] == "0002_changes.sql"
