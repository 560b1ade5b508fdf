"""Conversations and pipelines in lists, searched and page by page, and one of them in full, for whoever may read it."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, TypeVar
from uuid import UUID

import msgspec
from litestar import get
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, QueryParameter
from msgspec import Struct, structs

from bot.store import drafts, messages, proposals, search
from bot.store.conversations import Conversation
from bot.store.drafts import DraftEntry, DraftQuery
from bot.store.search import Entry, Mark, Query
from bot.web.api import examples, shapes
from bot.web.api.describe import TAGS_LISTS, TAGS_TALK, TOKEN, problems
from bot.web.api.places import AnyRequest, seen_conversation
from bot.web.door.rights import rights_of
from bot.web.door.visitors import Visitor, visitor_of
from bot.web.parts import parts_of

_MOST_ROUNDS = 5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_PIPELINE = "There is no such pipeline, or your account may not read it. GET /api/v1/pipelines lists those it may."

Listed = TypeVar("Listed", Entry, DraftEntry)
Row = Entry | DraftEntry
Status = Literal["generated", "proposed", "approved", "committed", "superseded", "rejected", "failed"]

_Limit = Annotated[int, QueryParameter(ge=1, le=100, description="how many at most")]
_MARK = r"^\d{1,17}_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_Before = Annotated[
    str | None,
    QueryParameter(max_length=100, description="`next` of the page before", schema_extra={"pattern": _MARK}),
]
_Moment = Annotated[
    str | None,
    QueryParameter(
        max_length=40,
        description="bounds the last change, as 2026-05-17T17:06:20Z",
        schema_extra={"format": "date-time"},
    ),
]
_Filter = Annotated[str | None, QueryParameter(max_length=255)]
_Words = Annotated[
    str | None, QueryParameter(max_length=500, description="words that all occur; the beginnings of long ones do")
]


class Filters(Struct, frozen=True, kw_only=True):
    """What the list of conversations is narrowed to."""

    text: str | None
    asker: str | None
    project_path: str | None
    status: str | None
    since: datetime | None
    until: datetime | None


def filters_of(
    text: _Words = None,
    project: _Filter = None,
    asker: _Filter = None,
    status: Annotated[Status | Literal["none"] | None, QueryParameter()] = None,
    since: _Moment = None,
    until: _Moment = None,
) -> Filters:
    """Read the filters of a request."""
    return Filters(
        text=_clean(text),
        asker=_clean(asker),
        project_path=_clean(project),
        status=status,
        since=_moment("since", since),
        until=_moment("until", until),
    )


@get(
    "/api/v1/conversations",
    sync_to_thread=True,
    tags=TAGS_LISTS,
    summary="List and search conversations",
    security=TOKEN,
    dependencies={"filters": Provide(filters_of, sync_to_thread=False)},
    responses=problems(),
    operation_class=examples.shown(answer=examples.CONVERSATIONS),
)
def list_conversations(
    request: AnyRequest, filters: NamedDependency[Filters], before: _Before = None, limit: _Limit = 30
) -> shapes.Conversations:
    """Return the conversations that the person may read, last changed first."""
    visitor = visitor_of(request)
    query = Query(projects=_projects(request, visitor), person_id=visitor.person.id, **structs.asdict(filters))

    def read(mark: Mark | None, most: int) -> list[Entry]:
        with parts_of(request).pool.connection() as connection:
            return search.find(connection, query, before=mark, limit=most)

    found, following = _readable(request, visitor, read, _read_mark(before), limit)
    return shapes.Conversations(conversations=[shapes.conversation(each) for each in found], next=following)


@get(
    "/api/v1/pipelines",
    sync_to_thread=True,
    tags=TAGS_LISTS,
    summary="List pipelines",
    security=TOKEN,
    responses=problems(),
    operation_class=examples.shown(answer=examples.PIPELINES),
)
def list_pipelines(
    request: AnyRequest,
    project: _Filter = None,
    status: Annotated[Status | None, QueryParameter()] = None,
    before: _Before = None,
    limit: _Limit = 30,
) -> shapes.Pipelines:
    """Return the pipelines proposed in conversations that the person may read, last changed first, without files."""
    visitor = visitor_of(request)
    query = DraftQuery(
        projects=_projects(request, visitor),
        person_id=visitor.person.id,
        status=status,
        project_path=_clean(project),
    )

    def read(mark: Mark | None, most: int) -> list[DraftEntry]:
        with parts_of(request).pool.connection() as connection:
            return drafts.find(connection, query, before=mark, limit=most)

    found, following = _readable(request, visitor, read, _read_mark(before), limit)
    return shapes.Pipelines(pipelines=[shapes.pipeline(each) for each in found], next=following)


@get(
    "/api/v1/pipelines/{pipeline_id:uuid}",
    sync_to_thread=True,
    tags=TAGS_LISTS,
    summary="Read one pipeline",
    security=TOKEN,
    responses=problems(404),
    operation_class=examples.shown(answer=examples.PIPELINE),
)
def show_pipeline(request: AnyRequest, pipeline_id: FromPath[UUID]) -> shapes.PipelineWithFiles:
    """Return one proposed pipeline with its files."""
    visitor = visitor_of(request)
    with parts_of(request).pool.connection() as connection:
        entry = drafts.named(connection, pipeline_id)
    if entry is None or not rights_of(request).may_read(visitor, _conversation(entry)):
        raise NotFoundException(_NO_PIPELINE)
    with parts_of(request).pool.connection() as connection:
        return shapes.pipeline_with_files(entry, proposals.get(connection, pipeline_id))


@get(
    "/api/v1/chat/history/{session_id:uuid}",
    sync_to_thread=True,
    tags=TAGS_TALK,
    summary="Read a conversation",
    security=TOKEN,
    responses=problems(404),
    operation_class=examples.shown(answer=examples.HISTORY),
)
def history(
    request: AnyRequest,
    session_id: FromPath[UUID],
    before: Annotated[int | None, QueryParameter(ge=1, le=2**62, description="`previous` of the page after")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500, description="how many messages at most")] = 100,
) -> shapes.History:
    """Return a conversation with its last messages, oldest first."""
    visitor = visitor_of(request)
    conversation = seen_conversation(request, visitor, session_id)
    with parts_of(request).pool.connection() as connection:
        rows = messages.page(connection, session_id, before=before, limit=limit + 1)
        entry = search.entry(connection, session_id)
    shown = rows[:limit]
    return shapes.History(
        session_id=session_id,
        project=conversation.project_path,
        title=shapes.masked(conversation.title),
        asked_by=conversation.asked_by,
        status=entry.status if entry else "none",
        messages=[shapes.message(row) for row in reversed(shown)],
        previous=shown[-1].id if len(rows) > limit else None,
    )


ROUTES = (list_conversations, list_pipelines, show_pipeline, history)


def _projects(request: AnyRequest, visitor: Visitor) -> frozenset[int]:
    with parts_of(request).pool.connection() as connection:
        talked_in = search.projects(connection)
    return rights_of(request).seen_projects(visitor, talked_in)


def _readable(
    request: AnyRequest,
    visitor: Visitor,
    read: Callable[[Mark | None, int], Sequence[Listed]],
    mark: Mark | None,
    limit: int,
) -> tuple[list[Listed], str | None]:
    """Return a page of what GitLab lets the visitor read, and where the next begins.

    GitLab is asked about each conversation, many in one call. Where it lets few be read, the page may be short (even
    empty) and say where to go on: no request asks about more than some hundreds.
    """
    found: list[Listed] = []
    for _ in range(_MOST_ROUNDS):
        rows = read(mark, limit + 1)
        readable = rights_of(request).readable(visitor, [_conversation(row) for row in rows])
        found += [row for row in rows if row.id in readable]
        if len(found) > limit:
            return found[:limit], _written(found[limit - 1].mark)
        if len(rows) <= limit:
            return found, None
        mark = rows[-1].mark
    return found, _written(mark)


def _conversation(row: Row) -> Conversation:
    return Conversation(**{name: getattr(row, name) for name in Conversation.__struct_fields__})


def _clean(text: str | None) -> str | None:
    """PostgreSQL's texts hold no NUL; so nothing is called so."""
    return text.replace("\x00", "\ufffd") if text is not None else None


def _moment(name: str, text: str | None) -> datetime | None:
    """Read a moment, in UTC where no zone stands."""
    if text is None:
        return None
    try:
        moment = msgspec.convert(text, datetime)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (msgspec.ValidationError, OverflowError) as error:
        raise ClientException(f"`{name}` is no moment: write it as 2026-05-17T17:06:20Z.") from error


def _written(mark: Mark | None) -> str | None:
    return f"{(mark[0] - _EPOCH) // timedelta(microseconds=1)}_{mark[1]}" if mark else None


def _read_mark(text: str | None) -> Mark | None:
    if text is None:
        return None
    if not re.fullmatch(_MARK, text):
        raise ClientException("`before` is the `next` of an earlier page, unchanged; leave it out to begin.")
    microseconds, id_ = text.split("_")
    return _EPOCH + timedelta(microseconds=int(microseconds)), UUID(id_)
