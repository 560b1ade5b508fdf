"""The line of deliveries: who waits for whom, and who is told what."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from psycopg import DataError, OperationalError

from bot.domain import Event, Mention, Noteable, Person, PipelineChanged, ProjectRef
from bot.store.arrivals import Accepted, Receipt
from bot.web.intake import Intake

EVENT = Mention(
    project=ProjectRef(id=7, path="team/app"),
    noteable=Noteable(kind="issue", iid=1),
    author=Person(id=5, username="ada"),
    text="@pipewright help",
)
RUN = PipelineChanged(project=EVENT.project, pipeline_id=1, ref="main", sha="a" * 40, status="running")


class Writer:
    """Stands for the queue: writes when it is let, and knows what came together."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.together: list[list[str]] = []
        self.noted: list[str] = []

    def note(self, receipts: Sequence[Receipt]) -> None:
        self.noted += [one.result for one in receipts]

    def accept_all(self, deliveries: Sequence[tuple[str, Event]]) -> list[Receipt | DataError]:
        keys = [key for key, _ in deliveries]
        self.together.append(keys)
        self.let.wait(20)
        if "away" in keys:
            raise OperationalError("PostgreSQL is away")
        return [DataError("odd") if key == "odd" else Receipt(result="queued") for key in keys]

    async def accept_mentions(self, deliveries: Sequence[tuple[str, Mention]]) -> list[Receipt | DataError]:
        return await asyncio.to_thread(self.accept_all, deliveries)


async def until_writing(writer: Writer, count: int) -> None:
    while len(writer.together) < count:
        await asyncio.sleep(0.001)


async def _sent(writer: Writer, later: Sequence[str]) -> list[asyncio.Task[Accepted]]:
    """One begins at once, alone; the others come while it is written."""
    intake = Intake(writer.accept_all, writer.accept_mentions, writer.note)
    tasks = [asyncio.create_task(intake.accept("first", EVENT))]
    await until_writing(writer, 1)
    tasks += [asyncio.create_task(intake.accept(key, EVENT)) for key in later]
    await asyncio.sleep(0)
    return tasks


def test_what_comes_while_others_are_written_goes_together_and_nobody_is_answered_before() -> None:
    async def story() -> None:
        writer = Writer()
        tasks = await _sent(writer, ["second", "third", "fourth"])
        assert not any(task.done() for task in tasks)
        writer.let.set()
        assert await asyncio.gather(*tasks) == ["queued"] * 4
        assert writer.together == [["first"], ["second", "third", "fourth"]]

    asyncio.run(story())


def test_many_go_in_parties_of_like_size_so_that_the_web_answers_one_while_postgresql_writes_the_other() -> None:
    async def story() -> list[int]:
        writer = Writer()
        tasks = await _sent(writer, [str(number) for number in range(30)])
        writer.let.set()
        await asyncio.gather(*tasks)
        return [len(party) for party in writer.together]

    assert asyncio.run(story()) == [1, 16, 14]


def test_the_next_party_is_begun_before_the_last_is_answered() -> None:
    async def story() -> list[str]:
        seen: list[str] = []
        intake: Intake

        async def accept_mentions(deliveries: Sequence[tuple[str, Mention]]) -> list[Receipt]:
            seen.extend(f"{key} begun" for key, _ in deliveries)
            await asyncio.sleep(0.01)
            return [Receipt(result="queued") for _ in deliveries]

        async def send(key: str) -> None:
            await intake.accept(key, EVENT)
            seen.append(f"{key} answered")

        intake = Intake(Writer().accept_all, accept_mentions, lambda _: None)
        first = asyncio.create_task(send("first"))
        while not seen:
            await asyncio.sleep(0)
        await asyncio.gather(first, send("second"))
        return seen

    assert asyncio.run(story()) == ["first begun", "second begun", "first answered", "second answered"]


def test_what_has_to_be_looked_up_goes_by_itself_and_nobody_overtakes_it() -> None:
    async def story() -> list[list[str]]:
        writer = Writer()
        intake = Intake(writer.accept_all, writer.accept_mentions, writer.note)
        events = [("first", EVENT), ("a", EVENT), ("b", EVENT), ("run", RUN), ("rerun", RUN), ("c", EVENT)]
        tasks = [asyncio.create_task(intake.accept(key, event)) for key, event in events[:1]]
        await until_writing(writer, 1)
        tasks += [asyncio.create_task(intake.accept(key, event)) for key, event in events[1:]]
        await asyncio.sleep(0)
        writer.let.set()
        assert await asyncio.gather(*tasks) == ["queued"] * 6
        return writer.together

    assert asyncio.run(story()) == [["first"], ["a", "b"], ["run", "rerun"], ["c"]]


def test_what_comes_in_the_moment_when_the_writer_ends_is_written_too() -> None:
    async def story() -> None:
        writer = Writer()
        intake = Intake(writer.accept_all, writer.accept_mentions, writer.note)

        async def sends(*keys: str) -> list[Accepted]:
            return [await intake.accept(key, EVENT) for key in keys]

        sender = asyncio.create_task(sends("first", "second", "third"))
        await until_writing(writer, 1)
        writer.let.set()
        assert await asyncio.wait_for(sender, 20) == ["queued"] * 3

    asyncio.run(story())


def test_nobody_waits_for_the_log() -> None:
    async def story() -> list[str]:
        writer = Writer()
        writer.let.set()
        seen: list[str] = []
        intake = Intake(writer.accept_all, writer.accept_mentions, lambda _: seen.append("noted"))

        async def send() -> None:
            await intake.accept("first", EVENT)
            seen.append("answered")

        await send()
        await asyncio.sleep(0)
        return seen

    assert asyncio.run(story()) == ["answered", "noted"]


def test_what_is_stored_is_noted_and_what_is_not_is_not() -> None:
    async def story() -> list[str]:
        writer = Writer()
        tasks = await _sent(writer, ["odd", "third", "fourth"])
        tasks[2].cancel()  # hangs up, and is stored all the same
        writer.let.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)
        return writer.noted

    assert asyncio.run(story()) == ["queued"] * 3


def test_one_that_cannot_be_stored_spoils_no_other() -> None:
    async def story() -> list[str]:
        writer = Writer()
        writer.let.set()
        intake = Intake(writer.accept_all, writer.accept_mentions, writer.note)
        found = await asyncio.gather(*(intake.accept(key, EVENT) for key in "a odd b".split()), return_exceptions=True)
        return [one if isinstance(one, str) else type(one).__name__ for one in found]

    assert asyncio.run(story()) == ["queued", "DataError", "queued"]


def test_while_postgresql_is_away_everybody_is_told_and_the_next_is_tried_again() -> None:
    async def story() -> None:
        writer = Writer()
        tasks = await _sent(writer, ["away", "beside"])
        writer.let.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in found] == [str, OperationalError, OperationalError]
        intake = Intake(writer.accept_all, writer.accept_mentions, writer.note)
        with pytest.raises(OperationalError):
            await intake.accept("away", EVENT)
        assert await intake.accept("later", EVENT) == "queued"

    asyncio.run(story())


def test_a_sender_that_hangs_up_harms_no_other() -> None:
    async def story() -> None:
        writer = Writer()
        tasks = await _sent(writer, ["second", "third"])
        tasks[1].cancel()
        writer.let.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [str(one) for one in (found[0], found[2])] == ["queued"] * 2
        assert isinstance(found[1], asyncio.CancelledError)

    asyncio.run(story())
