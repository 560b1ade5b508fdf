"""A worker: carries out what is queued, takes over what nobody works on any more, looks for what no webhook told."""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import procrastinate
import structlog
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

from bot.store import alive
from bot.store.pool import Pool
from bot.tasks.accepting import QUEUE

log = structlog.get_logger()

_PAUSE_SECONDS = 1.0
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Worker:
    """Works on what `app` has queued; `look` finds what was missed, every `look_seconds` (0: never)."""

    def __init__(
        self,
        app: procrastinate.App,
        pool: Pool,
        sign: alive.SignOfLife,
        *,
        takeover_seconds: float,
        silent_seconds: float,
        look: Callable[[], object],
        look_seconds: float,
    ) -> None:
        self._app = app
        self._pool = pool
        self._sign = sign
        self._takeover_seconds, self._silent_seconds = takeover_seconds, silent_seconds
        self._look, self._look_seconds = look, look_seconds
        self._abandoned_since: dict[int, float] = {}

    def run(self, concurrency: int, stop: threading.Event, *, wait: bool = True) -> None:
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
            queues=[QUEUE],
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
        while self._look_seconds and not stop.is_set():
            self._look_safely()
            stop.wait(min(max(self._look_seconds / 2, 0.2), 10.0))

    def _look_safely(self) -> None:
        try:
            self._look()
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
