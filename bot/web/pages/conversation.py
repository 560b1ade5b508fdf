"""One conversation: what was asked and answered, the draft as it stands, Yes and No, and the box to talk on."""

import hashlib
import re
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import ClientException, NotFoundException, PermissionDeniedException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect
from psycopg import DataError

from bot.domain import AccessLevel, CannotError, Chat, Decision, ProjectRef
from bot.store import conversations, history, proposals, repairs
from bot.store.conversations import Conversation
from bot.web.door.rights import rights_of
from bot.web.door.visitors import Visitor, visitor_of
from bot.web.pages import marks
from bot.web.pages.draft_view import choice_for, view_of
from bot.web.pages.looks import looks_of, statuses
from bot.web.pages.render import page
from bot.web.pages.words import TURNS, past_of
from bot.web.parts import WebParts, parts_of

_NOWHERE = "There is no such conversation, or you may not read it."
_LONGEST_MESSAGE = 20_000
_STATES = 10
_HTML: dict[str, Any] = {"include_in_schema": False, "sync_to_thread": True}

AnyRequest = Request[Any, Any, Any]
Form = dict[str, str]


@get("/conversations/{conversation_id:str}", **_HTML)
def show(request: AnyRequest, conversation_id: FromPath[str]) -> Response[str]:
    """Show one conversation to whoever may read it."""
    visitor, conversation = readable(request, conversation_id)
    return page(request, "conversation.html", **_values(request, visitor, conversation))


@get("/conversations/{conversation_id:str}/live", **_HTML)
def live(request: AnyRequest, conversation_id: FromPath[str]) -> Response[Any]:
    """Answer with the part that changes, or with nothing (204) while it is as `version` says."""
    visitor, conversation = readable(request, conversation_id)
    if request.query_params.get("version") == _version(request, visitor, conversation):
        return Response(None, status_code=204)
    return page(request, "live.html", **_values(request, visitor, conversation))


@post("/conversations/{conversation_id:str}/messages", **_HTML)
def say(request: AnyRequest, conversation_id: FromPath[str], data: URLEncodedBody[Form]) -> Redirect:
    """Take a message from the box at the bottom; the answer appears on the page."""
    visitor, conversation = readable(request, conversation_id)
    ask(request, visitor, project_of(visitor, conversation.project_id), data, conversation.id)
    return Redirect(f"/conversations/{conversation.id}#newest", status_code=303)


@post("/conversations/{conversation_id:str}/decisions", **_HTML)
def decide(request: AnyRequest, conversation_id: FromPath[str], data: URLEncodedBody[Form]) -> Redirect:
    """Take a Yes or No to the commit that was shown; whether it counts is settled by whoever works on it."""
    visitor, conversation = readable(request, conversation_id)
    decision = Decision(
        project=project_of(visitor, conversation.project_id),
        author=visitor.person,
        conversation_id=conversation.id,
        proposal_id=read_id(data.get("proposal", "")),
        sha=_sha(data),
        is_yes=_is_yes(data),
        channel=uuid4(),
        may_change=visitor.may_change,
    )
    with parts_of(request).pool.connection() as connection:
        known = proposals.find(connection, decision.proposal_id)
    if known is None or known.conversation_id != conversation.id:
        raise NotFoundException("There is no such draft in this conversation.")
    parts_of(request).queue.accept(f"decision:{decision.channel}", decision)
    return Redirect(f"/conversations/{conversation.id}#newest", status_code=303)


ROUTES = (show, live, say, decide)


def readable(request: AnyRequest, conversation_id: str) -> tuple[Visitor, Conversation]:
    """Return who asks and the conversation they may read; raise NotFoundException where they may not."""
    visitor, id_ = visitor_of(request), read_id(conversation_id)
    with parts_of(request).pool.connection() as connection:
        found = conversations.get(connection, id_)
    if found is None or not rights_of(request).may_read(visitor, found):
        raise NotFoundException(_NOWHERE)
    return visitor, found


def read_id(text: str) -> UUID:
    """Return an id from an address or a form; raise NotFoundException when it is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFoundException(_NOWHERE) from error


def project_of(visitor: Visitor, path_or_id: int | str) -> ProjectRef:
    """Return a project as GitLab shows it to the visitor; raise NotFoundException when it does not."""
    try:
        found = visitor.gitlab.find_project(str(path_or_id))
    except CannotError as unseen:
        raise NotFoundException("There is no such project, or you may not see it.") from unseen
    return ProjectRef(id=found.id, path=found.path, web_url=found.web_url)


def ask(
    request: AnyRequest, visitor: Visitor, project: ProjectRef, form: Form, conversation_id: UUID | None = None
) -> UUID:
    """Let the bot hear a message; return its channel. Raises ClientException or PermissionDeniedException."""
    message = form.get("message", "").replace("\x00", "").strip()
    if not message or len(message) > _LONGEST_MESSAGE:
        raise ClientException(f"Write a message of 1 to {_LONGEST_MESSAGE} characters.")
    if rights_of(request).role(visitor, project.id) < AccessLevel.REPORTER:
        raise PermissionDeniedException("To talk about a project one needs at least the role Reporter in it.")
    chat = Chat(
        project=project,
        author=visitor.person,
        text=message,
        channel=uuid4(),
        conversation_id=conversation_id,
        may_change=visitor.may_change,
    )
    try:
        parts_of(request).queue.accept(f"chat:{chat.channel}", chat)
    except DataError as error:
        raise ClientException("The message holds characters that cannot be stored.") from error
    return chat.channel


def _sha(form: Form) -> str:
    sha = form.get("sha", "")
    if not re.fullmatch("[0-9a-f]{40,64}", sha):
        raise ClientException("A decision names the whole commit that was shown. Reload the page and try again.")
    return sha


def _is_yes(form: Form) -> bool:
    if form.get("decision") not in ("yes", "no"):
        raise ClientException("A decision is yes or no.")
    return form["decision"] == "yes"


def _values(request: AnyRequest, visitor: Visitor, conversation: Conversation) -> dict[str, object]:
    parts, looks, rights = parts_of(request), looks_of(request), rights_of(request)
    version = _version(request, visitor, conversation)
    with parts.pool.connection() as connection:
        entry = history.find(connection, conversation.id)
        belongings = history.belongings(connection, conversation.id)
        turns = history.turns(connection, conversation.id, limit=TURNS + 1)
        offers = history.states(connection, conversation.id, limit=_STATES + 2)
        newest = proposals.newest_for_conversation(connection, conversation.id)
        is_busy = history.is_busy(connection, conversation.id)
        failed = (
            repairs.for_merge_request(connection, newest.project_id, newest.merge_request_iid or 0) if newest else []
        )
    earlier = [each for each in offers if newest is None or each.id != newest.id]
    view = view_of(parts.pool, looks, visitor, newest) if newest else None
    return {
        "entry": entry,
        "belongings": belongings,
        "past": past_of(turns, homes(parts)),
        "view": view,
        "choice": choice_for(looks, rights, visitor, newest) if newest else None,
        "offers": earlier[:_STATES],
        "older_states": marks.written((earlier[_STATES - 1].created_at, earlier[_STATES - 1].id))
        if len(earlier) > _STATES
        else None,
        "repairs": failed,
        "project_url": project_url(parts, conversation.project_path),
        "may_talk": rights.role(visitor, conversation.project_id) >= AccessLevel.REPORTER,
        "version": version,
        "is_busy": is_busy or (view is not None and view.is_moving),
    }


def _version(request: AnyRequest, visitor: Visitor, conversation: Conversation) -> str:
    """Return a word that differs as soon as the page would, without reading all of it."""
    with parts_of(request).pool.connection() as connection:
        known = history.pulse(connection, conversation.id)
        newest = proposals.newest_for_conversation(connection, conversation.id)
    seen: object = None
    if newest is not None and newest.pipeline_id is not None:
        pipeline_id = newest.after_merge_pipeline_id or newest.pipeline_id
        status = newest.after_merge_status if newest.after_merge_pipeline_id else newest.pipeline_status
        seen = dict(statuses(looks_of(request).jobs(visitor, newest.project_id, pipeline_id, status)))
    choice = choice_for(looks_of(request), rights_of(request), visitor, newest) if newest else None
    return hashlib.sha256(f"{known}{seen}{choice}".encode()).hexdigest()[:16]


def homes(parts: WebParts) -> tuple[str, ...]:
    """Return the addresses that links in people's words may lead to."""
    return tuple(address for address in (parts.settings.gitlab_url, parts.settings.public_url) if address)


def project_url(parts: WebParts, path: str) -> str:
    """Return a project's address in GitLab."""
    return f"{parts.settings.gitlab_url}/{quote(path)}"
