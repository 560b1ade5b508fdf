"""What GitLab says now about a draft, asked with the visitor's own token and remembered for moments."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain import CannotError, UnreachableError
from bot.gitlab.answers import RefusedError
from bot.gitlab.values import Hook, Job, MergeRequest
from bot.proposals.policy import POLICY_PATH, Policy, read_policy
from bot.web.door.remembered import Clock, Remembered
from bot.web.door.tokens import Connection
from bot.web.door.visitors import Visitor

_ENDED = frozenset({"success", "failed", "canceled", "skipped"})
_MOST_REMEMBERED = 5_000
_SILENT = (RefusedError, UnreachableError)


class Looks:
    """Answers of GitLab by visitor. None stands for what GitLab does not show this visitor, or did not answer."""

    def __init__(self, clock: Clock) -> None:
        def remembered(seconds: float) -> Remembered[Any, Any]:
            return Remembered(seconds=seconds, most=_MOST_REMEMBERED, clock=clock)

        self._requests = remembered(3.0)
        self._running, self._ended = remembered(2.0), remembered(60.0)
        self._rules, self._hooks, self._models = remembered(30.0), remembered(60.0), remembered(20.0)

    def merge_request(self, visitor: Visitor, project_id: int, iid: int) -> MergeRequest | None:
        """Return a merge request as it stands."""
        key = (visitor.key, project_id, iid)
        known = self._requests.get(key)
        if known is None:
            try:
                known = (visitor.gitlab.merge_request(project_id, iid),)
            except _SILENT:
                known = (None,)
            self._requests.put(key, known)
        found: MergeRequest | None = known[0]
        return found

    def jobs(self, visitor: Visitor, project_id: int, pipeline_id: int, status: str | None) -> tuple[Job, ...]:
        """Return a pipeline's jobs; those of one that has ended change seldom."""
        key = (visitor.key, project_id, pipeline_id, status)
        shelf = self._ended if status in _ENDED else self._running
        known: tuple[Job, ...] | None = shelf.get(key)
        if known is None:
            try:
                known = visitor.gitlab.jobs(project_id, pipeline_id)
            except _SILENT:
                known = ()
            shelf.put(key, known)
        return known

    def policy(self, visitor: Visitor, project_id: int, branch: str) -> Policy | str:
        """Return the project's rules, or why they cannot be told."""
        key = (visitor.key, project_id, branch)
        known: Policy | str | None = self._rules.get(key)
        if known is None:
            try:
                known = read_policy(visitor.gitlab.read_file(project_id, branch, POLICY_PATH))
            except CannotError as broken:
                known = str(broken)
            except UnreachableError:
                known = "GitLab does not answer right now."
            self._rules.put(key, known)
        return known

    def hooks(self, visitor: Visitor, project_path: str) -> tuple[Hook, ...] | None:
        """Return a project's webhooks, for whoever may administer it."""
        key = (visitor.key, project_path)
        known = self._hooks.get(key)
        if known is None:
            try:
                known = (visitor.gitlab.hooks(project_path),)
            except _SILENT:
                known = (None,)
            self._hooks.put(key, known)
        found: tuple[Hook, ...] | None = known[0]
        return found

    def model(self, url: str, ask: Callable[[], bool]) -> bool:
        """Return whether an Ollama has the model; one that hangs is not asked at every look."""
        known: bool | None = self._models.get(url)
        if known is None:
            known = ask()
            self._models.put(url, known)
        return known


def statuses(jobs: tuple[Job, ...]) -> Mapping[str, str]:
    """Return the status of each job by its name."""
    return {job.name: job.status for job in jobs}


def looks_of(connection: Connection) -> Looks:
    """Return the looks that the app keeps."""
    looks = connection.app.state.looks
    assert isinstance(looks, Looks)  # create_app put it there
    return looks
