"""The queue keeps its promises: once, in order, and answered even when something fails."""

import dataclasses
import threading
import time
from uuid import UUID

import pytest

from bot.domain import Event, Mention, Noteable, Person, PipelineChanged, ProjectRef, SkipError, UnreachableError
from bot.store import orders
from bot.store.pool import Pool
from bot.tasks import Queue, Work

PROJECT = ProjectRef(id=1, path="group/project")


def mention(iid: int, text: str = "@pipewright help") -> Mention:
    return Mention(
        project=PROJECT, noteable=Noteable(kind="issue", iid=iid), author=Person(id=7, username="ann"), text=text
    )


class Recorder:
    """Handles events by writing them down; `fail` says what to raise for which text."""

    def __init__(self, fail: dict[str, list[Exception]] | None = None) -> None:
        self.handled: list[str] = []
        self.told: list[str] = []
        self.fail = fail or {}
        self.running: set[UUID] = set()

    def work(self) -> Work:
        return Work(
            handle=self.handle,
            tell_broken=lambda event, order, error_id: self.told.append(f"broken {len(error_id)}"),
            tell_unreachable=lambda event, order, part: self.told.append(f"unreachable {part}"),
        )

    def handle(self, event: Event, order_id: UUID) -> str:
        assert isinstance(event, Mention)
        self.handled.append(event.text)
        if self.fail.get(event.text):
            raise self.fail[event.text].pop(0)
        time.sleep(0.01)
        return "done"


def drain(queue: Queue) -> None:
    for _ in range(20):
        queue.run_worker(4, threading.Event(), wait=False)
        with queue._pool.connection() as connection:
            if orders.waiting(connection)[0] == 0:
                return
        time.sleep(0.05)


def test_an_event_is_handled_once_however_often_it_is_delivered(database: str, pool: Pool) -> None:
    recorder = Recorder()
    queue = Queue(database, pool, recorder.work())

    answers = [queue.accept("delivery-1", mention(1)) for _ in range(3)]
    drain(queue)

    assert answers == ["queued", "duplicate", "duplicate"]
    assert recorder.handled == ["@pipewright help"]


def test_orders_of_one_conversation_keep_their_order(database: str, pool: Pool) -> None:
    recorder = Recorder()
    queue = Queue(database, pool, recorder.work())
    for number in range(6):
        queue.accept(f"delivery-{number}", mention(1, f"@pipewright {number}"))

    drain(queue)

    assert recorder.handled == [f"@pipewright {number}" for number in range(6)]


def test_a_pipeline_nobody_proposed_is_ignored(database: str, pool: Pool) -> None:
    queue = Queue(database, pool, None)

    event = PipelineChanged(project=PROJECT, pipeline_id=1, ref="main", sha="a" * 40, status="success")

    assert queue.accept("delivery-1", event) == "ignored"


def test_silence_of_an_outside_part_is_tried_again(database: str, pool: Pool) -> None:
    recorder = Recorder({"@pipewright help": [UnreachableError("GitLab", "timeout")]})
    queue = Queue(database, pool, recorder.work(), waits=(0, 0))
    queue.accept("delivery-1", mention(1))

    drain(queue)

    assert recorder.handled == ["@pipewright help"] * 2
    assert recorder.told == []


def test_a_part_that_asks_to_be_left_alone_is_left_alone_so_long(database: str, pool: Pool) -> None:
    recorder = Recorder({"@pipewright help": [UnreachableError("GitLab", "429", retry_after=600)]})
    queue = Queue(database, pool, recorder.work())
    queue.accept("delivery-1", mention(1))

    queue.run_worker(1, threading.Event(), wait=False)

    with pool.connection() as connection:
        row = connection.execute("select extract(epoch from scheduled_at - now()) from procrastinate_jobs").fetchone()
    assert row is not None
    assert 500 < row[0] <= 600


def test_whoever_asked_is_told_when_all_tries_failed(database: str, pool: Pool) -> None:
    recorder = Recorder({"@pipewright help": [UnreachableError("GitLab", "timeout")] * 9})
    queue = Queue(database, pool, recorder.work(), waits=(0, 0))
    queue.accept("delivery-1", mention(1))

    drain(queue)

    assert recorder.handled == ["@pipewright help"] * 3
    assert recorder.told == ["unreachable GitLab"]


@pytest.mark.parametrize("error", [UnreachableError("GitLab", "timeout"), ValueError("oh")], ids=["silence", "a fault"])
def test_an_order_whose_end_nobody_can_be_told_is_tried_again_until_it_is_done(
    database: str, pool: Pool, error: Exception
) -> None:
    recorder = Recorder({"@pipewright help": [error, error]})

    def silent(*_: object) -> None:
        raise UnreachableError("GitLab", "timeout")

    work = dataclasses.replace(recorder.work(), tell_broken=silent, tell_unreachable=silent)
    queue = Queue(database, pool, work, waits=())
    queue.accept("delivery-1", mention(1))

    for _ in range(3):
        queue.run_worker(1, threading.Event(), wait=False)
        with pool.connection() as connection:
            connection.execute("update procrastinate_jobs set scheduled_at = now()")

    assert recorder.handled == ["@pipewright help"] * 3
    with pool.connection() as connection:
        assert orders.count_by_state(connection) == {"done": 1}


@pytest.mark.parametrize(("error", "state"), [(SkipError("no"), "skipped"), (ValueError("oh"), "broken")])
def test_how_an_order_ended_is_stored(database: str, pool: Pool, error: Exception, state: str) -> None:
    recorder = Recorder({"@pipewright help": [error]})
    queue = Queue(database, pool, recorder.work())
    queue.accept("delivery-1", mention(1))

    drain(queue)

    with pool.connection() as connection:
        assert orders.count_by_state(connection) == {state: 1}
    assert recorder.told == (["broken 12"] if state == "broken" else [])
