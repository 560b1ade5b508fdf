"""What surrounds a project: GitLab's tier and version, its runners, and what its own rules say about them."""

from bot.domain import CannotError, Surroundings
from bot.gitlab.surroundings import Instance
from bot.gitlab.values import Project
from bot.proposals.policy import Policy, read_policy


def surroundings_of(instance: Instance, project: Project, rules: str | None) -> Surroundings:
    """Return what is known; `rules` is the text of the project's `.pipewright.yml`.

    Rules that are not valid refuse whatever they decide about; a draft may be opened without them, and says so.
    """
    said, remark = Policy(), ""
    try:
        said = read_policy(rules)
    except CannotError as cannot:
        remark = f"what it says of runners is not followed: {cannot}"
    return Surroundings(
        version=instance.version,
        tier=_tier(project, instance),
        runners=instance.runners,
        is_privileged=said.runners.privileged,
        tags=said.runners.tags,
        wants_digests=said.images.digest,
        remark=remark,
    )


def _tier(project: Project, instance: Instance) -> str:
    """A project shows settings of paid tiers only where it has them; none means free where the edition is known."""
    if project.tier or instance.is_enterprise is None:
        return project.tier
    return "free"
