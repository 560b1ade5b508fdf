"""Mentions taken in on the web's loop: as if by the thread, also after PostgreSQL went away."""

import asyncio

import pytest
from psycopg import OperationalError

from bot.store.pool import Pool
from bot.tasks import Queue
from tests.tasks.arriving import mention, told

_LONGER_THAN_AN_ANSWER_IS_FRESH = 1.1


def stored(pool: Pool) -> list[str]:
    with pool.connection() as connection:
        return [key for (key,) in connection.execute("select delivery_key from orders order by created_at").fetchall()]


def restart(pool: Pool) -> None:
    """Do to the connections of everybody else what a restart of PostgreSQL does."""
    with pool.connection() as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and datname = current_database()"
        )


@pytest.fixture
def queue(database: str, pool: Pool) -> Queue:
    return Queue(database, pool, None)


def test_each_gets_its_own_answer_and_one_that_cannot_be_stored_spoils_no_other(queue: Queue, pool: Pool) -> None:
    async def story() -> list[list[str]]:
        first = await queue.accept_mentions([("k1", mention(1)), ("k2", mention(2)), ("k1", mention(1))])
        then = await queue.accept_mentions([("k3", mention(3, "@pipewright \x00")), ("k4", mention(4))])
        await queue.leave_loop()
        return [told(first), told(then)]

    assert asyncio.run(story()) == [["queued", "queued", "duplicate"], ["UntranslatableCharacter", "queued"]]
    assert stored(pool) == ["k1", "k2", "k4"]


def test_a_connection_that_was_lost_while_nothing_came_is_made_anew_before_anybody_is_turned_away(
    queue: Queue, pool: Pool
) -> None:
    async def story() -> list[str]:
        await queue.accept_mentions([("k1", mention(1))])
        restart(pool)
        await asyncio.sleep(_LONGER_THAN_AN_ANSWER_IS_FRESH)
        answers = told(await queue.accept_mentions([("k2", mention(1))]))
        await queue.leave_loop()
        return answers

    assert asyncio.run(story()) == ["queued"]
    assert stored(pool) == ["k1", "k2"]


def test_who_comes_while_postgresql_goes_away_is_told_and_the_next_is_taken_in(queue: Queue, pool: Pool) -> None:
    async def story() -> list[str]:
        await queue.accept_mentions([("k1", mention(1))])
        restart(pool)
        with pytest.raises(OperationalError):
            await queue.accept_mentions([("k2", mention(1))])
        answers = told(await queue.accept_mentions([("k2", mention(1)), ("k3", mention(1))]))
        await queue.leave_loop()
        return answers

    assert asyncio.run(story()) == ["queued", "queued"]
    assert stored(pool) == ["k1", "k2", "k3"]


def test_while_postgresql_is_away_everybody_is_told_so(pool: Pool) -> None:
    async def story() -> None:
        queue = Queue("host=127.0.0.1 port=1 user=x dbname=x", pool, None)
        for _ in range(2):
            with pytest.raises(OperationalError):
                await queue.accept_mentions([("k1", mention(1))])
        await queue.leave_loop()

    asyncio.run(story())
    assert stored(pool) == []
