"""Who may give which order: what person and bot both may do, asked of GitLab each time, never of the payload."""

from bot.domain import AccessLevel, CannotError, Person
from bot.proposals.order import Order
from bot.replies.texts import bot_lacks, strangers
from bot.services import Services


def require(services: Services, order: Order, needed: AccessLevel, what: str) -> None:
    """Raise CannotError unless the person, and the bot too, have at least this role in the project now."""
    require_person(services, order, needed, what)
    if needed > AccessLevel.REPORTER:  # what the bot only reads, GitLab refuses by itself
        require_own(services, order.project.id, needed, what)


def require_person(services: Services, order: Order, needed: AccessLevel, what: str) -> None:
    """The same where the bot's own role is looked at with the project, which spares a call."""
    level = _level_of(services, order.project.id, order.person)
    if level < needed:
        raise CannotError(strangers(level, needed, what))


def require_own(
    services: Services, project_id: int, needed: AccessLevel, what: str, *, known: int | None = None
) -> None:
    """Raise CannotError unless the bot has this role; `known` is enough of an answer where it suffices."""
    if services.is_admin or (known is not None and known >= needed):
        return
    own = services.gitlab.access_level(project_id, services.bot.id)
    if own < needed:
        raise CannotError(bot_lacks(own, needed, what))


def require_merge_right(services: Services, project_id: int, person: Person, branch: str) -> None:
    """Raise CannotError unless the person may merge into the branch, by its protection rule, and is no bot."""
    if services.gitlab.is_bot(person.id):
        raise CannotError("approvals of other bots don't count; a person has to approve.")
    if _is_outsider(services, person) or not services.gitlab.may_merge(project_id, person.id, branch):
        raise CannotError(
            f"to approve one must be allowed to merge into `{branch}`, and you are not. "
            "Someone who is can approve instead."
        )


def _level_of(services: Services, project_id: int, person: Person) -> AccessLevel:
    return AccessLevel.NONE if _is_outsider(services, person) else services.gitlab.access_level(project_id, person.id)


def _is_outsider(services: Services, person: Person) -> bool:
    """GitLab tells only administrators who is external; for a token of less nobody is, and only roles count."""
    return services.is_admin and services.gitlab.is_external(person.id)
