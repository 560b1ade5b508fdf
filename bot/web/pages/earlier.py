"""What does not fit on a conversation's page: what happened before, and earlier states of its drafts, page by page."""

from litestar import Response, get
from litestar.params import FromPath

from bot.store import history
from bot.web.pages import marks
from bot.web.pages.conversation import AnyRequest, homes, readable
from bot.web.pages.render import page
from bot.web.pages.words import TURNS, past_of
from bot.web.parts import parts_of

STATES = 50


@get("/conversations/{conversation_id:str}/earlier", sync_to_thread=True, include_in_schema=False)
def happened(request: AnyRequest, conversation_id: FromPath[str]) -> Response[str]:
    """Show what happened before the turn that `before` names."""
    _, conversation = readable(request, conversation_id)
    before = marks.read(request.query_params.get("before"))
    with parts_of(request).pool.connection() as connection:
        turns = history.turns(connection, conversation.id, before=before, limit=TURNS + 1)
        entry = history.find(connection, conversation.id)
    past = past_of(turns, homes(parts_of(request)))
    return page(request, "earlier.html", entry=entry, lines=past.lines, older=past.older)


@get("/conversations/{conversation_id:str}/states", sync_to_thread=True, include_in_schema=False)
def states(request: AnyRequest, conversation_id: FromPath[str]) -> Response[str]:
    """Show the states that the conversation's drafts were in, newest first."""
    _, conversation = readable(request, conversation_id)
    before = marks.read(request.query_params.get("before"))
    with parts_of(request).pool.connection() as connection:
        found = history.states(connection, conversation.id, before=before, limit=STATES + 1)
        entry = history.find(connection, conversation.id)
    older = marks.written((found[STATES - 1].created_at, found[STATES - 1].id)) if len(found) > STATES else None
    return page(request, "states.html", entry=entry, offers=found[:STATES], older=older)


ROUTES = (happened, states)
