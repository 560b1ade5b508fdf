"""Takes deliveries in together: what arrives while PostgreSQL makes some durable shares the next transaction.

Each is answered only after the COMMIT that holds it. Nobody waits for company: a delivery that comes alone goes alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bot.domain import Event
from bot.tasks import Accepted

AcceptAll = Callable[[Sequence[tuple[str, Event]]], Sequence[Accepted | Exception]]

# While one waits for the disk the next is made; more only make smaller parties, behind NOTIFY's lock all the same.
_WRITERS = 2
_MOST_TOGETHER = 64


class Intake:
    """The line of deliveries between the web's one loop and its writers."""

    def __init__(self, accept_all: AcceptAll) -> None:
        self._accept_all = accept_all
        self._waiting: list[tuple[str, Event, asyncio.Future[Accepted]]] = []
        self._writers = 0
        self._tasks: set[asyncio.Task[None]] = set()  # the loop alone would not keep them
        self._threads = ThreadPoolExecutor(_WRITERS, thread_name_prefix="intake")

    async def accept(self, key: str, event: Event) -> Accepted:
        """Return once the event is durable; raises what the queue's own `accept` raises."""
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, event, future))
        if self._writers < _WRITERS:
            self._writers += 1
            task = asyncio.create_task(self._write())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await future

    async def _write(self) -> None:
        try:
            await self._write_what_waits()
        finally:
            # Before anybody else has the loop: who comes then would count on one that has looked for the last time.
            self._writers -= 1

    async def _write_what_waits(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:_MOST_TOGETHER], self._waiting[_MOST_TOGETHER:]
            outcomes = await self._outcomes([(key, event) for key, event, _ in taken])
            for (_, _, future), outcome in zip(taken, outcomes, strict=True):
                if future.done():  # GitLab hung up; the order is stored all the same
                    continue
                if isinstance(outcome, BaseException):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)

    async def _outcomes(self, deliveries: Sequence[tuple[str, Event]]) -> Sequence[Accepted | BaseException]:
        loop = asyncio.get_running_loop()
        (outcomes,) = await asyncio.gather(
            loop.run_in_executor(self._threads, self._accept_all, deliveries), return_exceptions=True
        )
        return [outcomes] * len(deliveries) if isinstance(outcomes, BaseException) else outcomes
