"""What a worker leaves behind when it dies is taken over; what one who is only silent still does is not."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import psycopg

from bot.store import alive, orders
from bot.store.pool import Pool
from bot.tasks import Queue
from tests.tasks.test_queue import Recorder, mention

PATIENCE_SECONDS = 60.0


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


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


def test_a_sign_of_life_that_postgresql_lost_is_shown_again(database: str, pool: Pool) -> None:
    sign = alive.SignOfLife(database)
    assert sign.hold(7)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'pipewright sign of life'"
            " and datname = current_database()"
        )
    sign.keep()  # hears that the line is dead
    sign.keep()
    other = alive.SignOfLife(database)
    assert not other.hold(7), "it is shown again"
    sign.release(7)
    assert other.hold(7)
    other.close()
    sign.close()


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
