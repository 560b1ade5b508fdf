"""One state of a draft in full: files, facts with their evidence, sources, and what differs from another state."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath

from bot.store import history, proposals
from bot.store.proposals import Proposal
from bot.web.door.rights import rights_of
from bot.web.pages.compare import differences, one_below_the_other
from bot.web.pages.conversation import AnyRequest, project_url, read_id, readable
from bot.web.pages.draft_view import choice_for, view_of
from bot.web.pages.looks import looks_of
from bot.web.pages.render import page
from bot.web.parts import WebParts, parts_of

WAYS = ("side", "unified")
_STATES = 20


@get("/conversations/{conversation_id:str}/proposals/{proposal_id:str}", sync_to_thread=True, include_in_schema=False)
def show(request: AnyRequest, conversation_id: FromPath[str], proposal_id: FromPath[str]) -> Response[str]:
    """Show one state, compared with the one named by `against` (else with the one before it)."""
    visitor, conversation = readable(request, conversation_id)
    parts, id_ = parts_of(request), read_id(proposal_id)
    shown = _state(parts, conversation.id, id_)
    against, way = _against(parts, request.query_params.get("against"), shown), _way(request)
    with parts.pool.connection() as connection:
        states = history.states(connection, conversation.id, limit=_STATES + 1)
        entry = history.find(connection, conversation.id)
    return page(
        request,
        "proposal.html",
        entry=entry,
        view=view_of(parts.pool, looks_of(request), visitor, shown),
        choice=choice_for(looks_of(request), rights_of(request), visitor, shown),
        states=[each for each in reversed(states[:_STATES]) if each.id != id_],
        has_older_states=len(states) > _STATES,
        project_url=project_url(parts, conversation.project_path),
        way=way,
        **_difference(against, shown),
    )


ROUTES = (show,)


def _difference(against: Proposal | None, shown: Proposal) -> dict[str, Any]:
    found = differences(against.composition.files, shown.composition.files) if against else ()
    return {"against": against, "differences": found, "one_below_the_other": one_below_the_other}


def _way(request: AnyRequest) -> str:
    way = request.query_params.get("view") or "side"
    if way not in WAYS:
        raise ClientException(f"Differences are shown in one of these ways: {', '.join(WAYS)}.")
    return str(way)


def _state(parts: WebParts, conversation_id: UUID, id_: UUID) -> Proposal:
    with parts.pool.connection() as connection:
        found = proposals.find(connection, id_)
    if found is None or found.conversation_id != conversation_id:
        raise NotFoundException("There is no such draft in this conversation.")
    return found


def _against(parts: WebParts, named: str | None, shown: Proposal) -> Proposal | None:
    if named:
        return _state(parts, shown.conversation_id, read_id(named))
    with parts.pool.connection() as connection:
        before = shown.before_id or history.state_before(connection, shown.conversation_id, shown.created_at)
        return proposals.find(connection, before) if before else None
