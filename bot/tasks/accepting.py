"""Takes events in: the delivery is remembered and its order queued in one transaction."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import structlog

from bot.domain import Chat, Event, Mention
from bot.store import intake
from bot.store.arrivals import Accepted, Receipt, arrival_of, receipt_of
from bot.store.mentions import Mentions
from bot.store.pool import Pool
from bot.tracing import Traces

log = structlog.get_logger()

QUEUE, TASK = "orders", "run_event"  # as procrastinate knows them
# What can be wrong with one event and not with those beside it.
_OF_ONE = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.InternalError)
_ACCEPT_SECONDS = 4.0  # GitLab gives up after ten, and then nobody reads our "try again later"


class Accepting:
    """Accepts events, one or many at once; nothing may be lost or doubled."""

    def __init__(self, conninfo: str, pool: Pool, traces: Traces) -> None:
        self._pool = pool
        self._traces = traces
        self._mentions = Mentions(conninfo, queue=QUEUE, task=TASK)

    def accept(self, delivery_key: str, event: Event) -> Accepted:
        """Remember the delivery and queue the event in one transaction; nothing else may be lost or doubled."""
        (outcome,) = self.accept_all([(delivery_key, event)])
        if isinstance(outcome, Exception):
            raise outcome
        self.note([outcome])
        return outcome.result

    def accept_all(self, deliveries: Sequence[tuple[str, Event]]) -> list[Receipt | psycopg.Error]:
        """Accept many in one transaction, each as if it were alone; what cannot be stored is told for it alone.

        Whoever calls hands the receipts to `note`, after everybody was answered. Raises OperationalError when
        PostgreSQL is away: then nothing is stored.
        """
        try:
            return list(self._accept(deliveries))
        except _OF_ONE as error:
            if len(deliveries) == 1:
                return [error]
            return [outcome for one in deliveries for outcome in self.accept_all([one])]

    async def accept_mentions(self, deliveries: Sequence[tuple[str, Mention]]) -> Sequence[Receipt | psycopg.Error]:
        """Do what `accept_all` does, on the loop of whoever calls, always the same one."""
        try:
            return await self._mentions.take_in(deliveries)
        except _OF_ONE:
            return await asyncio.to_thread(self.accept_all, deliveries)

    async def leave_loop(self) -> None:
        """Close what `accept_mentions` opened, before its loop ends."""
        await self._mentions.close()

    def note(self, receipts: Sequence[Receipt]) -> None:
        """Let the log, and the traces, lead on from what became orders to whoever works on them."""
        told = log.bind()  # once for all: each line would make it anew
        for one in receipts:
            if one.arrival is not None and one.conversation is not None:
                self._note(told, one.arrival, one.conversation, str(one.order), one.began)

    def _accept(self, deliveries: Sequence[tuple[str, Event]]) -> list[Receipt]:
        began = time.time()
        opens = any(isinstance(event, Chat) and not event.conversation_id for _, event in deliveries)
        with self._pool.connection(timeout=_ACCEPT_SECONDS) as connection, intake.one_step(connection, of_many=opens):
            arrivals = [arrival_of(connection, key, event) for key, event in deliveries]
            known = [arrival for arrival in arrivals if arrival is not None]
            taken = iter(intake.take_in(connection, known, queue=QUEUE, task=TASK) if known else ())
        return [receipt_of(arrival, taken, began) for arrival in arrivals]

    def _note(self, told: Any, arrival: intake.Arrival, conversation: UUID, order: str, began: float) -> None:
        ids = {"conversation": str(conversation), "order": order}
        told.info("taken in", kind=arrival.kind, project_id=arrival.project_id, delivery=arrival.key, **ids)
        project = str(arrival.project_id)
        self._traces.taken_in(conversation, began, kind=arrival.kind, project=project, order=order)
