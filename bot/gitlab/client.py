"""All of GitLab that the bot uses, in one object."""

import time
from collections.abc import Callable

from bot.gitlab.hooks import Hooks
from bot.gitlab.merge_requests import MergeRequests
from bot.gitlab.notes import Notes
from bot.gitlab.people import People
from bot.gitlab.pipelines import Pipelines
from bot.gitlab.shown import Shown
from bot.gitlab.todos import Todos
from bot.gitlab.transport import OnCall, Transport
from bot.gitlab.whereabouts import Projects
from bot.gitlab.whole import Whole


class GitLab(People, Projects, Whole, Shown, Notes, MergeRequests, Pipelines, Hooks, Todos):
    """One GitLab, spoken to as one account.

    Methods raise CannotError when GitLab refuses and UnreachableError when it does not answer.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        ca_file: str | None = None,
        timeout: tuple[float, float] = (3.0, 20.0),
        on_call: OnCall | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.transport = Transport(url, token, ca_file=ca_file, timeout=timeout, on_call=on_call, sleep=sleep)
        self.sleep = sleep
        self.url = url
