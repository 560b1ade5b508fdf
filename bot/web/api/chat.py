"""POST /api/v1/chat: a person's words in, steps and the answer out: events while it is made, or JSON at the end."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, post
from litestar.exceptions import ClientException, ValidationException
from litestar.params import JSONBody
from litestar.response import ServerSentEvent, ServerSentEventMessage

from bot.domain import AccessLevel, Chat, ProjectRef
from bot.store import proposals
from bot.web.api import examples
from bot.web.api.describe import TAGS_TALK, TOKEN, problems
from bot.web.api.once import Key, Once
from bot.web.api.places import require_role, seen_conversation, seen_project
from bot.web.api.shapes import merge_request_url
from bot.web.api.work import LIMITED, MODEL_DOWN, Outcome, Work, require_done, until_answered
from bot.web.door.visitors import Visitor, visitor_of
from bot.web.parts import WebParts, parts_of

_TICKS_BETWEEN_SIGNS = 5
_PROJECT_OR_SESSION = (
    "Name the `project` (its path or id) to begin a conversation, or a `session_id` to go on with one."
)

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=20_000, examples=["which files are there?"])]


class ChatRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says. `session_id` goes on with a conversation, `project` (path or id) begins one.

    `on_disconnect` says what becomes of the work when the caller hangs up: it is stopped, or finished and stored.
    """

    message: Words
    session_id: UUID | None = None
    project: Annotated[str, msgspec.Meta(examples=["group/project"])] | int | None = None
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


@post(
    "/api/v1/chat",
    status_code=200,
    tags=TAGS_TALK,
    summary="Talk with the bot",
    security=TOKEN,
    responses=problems(404, 409, 413, 422),
    operation_class=examples.shown(request=examples.CHAT, answer=examples.CHATTED, events=examples.CHATTED_IN_EVENTS),
)
async def chat(
    request: Request[Any, Any, Any], data: JSONBody[ChatRequest], idempotency_key: Key = None
) -> Response[ChatAnswer] | ServerSentEvent:
    """Talk with the bot as the person whose GitLab token is sent. With `Accept: text/event-stream` the answer streams:
    events `session`, `step`, `text` (provisional words) and at last `answer`.
    """
    _require_truth(await request.json())
    visitor = await asyncio.to_thread(visitor_of, request)
    once = Once(request, visitor, idempotency_key, data)
    if data.stream or "text/event-stream" in request.headers.get("accept", ""):
        await asyncio.to_thread(once.claim)
        told = await _begun(request, visitor, data, once)
        first = await anext(told)  # what fails before the order is stored is still an honest status
        return ServerSentEvent(_as_events(parts_of(request), first, told))

    async def talk() -> ChatAnswer:
        outcome = await until_answered(request, await _begun(request, visitor, data, once))
        if outcome.order.state == "broken" or outcome.order.result in (MODEL_DOWN, LIMITED):
            require_done(outcome)
        return await asyncio.to_thread(_answer, parts_of(request), outcome)

    return await once.answer(talk)


def _require_truth(body: dict[str, Any]) -> None:
    """Litestar takes 0, 1 and some words for booleans, which its description of the API forbids."""
    if not isinstance(body.get("stream", False), bool):
        wrong = {"key": "stream", "message": "Expected `bool`", "source": "body"}
        raise ValidationException(detail="stream is true or false", extra=[wrong])


async def _begun(
    request: Request[Any, Any, Any], visitor: Visitor, data: ChatRequest, once: Once
) -> AsyncIterator[tuple[str, Any]]:
    event = await asyncio.to_thread(_understood, request, visitor, data, once.channel)
    return Work(parts_of(request), event, once.delivery_key, stops=data.on_disconnect == "stop").events()


def _understood(request: Request[Any, Any, Any], visitor: Visitor, data: ChatRequest, channel: UUID) -> Chat:
    project, conversation_id = _place(request, visitor, data)
    require_role(request, visitor, project, AccessLevel.REPORTER, "talk about a project")
    return Chat(
        project=project,
        author=visitor.person,
        text=data.message.replace("\x00", ""),
        channel=channel,
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


def _answer(parts: WebParts, outcome: Outcome) -> ChatAnswer:
    with parts.pool.connection() as connection:
        opened = proposals.find_by_order(connection, outcome.order.id)
    url = merge_request_url(opened.repo_url, opened.merge_request_iid) if opened else None
    order = outcome.order
    return ChatAnswer(outcome.conversation_id, outcome.text, order.state, order.result, list(outcome.steps), url)


async def _as_events(
    parts: WebParts, first: tuple[str, Any], told: AsyncIterator[tuple[str, Any]]
) -> AsyncIterator[ServerSentEventMessage]:
    yield _message(*first)
    signs = 0
    async for name, content in told:
        signs = signs + 1 if name == "sign" else 0
        if name == "outcome":
            yield _message("answer", await asyncio.to_thread(_answer, parts, content))
        elif name != "sign":
            yield _message(name, content)
        elif signs % _TICKS_BETWEEN_SIGNS == 0:
            yield ServerSentEventMessage(comment="still working")  # proxies close what is silent


def _message(name: str, content: Any) -> ServerSentEventMessage:
    return ServerSentEventMessage(event=name, data=msgspec.json.encode(content).decode())
