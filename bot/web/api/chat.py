"""POST /api/v1/chat: a person's words in, steps and the answer out: events while it is made, or JSON at the end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import msgspec
from litestar import Request, Response, post
from litestar.exceptions import ClientException, NotFoundException, PermissionDeniedException
from litestar.params import JSONBody
from litestar.response import ServerSentEvent, ServerSentEventMessage
from psycopg import DataError

from bot.domain import AccessLevel, CannotError, Chat, ProjectRef
from bot.store import conversations, live, orders, proposals
from bot.store.conversations import Conversation
from bot.store.orders import OrderRow
from bot.web.door.rights import rights_of
from bot.web.door.visitors import Visitor, visitor_of
from bot.web.parts import WebParts, parts_of

_TICK_SECONDS = 2.0
_TICKS_BETWEEN_SIGNS = 5
_NO_CONVERSATION = "There is no such conversation, or the token's person cannot see it."
_NO_PROJECT = "There is no such project, or the token's person cannot see it."
_PROJECT_OR_SESSION = (
    "Name the `project` (its path or id) to begin a conversation, or a `session_id` to go on with one."
)

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]


class ChatRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says. `session_id` goes on with a conversation, `project` (path or id) begins one.

    `on_disconnect` says what becomes of the work when the caller hangs up: it is stopped, or finished and stored.
    """

    message: Words
    session_id: UUID | None = None
    project: str | int | None = None
    on_disconnect: Literal["stop", "finish"] = "stop"
    stream: bool = False


class ChatAnswer(msgspec.Struct, frozen=True):
    """The answer in Markdown. `status` is done, refused, skipped or broken; `result` says more in a word or two."""

    session_id: UUID
    answer: str
    status: str
    result: str
    steps: list[str]
    merge_request: str | None = None


@post("/api/v1/chat", status_code=200)
async def chat(
    request: Request[Any, Any, Any],
    data: JSONBody[ChatRequest],
) -> Response[ChatAnswer] | ServerSentEvent:
    """Talk with the bot as the person whose GitLab token is sent. With `Accept: text/event-stream` the answer streams:
    events `session`, `step`, `text` (provisional words) and at last `answer`.
    """
    parts = parts_of(request)
    event = await asyncio.to_thread(_understood, request, parts, data)
    work = _Work(parts, event, data.on_disconnect)
    told = work.events()
    first = await anext(told)  # what fails before the order is stored is still an honest status
    if data.stream or "text/event-stream" in request.headers.get("accept", ""):
        return ServerSentEvent(_as_events(first, told))
    return Response(await _until_answered(request, work, told))


def _understood(request: Request[Any, Any, Any], parts: WebParts, data: ChatRequest) -> Chat:
    visitor = visitor_of(request)
    project, conversation_id = _place(request, visitor, data)
    if rights_of(request).role(visitor, project.id) < AccessLevel.REPORTER:
        raise PermissionDeniedException("To talk about a project one needs at least the role Reporter in it.")
    return Chat(
        project=project,
        author=visitor.person,
        text=data.message.replace("\x00", ""),
        channel=uuid4(),
        conversation_id=conversation_id,
        may_change=visitor.may_change,
    )


def _place(request: Request[Any, Any, Any], visitor: Visitor, data: ChatRequest) -> tuple[ProjectRef, UUID | None]:
    if data.session_id is None:
        if data.project is None:
            raise ClientException(_PROJECT_OR_SESSION)
        return seen_project(visitor, str(data.project)), None
    conversation = seen_conversation(request, visitor, data.session_id)
    project = seen_project(visitor, str(conversation.project_id))
    if data.project is not None and str(data.project) not in (project.path, str(project.id)):
        raise ClientException(f"This conversation belongs to {project.path}; begin a new one for another project.")
    return project, conversation.id


def seen_project(visitor: Visitor, path_or_id: str) -> ProjectRef:
    """Return a project that the visitor can see, or raise NotFoundException."""
    try:
        found = visitor.gitlab.find_project(path_or_id)
    except CannotError as unseen:
        raise NotFoundException(_NO_PROJECT) from unseen
    return ProjectRef(id=found.id, path=found.path, web_url=found.web_url)


def seen_conversation(request: Request[Any, Any, Any], visitor: Visitor, session_id: UUID) -> Conversation:
    """Return a conversation that the visitor may read, or raise NotFoundException: nothing else is told of others'."""
    with parts_of(request).pool.connection() as connection:
        found = conversations.get(connection, session_id)
    if found is None or not rights_of(request).may_read(visitor, found):
        raise NotFoundException(_NO_CONVERSATION)
    return found


class _Work:
    """One order on its way, from being stored to its answer."""

    def __init__(self, parts: WebParts, event: Chat, on_disconnect: str) -> None:
        self._parts, self._event = parts, event
        self._stops = on_disconnect == "stop"
        self._key = f"chat:{event.channel}"
        self._order: OrderRow | None = None
        self._is_answered = False
        self._steps: list[str] = []

    async def events(self) -> AsyncIterator[tuple[str, Any]]:
        """Yield name and content of what happens; the last is the answer. Leaving before stops it, if so asked."""
        listening = live.listen(str(self._parts.pool.conninfo), self._event.channel, tick_seconds=_TICK_SECONDS)
        try:
            await anext(listening)  # listen first: nothing of the work is missed
            self._order = await asyncio.to_thread(self._accepted)
            yield "session", {"session_id": str(self._order.conversation_id)}
            async for heard in listening:
                if heard is not None and heard[0] != "end":
                    self._steps += [heard[1]] if heard[0] == "step" else []
                    yield heard[0], {"text": heard[1]}
                    continue
                answer = await asyncio.to_thread(self._answer)
                if answer is not None:
                    self._is_answered = True
                    yield "answer", answer
                    return
                yield "sign", None
        finally:
            await listening.aclose()  # type: ignore[attr-defined]
            self.leave()

    def leave(self) -> None:
        """Stop what nobody waits for any more, if that was asked for."""
        if self._stops and not self._is_answered and self._order is not None:
            with self._parts.pool.connection() as connection:
                orders.ask_to_stop(connection, self._order.id)

    def _accepted(self) -> OrderRow:
        try:
            self._parts.queue.accept(self._key, self._event)
        except DataError as error:
            raise ClientException("The message holds characters that cannot be stored.") from error
        with self._parts.pool.connection() as connection:
            order = orders.find_by_delivery(connection, self._key)
        assert order is not None  # just stored under this key
        return order

    def _answer(self) -> ChatAnswer | None:
        """Return the answer once the order is finished; a worker that died is not heard, so the order is asked."""
        assert self._order is not None  # events() stored it
        with self._parts.pool.connection() as connection:
            order = orders.get(connection, self._order.id)
            if order is None or order.finished_at is None or order.conversation_id is None:
                return None
            opened = proposals.find_by_order(connection, order.id)
            text = orders.answer_of(connection, order.id)
        url = (
            f"{opened.repo_url}/-/merge_requests/{opened.merge_request_iid}"
            if opened and opened.merge_request_iid
            else None
        )
        return ChatAnswer(order.conversation_id, text, order.state, order.result, self._steps, url)


async def _as_events(
    first: tuple[str, Any], told: AsyncIterator[tuple[str, Any]]
) -> AsyncIterator[ServerSentEventMessage]:
    yield _message(*first)
    signs = 0
    async for name, content in told:
        signs = signs + 1 if name == "sign" else 0
        if name != "sign":
            yield _message(name, content)
        elif signs % _TICKS_BETWEEN_SIGNS == 0:
            yield ServerSentEventMessage(comment="still working")  # proxies close what is silent


def _message(name: str, content: Any) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=name, data=msgspec.json.encode(content).decode())


async def _until_answered(
    request: Request[Any, Any, Any], work: _Work, told: AsyncIterator[tuple[str, Any]]
) -> ChatAnswer:
    """Wait for the answer, or until the caller hangs up."""
    answering = asyncio.create_task(_last(told))
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise ClientException("The caller hung up.")
        return answering.result()
    finally:
        for task in (answering, leaving):
            task.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _last(told: AsyncIterator[tuple[str, Any]]) -> ChatAnswer:
    answer: ChatAnswer | None = None
    async for name, content in told:
        answer = content if name == "answer" else answer
    assert answer is not None  # the last event is the answer
    return answer


async def _left(request: Request[Any, Any, Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
