"""Takes GitLab's deliveries in: authentic, understood, stored, answered; the work itself comes later."""

import hashlib
import time
from collections.abc import Mapping
from typing import Literal

import msgspec
import structlog
from litestar import post
from litestar.enums import ScopeType
from litestar.exceptions import ClientException, NotAuthorizedException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.openapi.datastructures import ResponseSpec
from litestar.types import ASGIApp, Receive, Scope, Send
from psycopg import DataError
from pydantic import SecretStr

from bot.gitlab.once import name_of
from bot.gitlab.webhook import is_authentic, read_webhook
from bot.store.arrivals import Accepted
from bot.web.api.describe import HOOK, Delivery
from bot.web.intake import Intake
from bot.web.parts import WebParts

PATH = "/webhooks/gitlab"
# Under this name a request's state has what was wrong with it as a delivery.
WRONG = "wrong delivery"
MAX_BODY_BYTES = 5_000_000
# GitLab names every delivery, but a project's and its group's hook deliver the same note under two names.
_ONCE_ONLY = frozenset({"note", "issue", "emoji"})

log = structlog.get_logger()


class Answer(msgspec.Struct, frozen=True):
    """What GitLab is told: queued, duplicate or ignored."""

    status: str


class Refused(msgspec.Struct, frozen=True):
    """What is wrong with a delivery."""

    error: str


def _refused(description: str) -> ResponseSpec:
    return ResponseSpec(Refused, description=description, generate_examples=False)


_RESPONSES = {
    202: ResponseSpec(Answer, description="taken in: an answer follows in GitLab", generate_examples=False),
    200: ResponseSpec(Answer, description="nothing is to be done: ignored, or seen before", generate_examples=False),
    400: _refused("not what GitLab sends"),
    401: _refused("the token or the signature is missing or wrong"),
    413: _refused("too large"),
    500: _refused("something broke here"),
    503: _refused("not now: nothing was stored"),
}


class _WhatWasWrong:
    """Raises what was wrong with a delivery, so that it is answered like anything else that is wrong."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise it; a request that is no delivery is the route's."""
        if scope["type"] == ScopeType.HTTP and WRONG in scope["state"]:
            raise scope["state"][WRONG]
        await self._app(scope, receive, send)


@post(
    PATH,
    middleware=[_WhatWasWrong],
    status_code=202,
    operation_class=Delivery,
    summary="Take in a delivery",
    security=HOOK,
    responses=_RESPONSES,
)
async def receive_webhook() -> None:
    """Take in one delivery of GitLab's webhook."""
    raise NotImplementedError("a delivery is answered before")


async def take_in(parts: WebParts, intake: Intake, scope: Scope, receive: Receive) -> Accepted:
    """Take in a delivery; it is durable then. Raises what litestar's handlers of exceptions answer."""
    result: Accepted | Literal["failed", "unauthorized", "malformed"] = "failed"
    try:
        headers = _headers(scope)
        result = await _taken_in(parts, intake, headers, await _body(headers, receive))
        return result
    except NotAuthorizedException:
        result = "unauthorized"
        raise
    except ClientException:
        result = "malformed"
        raise
    finally:
        parts.metrics.count_delivery(result)


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


async def _body(headers: Mapping[str, str], receive: Receive) -> bytes:
    """Return the body; raise as soon as more is announced, or comes, than is allowed."""
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    pieces, size, has_more = [], 0, True
    while has_more:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientException("The delivery was cut off.")
        pieces.append(message["body"])
        size, has_more = size + len(message["body"]), message.get("more_body", False)
        if size > MAX_BODY_BYTES:
            raise RequestEntityTooLarge
    return b"".join(pieces)


async def _taken_in(parts: WebParts, intake: Intake, headers: Mapping[str, str], body: bytes) -> Accepted:
    _check_authentic(parts, headers, body)
    payload = _decoded(body)
    event = read_webhook(payload, bot=parts.bot, mention_names=parts.mention_names)
    if event is None:
        return "ignored"
    try:
        return await intake.accept(delivery_key(headers, payload, body), event)
    except DataError as error:
        raise ClientException("The payload holds characters that cannot be stored.") from error


def _check_authentic(parts: WebParts, headers: Mapping[str, str], body: bytes) -> None:
    settings, now = parts.settings, time.time()
    keys = (
        (settings.webhook_secret, settings.webhook_signing_token),
        # A signature that is sent must fit, whichever of the two secrets is being rotated.
        (settings.webhook_secret_old, settings.webhook_signing_token_old or settings.webhook_signing_token),
    )
    if not any(
        is_authentic(headers, body, secret=_plain(secret), signing_token=_plain(signing), now=now)
        for secret, signing in keys
    ):
        log.warning("a delivery without the right token or signature", hook=headers.get("x-gitlab-event", ""))
        raise NotAuthorizedException(
            "The webhook's secret token or signature is missing or wrong. It must equal PIPEWRIGHT_WEBHOOK_SECRET or "
            "be made with PIPEWRIGHT_WEBHOOK_SIGNING_TOKEN."
        )


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ClientException(f"The body is not the JSON that GitLab sends: {error}") from error


def delivery_key(headers: Mapping[str, str], payload: object, body: bytes) -> str:
    """Return what tells a repeated delivery from a new one.

    What happens only once is named by itself; else GitLab's own name counts (17.4 and newer), which a resend
    repeats, and without one the whole body.
    """
    named_by_itself = _name_of_single_event(payload)
    if named_by_itself:
        return named_by_itself
    name = headers.get("idempotency-key") or headers.get("webhook-id")
    return f"key:{name[:200]}" if name else f"body:{hashlib.sha256(body).hexdigest()}"


def _name_of_single_event(payload: object) -> str:
    if not isinstance(payload, dict) or payload.get("object_kind") not in _ONCE_ONLY:
        return ""
    thing = payload["object_attributes"]  # read_webhook found an event in it
    if not thing.get("id") or not thing.get("created_at"):
        return ""
    act = payload.get("event_type") if payload["object_kind"] == "emoji" else "create"
    return name_of(payload["object_kind"], payload["project"]["id"], thing["id"], str(thing["created_at"]), str(act))


def _plain(secret: SecretStr | None) -> str | None:
    return secret.get_secret_value() if secret else None
