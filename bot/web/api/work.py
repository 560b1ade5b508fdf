"""One order given over an address of ours, on its way: stored, heard of while it is worked on, and answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from litestar import Request
from litestar.exceptions import (
    ClientException,
    HTTPException,
    InternalServerException,
    PermissionDeniedException,
    ServiceUnavailableException,
    TooManyRequestsException,
)
from msgspec import Struct
from psycopg import DataError

from bot.domain import Chat, Decision
from bot.store import live, orders
from bot.store.orders import OrderRow
from bot.web.parts import WebParts

_TICK_SECONDS = 2.0
MODEL_DOWN, LIMITED = "model down", "limited"


class Outcome(Struct, frozen=True, kw_only=True):
    """How an order ended: `text` is what the person was answered."""

    order: OrderRow
    text: str
    steps: tuple[str, ...]

    @property
    def conversation_id(self) -> UUID:
        """Return the conversation; what comes over our addresses always has one."""
        assert self.order.conversation_id is not None
        return self.order.conversation_id


class Work:
    """One order on its way, from being stored to its answer. Given twice under one key it is done once."""

    def __init__(self, parts: WebParts, event: Chat | Decision, key: str, *, stops: bool = False) -> None:
        self._parts, self._event, self._key, self._stops = parts, event, key, stops
        self._order: OrderRow | None = None
        self._is_answered = False
        self._steps: list[str] = []

    async def events(self) -> AsyncIterator[tuple[str, Any]]:
        """Yield name and content of what happens; the last is `outcome`. Leaving before stops it, if so asked."""
        listening = live.listen(str(self._parts.pool.conninfo), self._event.channel, tick_seconds=_TICK_SECONDS)
        try:
            await anext(listening)  # listen first: nothing of the work is missed
            self._order = await asyncio.to_thread(self._accepted)
            yield "session", {"session_id": str(self._order.conversation_id)}
            outcome = await asyncio.to_thread(self._outcome)  # of an earlier request with the same key
            while outcome is None:
                heard = await anext(listening)
                if heard is not None and heard[0] != "end":
                    self._steps += [heard[1]] if heard[0] == "step" else []
                    yield heard[0], {"text": heard[1]}
                    continue
                outcome = await asyncio.to_thread(self._outcome)
                if outcome is None:
                    yield "sign", None
            self._is_answered = True
            yield "outcome", outcome
        finally:
            await listening.aclose()  # type: ignore[attr-defined]
            self.leave()

    def leave(self) -> None:
        """Stop what nobody waits for any more, if that was asked for."""
        if self._stops and not self._is_answered and self._order is not None:
            with self._parts.pool.connection() as connection:
                orders.ask_to_stop(connection, self._order.id)

    def _accepted(self) -> OrderRow:
        try:
            self._parts.queue.accept(self._key, self._event)
        except DataError as error:
            raise ClientException("The message holds characters that cannot be stored.") from error
        with self._parts.pool.connection() as connection:
            order = orders.find_by_delivery(connection, self._key)
        assert order is not None  # just stored under this key
        return order

    def _outcome(self) -> Outcome | None:
        """Return how the order ended; a worker that died is not heard, so the order itself is asked."""
        assert self._order is not None  # events() stored it
        with self._parts.pool.connection() as connection:
            order = orders.get(connection, self._order.id)
            if order is None or order.finished_at is None:
                return None
            return Outcome(order=order, text=orders.answer_of(connection, order.id), steps=tuple(self._steps))


async def until_answered(request: Request[Any, Any, Any], told: AsyncIterator[tuple[str, Any]]) -> Outcome:
    """Wait for the answer, or until the caller hangs up."""
    answering = asyncio.create_task(_last(told))
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientException("The caller hung up.")
        return answering.result()
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _last(told: AsyncIterator[tuple[str, Any]]) -> Outcome:
    outcome: Outcome | None = None
    async for name, content in told:
        outcome = content if name == "outcome" else outcome
    assert outcome is not None  # the last event is the outcome
    return outcome


async def _left(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def require_done(outcome: Outcome, is_forbidden: Callable[[], bool] = lambda: False) -> None:
    """Raise what became of an order that was not carried out, in words and with the right status."""
    order = outcome.order
    about = {"session_id": str(outcome.conversation_id), "result": order.result}
    if order.state == "broken" and order.error_id:
        raise InternalServerException(outcome.text, extra={**about, "error_id": order.error_id})
    if order.result == LIMITED:
        raise TooManyRequestsException(outcome.text, headers={"Retry-After": "60"}, extra=about)
    if order.state == "broken" or order.result == MODEL_DOWN:
        raise ServiceUnavailableException(outcome.text, headers={"Retry-After": "30"}, extra=about)
    if order.state == "refused":
        if is_forbidden():
            raise PermissionDeniedException(outcome.text, extra=about)
        raise conflict(outcome.text, **about)
    if order.state == "skipped":
        raise conflict(order.result, **about)


def conflict(words: str, **about: object) -> HTTPException:
    """Return the refusal of what does not fit how things stand; `about` goes into the problem."""
    return HTTPException(words, status_code=409, extra=dict(about))
