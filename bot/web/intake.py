"""Takes deliveries in together: what arrives while PostgreSQL makes some durable shares the next transaction.

Each is answered only after the COMMIT that holds it. Nobody waits for company: a delivery that comes alone goes alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from bot.domain import Event
from bot.store.arrivals import Accepted, Receipt

Delivery = tuple[str, Event]
AcceptAll = Callable[[Sequence[Delivery]], Sequence[Receipt | Exception]]
Note = Callable[[Sequence[Receipt]], None]

_MOST_TOGETHER = 64


class Intake:
    """The line of deliveries between the web's one loop and its one writer.

    A second writer would only make smaller parties, which cost more: NOTIFY's lock lets one COMMIT at a time.
    """

    def __init__(self, accept_all: AcceptAll, note: Note) -> None:
        self._accept_all, self._note = accept_all, note
        self._waiting: list[tuple[Delivery, asyncio.Future[Accepted]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")

    async def accept(self, key: str, event: Event) -> Accepted:
        """Return once the event is durable; raises what the queue's own `accept` raises."""
        future: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting.append(((key, event), future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        try:
            await self._write_what_waits()
        finally:
            # Before anybody else has the loop: who comes then would count on one that has looked for the last time.
            self._writing = None

    async def _write_what_waits(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting[:_MOST_TOGETHER], self._waiting[_MOST_TOGETHER:]
            outcomes = await self._outcomes([delivery for delivery, _ in taken])
            for (_, future), outcome in zip(taken, outcomes, strict=True):
                _tell(future, outcome)
            # After those who were told just now have answered: a log may be slow.
            receipts = [outcome for outcome in outcomes if isinstance(outcome, Receipt)]
            asyncio.get_running_loop().call_soon(self._note, receipts)

    async def _outcomes(self, deliveries: Sequence[Delivery]) -> Sequence[Receipt | BaseException]:
        loop = asyncio.get_running_loop()
        (outcomes,) = await asyncio.gather(
            loop.run_in_executor(self._thread, self._accept_all, deliveries), return_exceptions=True
        )
        return [outcomes] * len(deliveries) if isinstance(outcomes, BaseException) else outcomes


def _tell(future: asyncio.Future[Accepted], outcome: Receipt | BaseException) -> None:
    if future.done():  # GitLab hung up; the order is stored all the same
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome.result)
