"""What a program names, found as its person sees it: a project by address, path or id, and a conversation by its id."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Request
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException

from bot.domain import AccessLevel, CannotError, ProjectRef
from bot.gitlab.addresses import project_path
from bot.store import conversations
from bot.store.conversations import Conversation
from bot.web.door.rights import rights_of
from bot.web.door.visitors import Visitor
from bot.web.parts import parts_of

AnyRequest = Request[Any, Any, Any]

_NO_CONVERSATION = (
    "There is no such conversation, or your account may not read it. GET /api/v1/conversations lists those it may read."
)
_NO_PROJECT = (
    "There is no such project, or your account may not see it. Give its whole path, such as group/project, and ask its "
    "owner for access where it is missing."
)


def seen_project(visitor: Visitor, path_or_id: str) -> ProjectRef:
    """Return a project that the visitor can see, or raise NotFoundException."""
    try:
        found = visitor.gitlab.find_project(path_or_id)
    except CannotError as unseen:
        raise NotFoundException(_NO_PROJECT) from unseen
    return ProjectRef(id=found.id, path=found.path, web_url=found.web_url)


def project_at(request: AnyRequest, visitor: Visitor, repo_url: str) -> ProjectRef:
    """Return the project at a web address (or path), or raise: 422 for another host, 404 for what cannot be seen."""
    address = repo_url.strip()
    gitlab_url = parts_of(request).settings.gitlab_url
    if "://" not in address and "@" not in address:
        return seen_project(visitor, address.strip("/").removesuffix(".git"))
    path = project_path(address, gitlab_url)
    if path is not None:
        return seen_project(visitor, path)
    # People know GitLab by another address than this program, where that goes round a proxy.
    host = _host_of(address)
    path = project_path(address, host) if host else None
    known = _seen_or_none(visitor, path) if path else None
    if known is None or _host_of(known.web_url) != host:
        raise HTTPException(
            f"This address is not on the GitLab that this bot serves, {gitlab_url}. Give the address or the path of a "
            "project there.",
            status_code=422,
        )
    return known


def _host_of(address: str) -> str | None:
    """Return an address without what follows the host; None for one that cannot be read."""
    try:
        return "://".join(urlsplit(address)[:2])
    except ValueError:  # such as https://[
        return None


def _seen_or_none(visitor: Visitor, path: str) -> ProjectRef | None:
    try:
        return seen_project(visitor, path)
    except NotFoundException:
        return None


def seen_conversation(request: AnyRequest, visitor: Visitor, session_id: UUID) -> Conversation:
    """Return a conversation that the visitor may read, or raise NotFoundException: nothing else is told of others'."""
    with parts_of(request).pool.connection() as connection:
        found = conversations.get(connection, session_id)
    if found is None or not rights_of(request).may_read(visitor, found):
        raise NotFoundException(_NO_CONVERSATION)
    return found


def require_role(request: AnyRequest, visitor: Visitor, project: ProjectRef, needed: AccessLevel, what: str) -> None:
    """Raise PermissionDeniedException unless the visitor has at least this role; whoever works asks GitLab again."""
    if rights_of(request).role(visitor, project.id) < needed:
        role = needed.name.capitalize()
        raise PermissionDeniedException(f"To {what} one needs at least the role {role} in {project.path}.")


def require_writing_token(visitor: Visitor) -> None:
    """Raise PermissionDeniedException for a token that only reads."""
    if not visitor.may_change:
        raise PermissionDeniedException(
            "This token only reads; to change something it needs the scope `api`. Make one in GitLab under "
            "Preferences › Access tokens."
        )
