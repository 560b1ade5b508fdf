"""Who may give which order: asked of GitLab each time, never of the payload."""

from bot.domain import AccessLevel, CannotError, Person
from bot.gitlab.client import GitLab
from bot.replies.texts import strangers


def require(gitlab: GitLab, project_id: int, person: Person, needed: AccessLevel, what: str) -> None:
    """Raise CannotError unless the person has at least this role now."""
    level = gitlab.access_level(project_id, person.id)
    if level < needed:
        raise CannotError(strangers(level, needed, what))


def require_merge_right(gitlab: GitLab, project_id: int, person: Person, branch: str) -> None:
    """Raise CannotError unless the person may merge into the branch, by its protection rule, and is no bot."""
    if gitlab.is_bot(person.id):
        raise CannotError("approvals of other bots don't count; a person has to approve.")
    if not gitlab.may_merge(project_id, person.id, branch):
        raise CannotError(
            f"to approve one must be allowed to merge into `{branch}`, and you are not. "
            "Someone who is can approve instead."
        )
