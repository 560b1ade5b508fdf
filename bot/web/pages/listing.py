"""The first page: conversations of every project the visitor sees, last changed first, searched and filtered."""

from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.exceptions import ClientException
from litestar.params import URLEncodedBody
from litestar.response import Redirect

from bot.domain import AccessLevel, ProposalStatus
from bot.store import orders, search
from bot.store.search import Entry, Mark, Query
from bot.web.door.rights import Rights, rights_of
from bot.web.door.visitors import Visitor, visitor_of
from bot.web.pages import marks
from bot.web.pages.conversation import AnyRequest, Form, ask, project_of
from bot.web.pages.render import page
from bot.web.parts import WebParts, parts_of

PAGE_SIZE = 30
STATUSES = (*(status.value for status in ProposalStatus), "none")
_MOST_ROUNDS = 5
_LONGEST_FILTER = 200


@get("/", sync_to_thread=True, include_in_schema=False)
def list_conversations(request: AnyRequest) -> Response[str]:
    """Show the conversations that the visitor may read."""
    visitor, parts = visitor_of(request), parts_of(request)
    filters = _filters(request)
    with parts.pool.connection() as connection:
        talked_in = search.projects(connection)
    seen = rights_of(request).seen_projects(visitor, talked_in)
    query = Query(
        projects=seen,
        person_id=visitor.person.id,
        text=filters["words"],
        asker=filters["asked_by"],
        project_path=filters["project"],
        status=filters["status"],
    )
    found, last = _readable(parts, rights_of(request), visitor, query, marks.read(filters["before"]))
    return page(
        request,
        "list.html",
        entries=found,
        statuses=STATUSES,
        filters=filters,
        is_filtered=any(value for name, value in filters.items() if name != "before"),
        newest=_link({**filters, "before": None}),
        older=_link({**filters, "before": marks.written(last)}) if last else None,
        mention="@" + parts.mention_names[0] if parts.mention_names else "the bot",
    )


@post("/conversations", sync_to_thread=True, include_in_schema=False)
def begin(request: AnyRequest, data: URLEncodedBody[Form]) -> Redirect:
    """Begin a conversation about a project, and go to it."""
    visitor = visitor_of(request)
    project = project_of(visitor, data.get("project", "").strip().strip("/"))
    channel = ask(request, visitor, project, data)
    with parts_of(request).pool.connection() as connection:
        order = orders.find_by_delivery(connection, f"chat:{channel}")
    assert order is not None  # ask() stored it
    return Redirect(f"/conversations/{order.conversation_id}", status_code=303)


ROUTES = (list_conversations, begin)


def _filters(request: Request[Any, Any, Any]) -> dict[str, str | None]:
    names = ("words", "status", "project", "asked_by", "before")
    given = {name: (request.query_params.get(name) or "").strip() or None for name in names}
    if given["status"] is not None and given["status"] not in STATUSES:
        raise ClientException(f"There is no status of this name; there are {', '.join(STATUSES)}.")
    for name, value in given.items():
        if value is not None and (len(value) > _LONGEST_FILTER or "\x00" in value):
            raise ClientException(f"What is looked for by {name} is too long, or no text.")
    return given


def _readable(
    parts: WebParts, rights: Rights, visitor: Visitor, query: Query, before: Mark | None
) -> tuple[list[Entry], Mark | None]:
    """Return a page of what the visitor may read, and where older ones go on.

    Members from Reporter upwards read all of their project's; for whoever is less, each is asked about.
    """
    found: list[Entry] = []
    for _ in range(_MOST_ROUNDS):
        with parts.pool.connection() as connection:
            rows = search.find(connection, query, before=before, limit=PAGE_SIZE + 1)
        found += [row for row in rows if _is_readable(rights, visitor, row)]
        if len(found) > PAGE_SIZE:
            return found[:PAGE_SIZE], found[PAGE_SIZE - 1].mark
        if len(rows) <= PAGE_SIZE:
            return found, None
        before = rows[-1].mark
    return found, before


def _is_readable(rights: Rights, visitor: Visitor, row: Entry) -> bool:
    if row.owner_id == visitor.person.id or rights.role(visitor, row.project_id) >= AccessLevel.REPORTER:
        return True
    return rights.may_read(visitor, row)


def _link(filters: dict[str, str | None]) -> str:
    given = {name: value for name, value in filters.items() if value}
    return "/" + (f"?{urlencode(given)}" if given else "")
