"""The queue: takes events in durably, runs them one after another for each conversation, rescues lost ones.

procrastinate's own "jobs" stay hidden in here: elsewhere a job is a part of a CI pipeline.
"""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import procrastinate
import psycopg
import structlog
from procrastinate.schema import SchemaManager
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from bot.claim import assured, claimed
from bot.domain import (
    Chat,
    Event,
    LostError,
    Mention,
    SkipError,
    UnreachableError,
)
from bot.logs import about_order
from bot.retries import MOST_UNHEARD, BusyError, OwnJobs, Patience, UnheardError
from bot.store import alive, intake, orders
from bot.store.arrivals import Accepted, Receipt, arrival_of, receipt_of
from bot.store.mentions import Mentions
from bot.store.pool import Pool, bounded
from bot.store.waking import WAKE_NEXT
from bot.tracing import Traces

log = structlog.get_logger()

_QUEUE, _TASK = "orders", "run_event"
_PAUSE_SECONDS = 1.0
_SILENT_SECONDS = 60.0
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_EVENTS = msgspec.json.Decoder(Event)  # made here, before there are threads: see bot/domain/known.py
# What can be wrong with one event and not with those beside it.
_OF_ONE = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError, psycopg.InternalError)
_SILENT = (UnreachableError, OperationalError, PoolTimeout)
_ACCEPT_SECONDS = 4.0  # GitLab gives up after ten, and then nobody reads our "try again later"


def queue_schema() -> str:
    """Return the SQL of the queue's own tables and our trigger."""
    return SchemaManager.get_schema() + WAKE_NEXT


@dataclass(frozen=True)
class Work:
    """What the queue calls: to handle an event, and to tell the person when that came to nothing."""

    handle: Callable[[Event, UUID], str]
    tell_broken: Callable[[Event, UUID, str], None]
    tell_unreachable: Callable[[Event, UUID, str], None]
    sweep: Callable[[Callable[[str, Event], str]], int] = lambda _accept: 0
    sweep_seconds: float = 60.0


class Queue:
    """Accepts events and runs them. `waits` are the seconds before each new try when something does not answer.

    What nobody has worked on for `takeover_seconds` though it was begun is taken over. A worker that has not spoken for
    `silent_seconds` counts as nobody, even where its connection stands.
    """

    def __init__(
        self,
        conninfo: str,
        pool: Pool,
        work: Work | None,
        *,
        waits: Sequence[int] = (1, 2, 5, 10, 20, 30),
        takeover_seconds: float = 20.0,
        silent_seconds: float = _SILENT_SECONDS,
        traces: Traces = Traces(),  # noqa: B008 - without a tracer it holds nothing
    ) -> None:
        self._pool = pool
        self._traces = traces
        self._work = work
        self._waits = waits
        self._takeover_seconds, self._silent_seconds = takeover_seconds, silent_seconds
        connector = procrastinate.PsycopgConnector(conninfo=bounded(conninfo), max_size=6)
        self._app = procrastinate.App(connector=connector)
        self._app.job_manager = self._jobs = OwnJobs(connector)
        self._app.task(name=_TASK, queue=_QUEUE, retry=Patience(waits), pass_context=True)(self._run)
        self._sign = alive.SignOfLife(conninfo)
        self._mentions = Mentions(conninfo, queue=_QUEUE, task=_TASK)
        self._abandoned_since: dict[int, float] = {}

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
            taken = iter(intake.take_in(connection, known, queue=_QUEUE, task=_TASK) if known else ())
        return [receipt_of(arrival, taken, began) for arrival in arrivals]

    def _note(self, told: Any, arrival: intake.Arrival, conversation: UUID, order: str, began: float) -> None:
        ids = {"conversation": str(conversation), "order": order}
        told.info("taken in", kind=arrival.kind, project_id=arrival.project_id, delivery=arrival.key, **ids)
        project = str(arrival.project_id)
        self._traces.taken_in(conversation, began, kind=arrival.kind, project=project, order=order)

    def run_worker(self, concurrency: int, stop: threading.Event, *, wait: bool = True) -> None:
        """Work until `stop` is set (then finish what runs), or with `wait` false until nothing is left to do."""
        looking = threading.Thread(target=self._look_until, args=(stop,), name="look")
        try:
            if wait:
                looking.start()
                self._work_on(concurrency, stop)
                looking.join()
            else:
                asyncio.run(self._work_through(concurrency))
        finally:
            self._sign.close()

    def _work_on(self, concurrency: int, stop: threading.Event) -> None:
        """Begin anew whenever PostgreSQL was away for longer than procrastinate bears."""
        while not stop.is_set():
            try:
                asyncio.run(self._work_until(concurrency, stop))
            except (procrastinate.exceptions.ProcrastinateException, OperationalError) as error:
                log.warning("the worker lost PostgreSQL", detail=str(error.__cause__ or error))
            if not stop.wait(_PAUSE_SECONDS):
                log.info("the worker begins anew")

    async def _work_through(self, concurrency: int) -> None:
        async with self._app.open_async():
            await self._rescue()
            await self._worker(concurrency, wait=False)

    async def _work_until(self, concurrency: int, stop: threading.Event) -> None:
        async with self._app.open_async():
            await self._rescue()
            worker = asyncio.create_task(self._worker(concurrency, wait=True))
            await self._watch(worker, stop)
            await asyncio.gather(worker, return_exceptions=stop.is_set())

    async def _worker(self, concurrency: int, *, wait: bool) -> None:
        # Python's own pool has six threads on two processors, and what waits for one shows no sign of life.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(concurrency + 4))
        await self._app.run_worker_async(
            queues=[_QUEUE],
            concurrency=concurrency,
            wait=wait,
            install_signal_handlers=False,
            fetch_job_polling_interval=1,
            delete_jobs="successful",
        )

    async def _watch(self, worker: "asyncio.Task[None]", stop: threading.Event) -> None:
        kept_at = rescued_at = time.monotonic()
        is_told = False
        while not worker.done():
            if stop.is_set() and not is_told:
                is_told = worker.cancel()  # it finishes what runs, and shows signs of life until then
            await asyncio.sleep(0.1)
            now = time.monotonic()
            if now - kept_at >= _PAUSE_SECONDS:
                kept_at = now
                await asyncio.to_thread(self._sign.keep)
            if now - rescued_at >= self._takeover_seconds / 4 and not is_told:
                rescued_at = now
                with suppress(OperationalError):  # there is another time
                    await self._rescue()

    def _look_until(self, stop: threading.Event) -> None:
        """Look for missed events now and then; whose turn it is among all workers is settled in the database."""
        every = self._work.sweep_seconds if self._work else 0.0
        while every and not stop.is_set():
            self._look()
            stop.wait(min(max(every / 2, 0.2), 10.0))

    def _look(self) -> None:
        try:
            self._told().sweep(self.accept)
        except (OperationalError, PoolTimeout) as error:
            log.warning("the look for missed events was cut short", detail=str(error))
        except Exception as error:  # a look that breaks must not end the worker
            log.error("the look for missed events broke", error_id=uuid.uuid4().hex[:12], exc_info=error)

    async def _rescue(self) -> None:
        """Take over what nobody works on any more: nothing else ever does."""
        now = time.monotonic()
        found = await asyncio.to_thread(self._abandoned)
        self._abandoned_since = {job_id: self._abandoned_since.get(job_id, now) for job_id in found}
        for job_id, since in self._abandoned_since.items():
            if now - since >= self._takeover_seconds:
                log.warning("taking over an order that nobody works on any more", job_id=job_id)
                with suppress(procrastinate.exceptions.ConnectorException):  # another was quicker
                    await self._app.job_manager.retry_job_by_id_async(job_id, retry_at=_LONG_AGO)

    def _abandoned(self) -> set[int]:
        with self._pool.connection(timeout=_PAUSE_SECONDS) as connection:
            if silent := alive.end_the_silent(connection, self._silent_seconds):
                log.warning("workers that said nothing for a long time hold their orders no longer", workers=silent)
            return alive.abandoned(connection)

    def _run(self, context: procrastinate.JobContext, order_id: str) -> None:
        job_id, attempts = (context.job.id or 0, context.job.attempts) if context.job else (0, 0)
        lock = context.job.lock if context.job else None
        conversation_id = UUID(lock) if lock else None
        traced = self._traces.about(conversation_id, "order", order=order_id, attempt=str(attempts + 1))
        with about_order(UUID(order_id), conversation_id), traced:
            self._hold(job_id, attempts)
            try:
                with claimed(lambda: self._sign.assure(job_id, attempts)):
                    self._run_event(UUID(order_id), tries=attempts - len(self._waits))
            except LostError:
                log.warning("another worker has, or may have, this order by now; nothing more of it is done here")
            finally:
                if not self._sign.release(job_id, attempts):
                    self._jobs.leave(job_id, attempts)

    def _hold(self, job_id: int, attempt: int) -> None:
        with suppress(UnreachableError):
            if self._sign.hold(job_id, attempt):
                return
        raise BusyError("somebody works on it, or no sign of life can be shown")

    def _run_event(self, order_id: UUID, *, tries: int) -> None:
        """Carry the order out; `tries` is 0 for the last one, and more for those after it, for nobody could be told."""
        if self._work is None:
            raise RuntimeError("this queue was opened for accepting only")
        event: Event | None = None
        try:
            event = self._start(order_id)
            if event is None:
                return
            result = self._work.handle(event, order_id)
            self._finish(order_id, "refused" if result == "refused" else "done", result)
            log.info("order done", result=result)
        except SkipError as nothing:
            self._end(order_id, "skipped", str(nothing), tries=tries)
            log.info("order skipped", reason=str(nothing))
        except LostError:
            raise
        except _SILENT as error:
            self._wait_or_give_up(order_id, event, _as_unreachable(error), tries=tries)
        except Exception as error:  # the one outermost catch: log with an id, tell it, raise
            self._break(order_id, event, error, tries=tries)
            raise

    def _start(self, order_id: UUID) -> Event | None:
        with self._pool.connection() as connection:
            text = orders.start(connection, order_id)
        return _EVENTS.decode(text) if text is not None else None

    def _finish(self, order_id: UUID, state: str, result: str, error_id: str | None = None) -> None:
        assured()
        with self._pool.connection() as connection:
            orders.finish(connection, order_id, state=state, result=result, error_id=error_id)

    def _wait_or_give_up(self, order_id: UUID, event: Event | None, error: UnreachableError, *, tries: int) -> None:
        log.warning("something does not answer", part=error.part, detail=str(error), giving_up=tries >= 0)
        if tries < 0:
            raise error
        tell = self._told().tell_unreachable
        self._end(order_id, "broken", str(error), tries=tries, tell=lambda: event and tell(event, order_id, error.part))
        raise error

    def _break(self, order_id: UUID, event: Event | None, error: Exception, *, tries: int) -> None:
        error_id = uuid.uuid4().hex[:12]
        log.error("order broken", error_id=error_id, exc_info=error)
        tell = self._told().tell_broken
        name = type(error).__name__
        self._end(
            order_id, "broken", name, error_id, tries=tries, tell=lambda: event and tell(event, order_id, error_id)
        )

    def _told(self) -> Work:
        assert self._work is not None  # checked before any work began
        return self._work

    def _end(
        self,
        order_id: UUID,
        state: str,
        result: str,
        error_id: str | None = None,
        *,
        tries: int,
        tell: Callable[[], object] = lambda: None,
    ) -> None:
        """Tell the person, and store the end; while that cannot be told or stored, the order is tried again."""
        try:
            _tell(tell)
            self._finish(order_id, state, result, error_id)
        except _SILENT as silent:
            if tries < MOST_UNHEARD:
                raise UnheardError(str(silent)) from silent
            self._finish(order_id, state, result, error_id)


def _tell(tell: Callable[[], object]) -> None:
    try:
        tell()
    except _SILENT:
        raise
    except Exception as error:  # noqa: BLE001 - failing to apologise must not hide what went wrong
        log.error("the person could not be told", detail=str(error))


def _as_unreachable(error: Exception) -> UnreachableError:
    return error if isinstance(error, UnreachableError) else UnreachableError("PostgreSQL", str(error))
