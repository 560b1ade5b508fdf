"""The line of deliveries: who waits for whom, and who is told what."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from psycopg import DataError, OperationalError

from bot.domain import Event, Mention, Noteable, Person, ProjectRef
from bot.tasks import Accepted
from bot.web.intake import Intake

EVENT = Mention(
    project=ProjectRef(id=7, path="team/app"),
    noteable=Noteable(kind="issue", iid=1),
    author=Person(id=5, username="ada"),
    text="@pipewright help",
)


class Writer:
    """Stands for the queue: writes when it is let, and knows what came together."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.together: list[list[str]] = []

    def accept_all(self, deliveries: Sequence[tuple[str, Event]]) -> list[Accepted | DataError]:
        keys = [key for key, _ in deliveries]
        self.together.append(keys)
        self.let.wait(20)
        if "away" in keys:
            raise OperationalError("PostgreSQL is away")
        return [DataError("odd") if key == "odd" else "queued" for key in keys]


async def until_writing(writer: Writer, count: int) -> None:
    while len(writer.together) < count:
        await asyncio.sleep(0.001)


def wait_for_threads(intake: Intake) -> None:
    """Hold the loop until both threads have nothing to do: it hears of both in the same turn."""
    idle = threading.Barrier(3)
    for _ in range(2):
        intake._threads.submit(idle.wait, 20)
    idle.wait(20)


async def _sent(writer: Writer, later: Sequence[str]) -> list[asyncio.Task[Accepted]]:
    """Two begin at once, each alone; the others come while these are written."""
    intake = Intake(writer.accept_all)
    tasks = []
    for number, key in enumerate(("first", "second"), 1):
        tasks.append(asyncio.create_task(intake.accept(key, EVENT)))
        await until_writing(writer, number)
    tasks += [asyncio.create_task(intake.accept(key, EVENT)) for key in later]
    await asyncio.sleep(0)
    return tasks


def test_what_comes_while_others_are_written_goes_together_and_nobody_is_answered_before() -> None:
    async def story() -> None:
        writer = Writer()
        tasks = await _sent(writer, ["third", "fourth", "fifth"])
        assert not any(task.done() for task in tasks)
        writer.let.set()
        assert await asyncio.gather(*tasks) == ["queued"] * 5
        assert writer.together == [["first"], ["second"], ["third", "fourth", "fifth"]]

    asyncio.run(story())


def test_what_comes_in_the_moment_when_all_writers_end_is_written_too() -> None:
    async def story() -> None:
        writer = Writer()
        intake = Intake(writer.accept_all)

        async def sends(*keys: str) -> list[Accepted]:
            return [await intake.accept(key, EVENT) for key in keys]

        senders = []
        for number, keys in enumerate((("first", "third"), ("second",)), 1):
            senders.append(asyncio.create_task(sends(*keys)))
            await until_writing(writer, number)
        writer.let.set()
        wait_for_threads(intake)
        assert await asyncio.wait_for(asyncio.gather(*senders), 20) == [["queued", "queued"], ["queued"]]

    asyncio.run(story())


def test_one_that_cannot_be_stored_spoils_no_other() -> None:
    async def story() -> list[str]:
        writer = Writer()
        writer.let.set()
        intake = Intake(writer.accept_all)
        found = await asyncio.gather(*(intake.accept(key, EVENT) for key in "a odd b".split()), return_exceptions=True)
        return [one if isinstance(one, str) else type(one).__name__ for one in found]

    assert asyncio.run(story()) == ["queued", "DataError", "queued"]


def test_while_postgresql_is_away_everybody_is_told_and_the_next_is_tried_again() -> None:
    async def story() -> None:
        writer = Writer()
        tasks = await _sent(writer, ["away", "beside"])
        writer.let.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in found] == [str, str, OperationalError, OperationalError]
        intake = Intake(writer.accept_all)
        with pytest.raises(OperationalError):
            await intake.accept("away", EVENT)
        assert await intake.accept("later", EVENT) == "queued"

    asyncio.run(story())


def test_a_sender_that_hangs_up_harms_no_other() -> None:
    async def story() -> None:
        writer = Writer()
        tasks = await _sent(writer, ["third", "fourth"])
        tasks[2].cancel()
        writer.let.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [str(one) for one in (*found[:2], found[3])] == ["queued"] * 3
        assert isinstance(found[2], asyncio.CancelledError)

    asyncio.run(story())
