"""The store against a real PostgreSQL: migrations, odd texts, and deliveries that come at the same time."""

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.errors import UndefinedTable

from bot.domain import Mention, Noteable, Person, ProjectRef
from bot.store import conversations, messages, orders
from bot.store.migrate import migrate
from bot.store.pool import Pool
from bot.tasks import Queue, queue_schema
from tests.world.conversations import add_order, open_conversation


def tables(conninfo: str) -> set[str]:
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("select table_name from information_schema.tables where table_schema = 'public'")
        return {row[0] for row in rows}


@pytest.fixture
def empty(postgres: str, database: str) -> str:
    """A database with nothing in it."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("drop schema public cascade")
        connection.execute("create schema public")
    return database


# --- migrations ---


def test_migrations_bring_an_empty_database_to_every_table(empty: str) -> None:
    applied = migrate(empty, queue_schema())
    wanted = {"conversations", "messages", "pipelines", "orders", "deliveries", "approvals", "user_sessions"}
    assert wanted <= tables(empty)
    assert applied[0] == "0000_queue"
    assert list(applied) == sorted(applied)


@pytest.mark.parametrize("table", ["orders", "deliveries", "audit", "procrastinate_jobs"])
def test_statistics_of_what_every_delivery_adds_to_come_from_a_small_sample(empty: str, table: str) -> None:
    migrate(empty, queue_schema())
    with psycopg.connect(empty) as connection:
        rows = connection.execute(
            "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped"
            " and coalesce(attstattarget, -1) <> 10",
            (table,),
        ).fetchall()
    assert rows == [], "one column of them all makes PostgreSQL look at ten times as many rows"


def test_a_second_time_there_is_nothing_to_apply(empty: str) -> None:
    migrate(empty, queue_schema())
    before = tables(empty)
    assert migrate(empty, queue_schema()) == ()
    assert tables(empty) == before


def test_an_old_database_gets_only_what_it_lacks_and_keeps_its_rows(empty: str) -> None:
    known = migrate(empty, queue_schema())
    with psycopg.connect(empty) as connection:
        opened = open_conversation(connection)
        connection.execute("drop table user_sessions")
        connection.execute("delete from pipewright_migrations where name = '0000_queue'")
    assert migrate(empty, "create table user_sessions (id text)") == ("0000_queue",)
    assert "user_sessions" in tables(empty)
    with psycopg.connect(empty) as connection:
        assert conversations.get(connection, opened) is not None
        rows = connection.execute("select name from pipewright_migrations").fetchall()
    assert {row[0] for row in rows} == set(known)


def test_many_processes_migrate_at_once_and_one_does_the_work(empty: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(lambda _: migrate(empty, queue_schema()), range(4)))
    assert sorted(map(bool, applied)) == [False, False, False, True]


def test_a_migration_that_fails_leaves_nothing_behind(empty: str) -> None:
    with pytest.raises(psycopg.errors.SyntaxError):
        migrate(empty, "create table half (id text); create nonsense;")
    assert tables(empty) == set()


# --- odd texts ---


ODD = {
    "NUL characters": ("a\x00b\x00", "ab"),
    "lone surrogates": ("a\ud800b\udfff", "a\ufffdb\ufffd"),
    "emoji": ("👩‍👩‍👧 👍", "👩‍👩‍👧 👍"),
    "a megabyte": ("é" * 1_000_000, "é" * 1_000_000),
    "quotes and escapes": ("'; drop table messages; -- \\ %s {}", "'; drop table messages; -- \\ %s {}"),
    "nothing": ("", ""),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_text_is_kept(pool: Pool, kind: str) -> None:
    given, kept = ODD[kind]
    with pool.connection() as connection:
        conversation = open_conversation(connection)
        messages.add(connection, conversation_id=conversation, order_id=None, role="user", content=given)
        (stored,) = messages.for_conversation(connection, conversation)
    assert stored.content == kept


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_argument_of_a_tool_is_kept(pool: Pool, kind: str) -> None:
    given, kept = ODD[kind]
    calls: list[object] = [{"name": "read_file", "arguments": {"path": [given], given[:9]: 1}}]
    with pool.connection() as connection:
        conversation = open_conversation(connection)
        messages.add(
            connection,
            conversation_id=conversation,
            order_id=None,
            role="assistant",
            content="",
            tool_calls=calls,
            tool_name=given,
            author=given,
        )
        (stored,) = messages.for_conversation(connection, conversation)
    assert stored.tool_calls is not None
    assert stored.tool_calls[0]["arguments"]["path"] == [kept]
    assert (stored.tool_name, stored.author) == (kept, kept)


# --- deliveries ---


def mention(iid: int = 1) -> Mention:
    return Mention(
        project=ProjectRef(id=7, path="team/app"),
        noteable=Noteable(kind="issue", iid=iid),
        author=Person(id=5, username="ann"),
        text="@pipewright help",
    )


def count(pool: Pool, table: str) -> int:
    with pool.connection() as connection:
        row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
    return int(row[0]) if row else 0


def test_one_delivery_many_times_at_once_is_one_order(database: str, pool: Pool) -> None:
    queue = Queue(database, pool, None)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: queue.accept("delivery-1", mention()), range(8)))
    assert sorted(answers) == ["duplicate"] * 7 + ["queued"]
    assert [count(pool, name) for name in ("orders", "deliveries", "conversations", "procrastinate_jobs")] == [1] * 4


def test_many_first_mentions_at_once_share_one_conversation(database: str, pool: Pool) -> None:
    queue = Queue(database, pool, None)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: queue.accept(f"delivery-{number}", mention()), range(8)))
    assert answers == ["queued"] * 8
    assert [count(pool, name) for name in ("orders", "conversations")] == [8, 1]


def test_an_order_that_cannot_be_queued_leaves_no_trace(database: str, pool: Pool) -> None:
    queue = Queue(database, pool, None)
    with pool.connection() as connection:
        connection.execute("alter table procrastinate_jobs rename to elsewhere")
    with pytest.raises(UndefinedTable):
        queue.accept("delivery-1", mention())
    assert [count(pool, name) for name in ("orders", "deliveries", "conversations")] == [0] * 3


def test_a_finished_order_is_not_started_again(pool: Pool) -> None:
    with pool.connection() as connection:
        order = add_order(connection, key="d", conversation=open_conversation(connection))
        assert orders.start(connection, order) == "{}"
        assert orders.start(connection, order) == "{}", "a second try after a crash"
        orders.finish(connection, order, state="done", result="help")
        assert orders.start(connection, order) is None
        stored = orders.get(connection, order)
    assert stored is not None
    assert (stored.attempts, stored.state) == (2, "done")


def test_the_messages_of_a_cut_off_try_are_forgotten_and_others_kept(pool: Pool) -> None:
    with pool.connection() as connection:
        conversation = open_conversation(connection)
        first, second = (add_order(connection, key=key, conversation=conversation) for key in ("a", "b"))
        for order, text in ((first, "one"), (second, "two"), (second, "three")):
            messages.add(connection, conversation_id=conversation, order_id=order, role="user", content=text)
        before = messages.before_order(connection, conversation, second, 10, with_internal=True)
        messages.forget_order(connection, second)
        left = messages.for_conversation(connection, conversation)
    assert [message.content for message in before] == ["one"]
    assert [message.content for message in left] == ["one"]
