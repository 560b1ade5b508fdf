"""One state of a draft in full: files, facts with their evidence, sources, and what differs from another state."""

from typing import Any

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
from bot.web.parts import parts_of

WAYS = ("side", "unified")


@get("/conversations/{conversation_id:str}/proposals/{proposal_id:str}", sync_to_thread=True, include_in_schema=False)
def show(request: AnyRequest, conversation_id: FromPath[str], proposal_id: FromPath[str]) -> Response[str]:
    """Show one state, compared with the one named by `against` (else with the one before it)."""
    visitor, conversation = readable(request, conversation_id)
    parts, id_ = parts_of(request), read_id(proposal_id)
    with parts.pool.connection() as connection:
        states = proposals.for_conversation(connection, conversation.id)
        entry = history.find(connection, conversation.id)
    shown = next((each for each in states if each.id == id_), None)
    if shown is None:
        raise NotFoundException("There is no such draft in this conversation.")
    against, way = _against(request, states, shown), _way(request)
    return page(
        request,
        "proposal.html",
        entry=entry,
        view=view_of(parts.pool, looks_of(request), visitor, shown),
        choice=choice_for(looks_of(request), rights_of(request), visitor, shown),
        states=[each for each in states if each.id != id_],
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


def _against(request: AnyRequest, states: list[Proposal], shown: Proposal) -> Proposal | None:
    named = request.query_params.get("against")
    if named:
        id_ = read_id(named)
        found = next((each for each in states if each.id == id_), None)
        if found is None:
            raise NotFoundException("There is no such draft in this conversation to compare with.")
        return found
    before = [each for each in states if each.created_at < shown.created_at and each.commit_id is not None]
    return next((each for each in states if each.id == shown.before_id), before[-1] if before else None)
