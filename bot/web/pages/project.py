"""A project's page: the rules in force, how its drafts went, and a box to begin a conversation."""

from collections.abc import Sequence
from statistics import median

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from bot.domain import AccessLevel, CannotError
from bot.gitlab.values import Project
from bot.proposals.policy import POLICY_PATH, Policy
from bot.store import figures
from bot.store.figures import DraftFigures
from bot.web.door.rights import rights_of
from bot.web.door.visitors import Visitor, visitor_of
from bot.web.pages import rules
from bot.web.pages.conversation import AnyRequest
from bot.web.pages.looks import looks_of
from bot.web.pages.render import page
from bot.web.parts import parts_of


@get("/projects/{project:str}", sync_to_thread=True, include_in_schema=False)
def show(request: AnyRequest, project: FromPath[str]) -> Response[str]:
    """Show a project to whoever sees it in GitLab, by its id."""
    visitor, parts = visitor_of(request), parts_of(request)
    found = _found(visitor, project)
    role = rights_of(request).role(visitor, found.id)
    policy = looks_of(request).policy(visitor, found.id, found.default_branch) if found.default_branch else Policy()
    reads_drafts = role >= AccessLevel.REPORTER or visitor.sees_all
    with parts.pool.connection() as connection:
        drafts = figures.drafts_of(connection, found.id) if reads_drafts else []
    return page(
        request,
        "project.html",
        project=found,
        rules=rules.rows(policy) if isinstance(policy, Policy) else [],
        broken_rules=policy if isinstance(policy, str) else "",
        policy_path=POLICY_PATH,
        drafts=drafts,
        reads_drafts=reads_drafts,
        green=_median(drafts),
        merged=sum(each.status == "committed" for each in drafts),
        repairs=sum(each.repairs for each in drafts),
        may_talk=role >= AccessLevel.REPORTER,
    )


ROUTES = (show,)


def _found(visitor: Visitor, project: str) -> Project:
    if not (project.isascii() and project.isdecimal()):
        raise NotFoundException("There is no such project, or you may not see it.")
    try:
        return visitor.gitlab.find_project(project)
    except CannotError as unseen:
        raise NotFoundException("There is no such project, or you may not see it.") from unseen


def _median(drafts: Sequence[DraftFigures]) -> float | None:
    seconds = [each.green_seconds for each in drafts if each.green_seconds is not None]
    return median(seconds) if seconds else None
