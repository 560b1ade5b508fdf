"""Carries one order out: held by this worker alone, told and stored however it ends."""

import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from uuid import UUID

import msgspec
import procrastinate
import structlog
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from bot.claim import assured, claimed
from bot.domain import Event, LostError, SkipError, UnreachableError
from bot.logs import about_order
from bot.store import orders
from bot.store.alive import SignOfLife
from bot.store.pool import Pool
from bot.tasks.retries import MOST_UNHEARD, BusyError, OwnJobs, UnheardError
from bot.tasks.work import Work
from bot.tracing import Traces

log = structlog.get_logger()

_EVENTS = msgspec.json.Decoder(Event)  # made here, before there are threads: see bot/domain/known.py
_SILENT = (UnreachableError, OperationalError, PoolTimeout)


class Carrier:
    """Carries orders out, as `work` says; `waits` are the seconds before each new try of one."""

    def __init__(
        self, pool: Pool, work: Work, *, waits: Sequence[int], sign: SignOfLife, jobs: OwnJobs, traces: Traces
    ) -> None:
        self._pool = pool
        self._work = work
        self._waits = waits
        self._sign = sign
        self._jobs = jobs
        self._traces = traces

    def run(self, context: procrastinate.JobContext, order_id: str) -> None:
        """Carry out the order of a job of the queue, unless somebody else still works on it."""
        job_id, attempts = (context.job.id or 0, context.job.attempts) if context.job else (0, 0)
        lock = context.job.lock if context.job else None
        conversation_id = UUID(lock) if lock else None
        traced = self._traces.about(conversation_id, "order", order=order_id, attempt=str(attempts + 1))
        with about_order(UUID(order_id), conversation_id), traced:
            self._hold(job_id, attempts)
            try:
                with claimed(lambda: self._sign.assure(job_id, attempts)):
                    self._carry_out(UUID(order_id), tries=attempts - len(self._waits))
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

    def _carry_out(self, order_id: UUID, *, tries: int) -> None:
        """Handle an order's event; `tries` is 0 for the last try, more for those after it, for nobody could be told."""
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
        tell = self._work.tell_unreachable
        self._end(order_id, "broken", str(error), tries=tries, tell=lambda: event and tell(event, order_id, error.part))
        raise error

    def _break(self, order_id: UUID, event: Event | None, error: Exception, *, tries: int) -> None:
        error_id = uuid.uuid4().hex[:12]
        log.error("order broken", error_id=error_id, exc_info=error)
        tell = self._work.tell_broken
        name = type(error).__name__
        self._end(
            order_id, "broken", name, error_id, tries=tries, tell=lambda: event and tell(event, order_id, error_id)
        )

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
