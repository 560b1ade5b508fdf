"""Words of what was said before there was a search: collected after the upgrade, beside all other work."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import structlog

from bot.store import messages, search
from bot.store.backup import put_back
from bot.store.collecting import collect, collected
from bot.store.migrate import migrate
from bot.store.pool import Pool, open_pool
from bot.store.search import Query
from bot.tasks import queue_schema
from tests.world.waiting import until

FIRST_VERSION = Path(__file__).parent / "data" / "first_version.dump"
TALKS = 12


@pytest.fixture
def upgraded(empty_database: str) -> str:
    """A database of the first version with talks in it, brought up to date."""
    put_back(empty_database, FIRST_VERSION)
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            "insert into conversations (project_id, project_path, title)"
            " select 77, 'old/talks', 'Talk ' || number from generate_series(1, %s) number",
            (TALKS,),
        )
        connection.execute(
            "insert into messages (conversation_id, role, content)"
            " select id, 'user', 'quokka ' || title from conversations where project_id = 77"
        )
        connection.execute(
            "insert into messages (conversation_id, role, content)"
            " select id, 'tool', 'wombat' from conversations where project_id = 77"
        )
    migrate(empty_database, queue_schema())
    return empty_database


@pytest.fixture
def old_pool(upgraded: str) -> Iterator[Pool]:
    opened = open_pool(upgraded)
    yield opened
    opened.close()


def found(pool: Pool, text: str) -> int:
    with pool.connection() as connection:
        return len(search.find(connection, Query(projects=(77,), person_id=1, text=text)))


def left(pool: Pool) -> int:
    with pool.connection() as connection:
        row = connection.execute("select count(*) from words_to_collect").fetchone()
    assert row is not None
    return int(row[0])


def test_what_was_said_before_the_upgrade_is_found_once_it_is_collected(old_pool: Pool) -> None:
    assert found(old_pool, "quokka") == 0
    collect(old_pool, threading.Event())
    assert (found(old_pool, "quokka"), found(old_pool, "talk"), found(old_pool, "wombat")) == (TALKS, TALKS, 0)
    assert left(old_pool) == 0


def test_what_is_said_meanwhile_is_found_at_once_and_stays(old_pool: Pool) -> None:
    with old_pool.connection() as connection:
        row = connection.execute("select id from conversations where title = 'Talk 3'").fetchone()
        assert row is not None
        messages.add(connection, conversation_id=row[0], order_id=None, role="user", content="numbat")
    assert (found(old_pool, "numbat"), found(old_pool, "numbat quokka")) == (1, 0)
    collect(old_pool, threading.Event())
    assert found(old_pool, "numbat quokka") == 1


def test_several_processes_share_what_is_to_be_collected(old_pool: Pool) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: collect(old_pool, threading.Event()), range(3)))
    assert (found(old_pool, "quokka"), left(old_pool)) == (TALKS, 0)


def test_who_is_told_to_end_leaves_the_rest_to_the_next(old_pool: Pool) -> None:
    stop = threading.Event()
    stop.set()
    before = left(old_pool)
    collect(old_pool, stop)
    assert left(old_pool) == before > TALKS


def test_it_goes_on_after_postgresql_did_not_answer(upgraded: str) -> None:
    impatient = open_pool(upgraded + " options='-c lock_timeout=50ms'")
    with psycopg.connect(upgraded) as in_the_way, structlog.testing.capture_logs() as logged:
        in_the_way.execute("lock table words_to_collect")
        with collected(impatient, pause_seconds=0.01):
            until(lambda: any("cut short" in line["event"] for line in logged), seconds=20)
            in_the_way.commit()
            until(lambda: left(impatient) == 0, seconds=20)
    assert found(impatient, "quokka") == TALKS
    impatient.close()


def test_a_bot_that_starts_collects_what_is_left(old_pool: Pool) -> None:
    with collected(old_pool):
        until(lambda: left(old_pool) == 0, seconds=20)
    assert found(old_pool, "quokka") == TALKS
