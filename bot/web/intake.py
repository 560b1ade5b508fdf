"""Takes deliveries in together: what arrives while PostgreSQL makes some durable shares the next transaction.

Each is answered only after the COMMIT that holds it. Nobody waits for company: a delivery that comes alone goes alone.
Mentions, which bring all there is to know, are written on the loop; what has to be looked up first, in a thread.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile

from bot.domain import Event, Mention
from bot.store.arrivals import Accepted, Receipt

Delivery = tuple[str, Event]
Outcomes = Sequence[Receipt | Exception]
AcceptAll = Callable[[Sequence[Delivery]], Outcomes]
AcceptMentions = Callable[[Sequence[tuple[str, Mention]]], Awaitable[Outcomes]]
Told = tuple[asyncio.Future[Accepted], Receipt | BaseException]
Note = Callable[[Sequence[Receipt]], None]

_FEW, _MOST_TOGETHER = 8, 64


class Intake:
    """The line of deliveries between the web's one loop and its one writer.

    A second writer would only make smaller parties, which cost more: NOTIFY's lock lets one COMMIT at a time.
    """

    def __init__(self, accept_all: AcceptAll, accept_mentions: AcceptMentions, note: Note) -> None:
        self._accept_all, self._accept_mentions, self._note = accept_all, accept_mentions, note
        self._waiting: deque[tuple[Delivery, asyncio.Future[Accepted]]] = deque()
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
        written: list[Told] = []
        while self._waiting:
            party = self._next_party(len(written))
            # Begun before those of the last party are answered: PostgreSQL works meanwhile.
            writing = asyncio.gather(self._written([delivery for delivery, _ in party]), return_exceptions=True)
            self._answer(written)
            (found,) = await writing
            outcomes = [found] * len(party) if isinstance(found, BaseException) else found
            written = list(zip((future for _, future in party), outcomes, strict=True))
        self._answer(written)

    def _next_party(self, last: int) -> list[tuple[Delivery, asyncio.Future[Accepted]]]:
        """Take who came first, and with them who came after: nobody overtakes, so mentions wait for what is not.

        Where many wait, this party and the one after it become of like size, for whoever is answered now sends again:
        of a large and a small one by turns, PostgreSQL or the web has nothing to do while the other is at the large
        one.
        """
        most = min(max((len(self._waiting) + last + 1) // 2, _FEW), _MOST_TOGETHER)
        kinds = [isinstance(event, Mention) for (_, event), _ in islice(self._waiting, most)]
        size = len(list(takewhile(lambda kind: kind == kinds[0], kinds)))
        return [self._waiting.popleft() for _ in range(size)]

    def _answer(self, written: Sequence[Told]) -> None:
        if not written:
            return
        for future, outcome in written:
            _tell(future, outcome)
        # After those who were told just now have answered: a log may be slow.
        receipts = [outcome for _, outcome in written if isinstance(outcome, Receipt)]
        asyncio.get_running_loop().call_soon(self._note, receipts)

    async def _written(self, deliveries: Sequence[Delivery]) -> Outcomes:
        mentions = [(key, event) for key, event in deliveries if isinstance(event, Mention)]
        if mentions:  # then all of them are
            return await self._accept_mentions(mentions)
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._accept_all, deliveries)


def _tell(future: asyncio.Future[Accepted], outcome: Receipt | BaseException) -> None:
    if future.done():  # GitLab hung up; the order is stored all the same
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome.result)
