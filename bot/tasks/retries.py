"""How a try of a queued order ends: when the next one comes, and that only whoever still has the order says so."""

from collections.abc import Sequence
from typing import Any

import procrastinate
from procrastinate import RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from bot.domain import UnreachableError

_SECONDS_UNTIL_FREE = 5
_SECONDS_UNTIL_HEARD = 60
MOST_UNHEARD = 24 * 60  # a day of them


class BusyError(Exception):
    """The order cannot be begun now: another, who was only silent, still works on it, or PostgreSQL is away."""


class UnheardError(Exception):
    """Nobody could be told that we give up, for whoever carries our words is silent too: the order is tried again."""


class Patience(procrastinate.BaseRetryStrategy):
    """Only silence of an outside part is worth another try; the waits are short because they hold up a conversation."""

    def __init__(self, waits: Sequence[int]) -> None:
        self.waits = waits

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when the next try comes, None for never."""
        if isinstance(exception, BusyError):
            return RetryDecision(retry_in={"seconds": _SECONDS_UNTIL_FREE})
        if isinstance(exception, UnheardError):
            return RetryDecision(retry_in={"seconds": _SECONDS_UNTIL_HEARD})
        if not isinstance(exception, UnreachableError) or job.attempts >= len(self.waits):
            return None
        return RetryDecision(retry_in={"seconds": max(self.waits[job.attempts], exception.retry_after)})


class OwnJobs(JobManager):
    """Writes no end of a try that was left to others: whoever has begun the job by now writes its own."""

    def __init__(self, connector: BaseConnector) -> None:
        super().__init__(connector)
        self._left: set[tuple[int | None, int]] = set()

    def leave(self, job_id: int, attempt: int) -> None:
        """Leave the end of this try to others."""
        self._left.add((job_id, attempt))

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """End the job."""
        if not self._is_left(job):
            await super().finish_job(job, status, delete_job)

    async def retry_job(self, job: Job, *args: Any, **options: Any) -> None:
        """Let the job be tried again."""
        if not self._is_left(job):
            await super().retry_job(job, *args, **options)

    def _is_left(self, job: Job) -> bool:
        one = (job.id, job.attempts)
        is_left = one in self._left
        self._left.discard(one)
        return is_left
