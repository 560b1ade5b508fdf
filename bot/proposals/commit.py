"""The one way to a commit of the bot: its own branch, files it may touch, and on top of exactly what it looked at."""

import re
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from bot.ci.compose import CI_FILE
from bot.domain import CannotError
from bot.gitlab.answers import RefusedError
from bot.gitlab.values import Commit
from bot.proposals.order import Order
from bot.services import Services

BRANCHES = "pipewright/"
_OWN_NAME = re.compile(
    r"(?:.*/)?(?:[\w.-]*\.gitlab-ci\.yml|Dockerfile(?:\.[\w.-]+)?|[\w-]+\.Dockerfile|\.dockerignore)", re.ASCII
)
# Files::MultiService and Gitlab::Git::Index
_OVERTAKEN = ("changed since you started", "already exists", "doesn't exist")


class Writing(Struct, frozen=True, kw_only=True):
    """What to commit where. `base` is the head as it was looked at, `existing` the paths that are there."""

    project_id: int
    branch: str
    base: str
    message: str
    files: Mapping[str, str]
    existing: Collection[str] = ()
    removed: Collection[str] = ()


def require_allowed(path: str) -> None:
    """Raise CannotError for any file that is not a pipeline, a Dockerfile or a .dockerignore."""
    if not _OWN_NAME.fullmatch(path) or ".." in path.split("/") or path.startswith("/"):
        raise CannotError(
            f"I change only `{CI_FILE}`, child pipelines, Dockerfiles and .dockerignore files, not `{path}`."
        )


def earlier_commit(services: Services, order: Order, writing: Writing) -> Commit | None:
    """Return the commit that a cut-off try of the order made, found by its message, which names the order."""
    if order.attempts <= 1:
        return None
    return services.gitlab.commit_by_message(writing.project_id, writing.branch, writing.message)


def commit(services: Services, writing: Writing) -> Commit:
    """Commit; raise CannotError for what the bot does not touch, and where somebody was faster."""
    require_writable(writing.branch, (*writing.files, *writing.removed))
    try:
        return services.gitlab.commit_files(
            writing.project_id,
            branch=writing.branch,
            message=writing.message,
            files=writing.files,
            existing=writing.existing,
            removed=writing.removed,
            base=writing.base,
        )
    except RefusedError as refused:
        if not any(words in refused.detail for words in _OVERTAKEN):
            raise
        raise CannotError(
            f"somebody pushed to `{writing.branch}` while I was at work, so I wrote nothing over it. "
            "Look at what is there now, then ask me again."
        ) from refused


def require_writable(branch: str, paths: Iterable[str]) -> None:
    """Raise CannotError for a branch that is not one of the bot's own, and for paths it does not touch."""
    if not branch.startswith(BRANCHES):
        raise CannotError(f"I commit only to branches of my own (`{BRANCHES}…`), not to `{branch}`.")
    for path in paths:
        require_allowed(path)


def is_on(made: Commit, base: str) -> bool:
    """Tell whether a commit stands on exactly the one that was looked at, with nobody's push between."""
    return made.parents == (base,)


def pushed_between(branch: str, made: Commit, mention: str) -> CannotError:
    """Say that somebody's push came between our look and our commit: nothing is lost, but nothing is vouched for."""
    return CannotError(
        f"somebody pushed to `{branch}` in the very moment in which I committed `{made.sha[:8]}`. Nothing was written "
        "over: my commit stands on top of theirs. I approve nothing that I did not propose, so look at both, then "
        f"write `{mention} approve {made.sha[:8]}` to merge them together, or `{mention} reject`."
    )
