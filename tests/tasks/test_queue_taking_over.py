"""What a worker leaves behind when it dies is taken over; what one who is only silent still does is not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bot.claim import assured
from bot.domain import Event, LostError, UnreachableError
from bot.store import alive, orders
from bot.store.pool import Pool
from bot.tasks import Queue
from tests.tasks.test_queue import Recorder, mention
from tests.world.waiting import until

PATIENCE_SECONDS = 60.0


@contextmanager
def working(queue: Queue) -> Iterator[None]:
    stop = threading.Event()
    worker = threading.Thread(target=queue.run_worker, args=(2, stop))
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def begun_by_another(queue: Queue, pool: Pool) -> int:
    """Accept an order and leave it as a worker leaves it that has begun and says nothing more; return its job."""
    queue.accept("delivery-1", mention(1))
    with pool.connection() as connection:
        row = connection.execute(
            "update procrastinate_jobs set status = 'doing', worker_id = null returning id"
        ).fetchone()
    assert row is not None
    return int(row[0])


def is_done(pool: Pool) -> bool:
    with pool.connection() as connection:
        return orders.waiting(connection)[0] == 0


def test_the_order_of_a_dead_worker_is_taken_over(database: str, pool: Pool) -> None:
    recorder = Recorder()
    queue = Queue(database, pool, recorder.work(), takeover_seconds=0.2)
    begun_by_another(queue, pool)
    with working(queue):
        until(lambda: is_done(pool))
    assert recorder.handled == ["@pipewright help"]


def test_the_order_of_a_worker_that_is_only_silent_is_left_to_it(database: str, pool: Pool) -> None:
    recorder = Recorder()
    queue, other = Queue(database, pool, recorder.work(), takeover_seconds=0.1), alive.SignOfLife(database)
    job_id = begun_by_another(queue, pool)
    assert other.hold(job_id)
    with working(queue):
        queue.accept("delivery-2", mention(2, "@pipewright status"))
        until(lambda: recorder.handled == ["@pipewright status"])
        queue.accept("delivery-3", mention(2, "@pipewright again"))  # by now many looks were taken at the silent one
        until(lambda: len(recorder.handled) == 2)
        other.close()
        until(lambda: is_done(pool))
    assert recorder.handled == ["@pipewright status", "@pipewright again", "@pipewright help"]


def cut_off(database: str) -> None:
    """Let PostgreSQL give up every sign of life, as it does when a machine does not answer it any more."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
            " where application_name = 'pipewright sign of life' and datname = current_database()"
        )


def test_a_sign_of_life_that_postgresql_lost_is_shown_again(database: str, pool: Pool) -> None:
    job_id = begun_by_another(Queue(database, pool, None), pool)
    sign, other = alive.SignOfLife(database), alive.SignOfLife(database)
    assert sign.hold(job_id)
    cut_off(database)
    sign.keep()
    assert not other.hold(job_id), "it is shown again"
    sign.assure(job_id)
    assert sign.release(job_id)
    assert other.hold(job_id)
    other.close()
    sign.close()


def test_who_was_cut_off_learns_that_another_has_begun_it_and_also_that_another_has_ended_it(
    database: str, pool: Pool
) -> None:
    job_id = begun_by_another(Queue(database, pool, None), pool)
    sign, other = alive.SignOfLife(database), alive.SignOfLife(database)
    assert sign.hold(job_id)
    cut_off(database)
    assert other.hold(job_id)
    with pytest.raises(LostError):
        sign.assure(job_id)
    assert not sign.release(job_id)
    assert not sign.hold(job_id), "the other's is not given back by that"
    other.close()

    until(lambda: sign.hold(job_id))  # PostgreSQL hears a moment later that the other hung up
    cut_off(database)
    with pool.connection() as connection:  # as the next try does, whose worker has ended by now
        connection.execute("update procrastinate_jobs set attempts = attempts + 1")
    sign.keep()
    with pytest.raises(LostError):
        sign.assure(job_id)
    assert other.hold(job_id), "and it keeps nobody from it"
    sign.close()
    other.close()


def test_nothing_can_be_assured_while_postgresql_is_away(database: str, pool: Pool) -> None:
    job_id = begun_by_another(Queue(database, pool, None), pool)
    sign = alive.SignOfLife(database)
    assert sign.hold(job_id)
    name = conninfo_to_dict(database)["dbname"]
    with psycopg.connect(database, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"alter database {name} allow_connections false".encode())
        connection.execute("select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = %s", (name,))
        with pytest.raises(UnreachableError):
            sign.assure(job_id)
        with pytest.raises(UnreachableError):
            sign.hold(job_id + 1)
        assert not sign.release(job_id), "nobody knows whose it is"
        connection.execute(f"alter database {name} allow_connections true".encode())
    sign.close()


def test_who_comes_back_after_its_order_was_done_by_another_does_and_writes_nothing_more(
    database: str, pool: Pool
) -> None:
    recorder, done_after_all = Recorder(), []
    other = Queue(database, pool, recorder.work(), takeover_seconds=0.0)

    def is_cut_off_meanwhile(event: Event, order_id: UUID) -> str:
        if recorder.handled:
            return recorder.handle(event, order_id)
        cut_off(database)
        other.run_worker(1, threading.Event(), wait=False)
        assured()  # as before each change in GitLab
        done_after_all.append("the same once more")
        return "done twice"

    queue = Queue(database, pool, replace(recorder.work(), handle=is_cut_off_meanwhile))
    queue.accept("delivery-1", mention(1))
    queue.run_worker(1, threading.Event(), wait=False)
    assert (recorder.handled, done_after_all) == (["@pipewright help"], [])
    with pool.connection() as connection:
        assert connection.execute("select state, result from orders").fetchall() == [("done", "done")]
        assert connection.execute("select count(*) from procrastinate_jobs").fetchone() == (0,)
    queue.accept("delivery-2", mention(1, "@pipewright status"))
    queue.run_worker(1, threading.Event(), wait=False)
    assert recorder.handled == ["@pipewright help", "@pipewright status"], "it goes on working"


def test_who_comes_back_while_another_is_at_it_leaves_the_end_to_the_other(database: str, pool: Pool) -> None:
    recorder = Recorder()
    other = alive.SignOfLife(database)

    def is_cut_off_meanwhile(_event: Event, _order_id: UUID) -> str:
        cut_off(database)
        with pool.connection() as connection:
            row = connection.execute("update procrastinate_jobs set attempts = attempts + 1 returning id").fetchone()
        assert row is not None
        assert other.hold(row[0], 1)
        raise UnreachableError("GitLab", "it could not be reached either")

    queue = Queue(database, pool, replace(recorder.work(), handle=is_cut_off_meanwhile))
    queue.accept("delivery-1", mention(1))
    queue.run_worker(1, threading.Event(), wait=False)
    with pool.connection() as connection:
        assert connection.execute("select status, attempts from procrastinate_jobs").fetchall() == [("doing", 1)]
    other.close()


def test_whose_process_stands_still_though_its_machine_answers_holds_its_order_no_longer(
    database: str, pool: Pool
) -> None:
    recorder, standing = Recorder(), alive.SignOfLife(database)
    queue = Queue(database, pool, recorder.work(), takeover_seconds=0.1, silent_seconds=0.5)
    job_id = begun_by_another(queue, pool)
    assert standing.hold(job_id)
    with working(queue):
        until(lambda: is_done(pool))
    assert recorder.handled == ["@pipewright help"]
    with pytest.raises(LostError):
        standing.assure(job_id)
    standing.close()


def test_what_is_worked_on_here_is_not_begun_here_again(database: str) -> None:
    sign = alive.SignOfLife(database)
    assert sign.hold(7)
    assert not sign.hold(7)
    sign.close()


def test_a_job_whose_end_could_not_be_stored_blocks_its_conversation_no_longer_than_a_dead_one(
    database: str, pool: Pool
) -> None:
    recorder = Recorder()
    queue = Queue(database, pool, recorder.work(), takeover_seconds=0.2)
    begun_by_another(queue, pool)
    with pool.connection() as connection:
        connection.execute("update orders set state = 'done'")  # the order was finished, only the queue never heard
    with working(queue):
        queue.accept("delivery-2", mention(1, "@pipewright status"))
        until(lambda: recorder.handled == ["@pipewright status"])


def test_as_many_orders_run_at_once_as_the_setting_says(database: str, pool: Pool) -> None:
    together = threading.Barrier(12, timeout=PATIENCE_SECONDS)
    told = Recorder().work()
    queue = Queue(database, pool, replace(told, handle=lambda _event, _order: str(together.wait())))
    for number in range(12):
        queue.accept(f"delivery-{number}", mention(number))
    queue.run_worker(12, threading.Event(), wait=False)
    with pool.connection() as connection:
        assert orders.count_by_state(connection) == {"done": 12}
