"""The history pages: what people asked, what was answered, proposed, approved and merged."""

from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from litestar import MediaType, Request, Response, get
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath

from bot.domain import Chat, Decision, Event, Mention, MergeRequestChanged, PipelineChanged, ProposalStatus
from bot.settings import Settings
from bot.store import approvals, conversations, history, proposals
from bot.web.door.rights import rights_of
from bot.web.door.visitors import visitor_of
from bot.web.pages.render import render
from bot.web.parts import parts_of

PAGE_SIZE = 30
_NOWHERE = "There is no such conversation, or you may not read it."
STATUSES = (*(status.value for status in ProposalStatus), "none")


@get("/", sync_to_thread=True, media_type=MediaType.HTML, include_in_schema=False)
def list_conversations(request: Request[Any, Any, Any]) -> Response[str]:
    """Show the conversations of the projects that GitLab shows the visitor, last changed first."""
    visitor = visitor_of(request)
    status = request.query_params.get("status") or None
    before = request.query_params.get("before")
    if status is not None and status not in STATUSES:
        raise ClientException(f"There is no status of this name; there are {', '.join(STATUSES)}.")
    mark = _read_mark(before) if before else None
    with parts_of(request).pool.connection() as connection:
        talked_in = history.projects(connection)
    seen = rights_of(request).seen_projects(visitor, talked_in)
    with parts_of(request).pool.connection() as connection:
        found = history.newest(connection, project_ids=seen, status=status, before=mark, limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    page = render(
        "list.html",
        entries=shown,
        statuses=STATUSES,
        status=status,
        is_first_page=before is None,
        older=_link(status, shown[-1]) if len(found) > PAGE_SIZE else None,
    )
    return Response(page, media_type=MediaType.HTML)


@get(
    "/conversations/{conversation_id:str}",
    sync_to_thread=True,
    media_type=MediaType.HTML,
    include_in_schema=False,
)
def show_conversation(request: Request[Any, Any, Any], conversation_id: FromPath[str]) -> Response[str]:
    """Show one conversation to whoever may read it."""
    visitor, parts, id_ = visitor_of(request), parts_of(request), _read_id(conversation_id)
    with parts.pool.connection() as connection:
        known = conversations.get(connection, id_)
    if known is None or not rights_of(request).may_read(visitor, known):
        raise NotFoundException(_NOWHERE)
    with parts.pool.connection() as connection:
        entry = history.find(connection, id_)
        if entry is None:
            raise NotFoundException(_NOWHERE)
        offers = proposals.for_conversation(connection, id_)
        page = render(
            "conversation.html",
            entry=entry,
            belongings=history.belongings(connection, id_),
            turns=[(turn, in_words(turn.event)) for turn in history.turns(connection, id_)],
            proposals=[
                (offer, _in_order(offer.composition.files), approvals.for_proposal(connection, offer.id))
                for offer in reversed(offers)
            ],
            project_url=_project_url(parts.settings, entry.project_path),
        )
    return Response(page, media_type=MediaType.HTML)


def in_words(event: Event) -> tuple[str, str]:
    """Return who did something and what."""
    match event:
        case Mention():
            return event.author.username, event.text
        case Chat():
            return event.author.username, event.text
        case MergeRequestChanged():
            return event.author.username, f"merge request {event.iid}: {event.action}"
        case Decision():
            return event.author.username, f"{'Yes' if event.is_yes else 'No'} to {event.sha[:8]}, on this page"
        case PipelineChanged():
            return "GitLab", f"pipeline {event.pipeline_id} of {event.ref}: {event.status}"
        case _:
            act = "reacted with" if event.is_award else "took back"
            return event.author.username, f"{act} :{event.emoji}:"


def _in_order(files: dict[str, str]) -> list[tuple[str, str]]:
    """Put the pipeline first, then Dockerfiles; the database does not keep the order."""
    return sorted(files.items(), key=lambda file: (file[0] != ".gitlab-ci.yml", "Dockerfile" not in file[0], file[0]))


def _project_url(settings: Settings, path: str) -> str:
    return f"{settings.gitlab_url}/{quote(path)}"


def _link(status: str | None, last: history.Entry) -> str:
    mark = f"{last.updated_at.isoformat()}_{last.id}"
    return "/?" + urlencode({"before": mark, **({"status": status} if status else {})})


def _read_mark(mark: str) -> tuple[datetime, UUID]:
    time, _, id_ = mark.partition("_")
    try:
        return datetime.fromisoformat(time), UUID(id_)
    except ValueError as error:
        raise ClientException("This link to older conversations is broken; start again at the first page.") from error


def _read_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFoundException(_NOWHERE) from error
