"""The queue as others see it: it accepts events, and runs a worker where it knows the work."""

import threading
from collections.abc import Sequence

import procrastinate
from procrastinate.schema import SchemaManager

from bot.store.alive import SignOfLife
from bot.store.pool import Pool, bounded
from bot.store.waking import WAKE_NEXT
from bot.tasks.accepting import QUEUE, TASK, Accepting
from bot.tasks.carrying import Carrier
from bot.tasks.retries import OwnJobs, Patience
from bot.tasks.work import Work
from bot.tasks.worker import Worker
from bot.tracing import Traces

_SILENT_SECONDS = 60.0


def queue_schema() -> str:
    """Return the SQL of the queue's own tables and our trigger."""
    return SchemaManager.get_schema() + WAKE_NEXT


class Queue(Accepting):
    """Accepts events and runs them. `waits` are the seconds before each new try when something does not answer.

    What nobody has worked on for `takeover_seconds` though it was begun is taken over. A worker that has not spoken for
    `silent_seconds` counts as nobody, even where its connection stands. Without `work` it only accepts.
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
        super().__init__(conninfo, pool, traces)
        self._conninfo = conninfo
        self._work = work
        self._waits = waits
        self._takeover_seconds, self._silent_seconds = takeover_seconds, silent_seconds

    def run_worker(self, concurrency: int, stop: threading.Event, *, wait: bool = True) -> None:
        """Work until `stop` is set (then finish what runs), or with `wait` false until nothing is left to do."""
        if self._work is None:
            raise RuntimeError("this queue was opened for accepting only")
        self._worker(self._work).run(concurrency, stop, wait=wait)

    def _worker(self, work: Work) -> Worker:
        connector = procrastinate.PsycopgConnector(conninfo=bounded(self._conninfo), max_size=6)
        app = procrastinate.App(connector=connector)
        app.job_manager = jobs = OwnJobs(connector)
        sign = SignOfLife(self._conninfo)
        carrier = Carrier(self._pool, work, waits=self._waits, sign=sign, jobs=jobs, traces=self._traces)
        app.task(name=TASK, queue=QUEUE, retry=Patience(self._waits), pass_context=True)(carrier.run)
        return Worker(
            app,
            self._pool,
            sign,
            takeover_seconds=self._takeover_seconds,
            silent_seconds=self._silent_seconds,
            look=lambda: work.sweep(self.accept),
            look_seconds=work.sweep_seconds,
        )
