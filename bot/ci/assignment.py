"""Everything a pipeline is composed from, beside the templates."""

from msgspec import Struct

from bot.domain import Conventions, Surroundings, Survey, Wishes


class Assignment(Struct, frozen=True, kw_only=True):
    """A repository as it was read and understood, with what a person and the house want.

    `existing` is the text of its `.gitlab-ci.yml`; `paths` are all its files, `texts` those that were read.
    `retrieved` names templates, best first.
    """

    survey: Survey
    existing: str | None = None
    paths: tuple[str, ...] = ()
    texts: dict[str, str] = {}
    wishes: Wishes = Wishes()
    retrieved: tuple[str, ...] = ()
    conventions: Conventions = Conventions()
    surroundings: Surroundings = Surroundings()
