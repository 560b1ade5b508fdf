"""Takes GitLab's deliveries in: authentic, understood, stored, answered; the work itself comes later."""

import hashlib
import time
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import structlog
from litestar import Request, post
from litestar.exceptions import ClientException, NotAuthorizedException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import RawBody
from litestar.response.base import ASGIResponse
from psycopg import DataError
from pydantic import SecretStr

from bot.gitlab.once import name_of
from bot.gitlab.webhook import is_authentic, read_webhook
from bot.tasks import Accepted
from bot.web.api.describe import HOOK, Delivery
from bot.web.intake import Intake
from bot.web.parts import WebParts, parts_of

MAX_BODY_BYTES = 5_000_000
# GitLab names every delivery, but a project's and its group's hook deliver the same note under two names.
_ONCE_ONLY = frozenset({"note", "issue", "emoji"})
_STATUS_CODES: dict[Accepted, int] = {"queued": 202, "duplicate": 200, "ignored": 200}

log = structlog.get_logger()


class Answer(msgspec.Struct, frozen=True):
    """What GitLab is told: queued, duplicate or ignored."""

    status: str


class Refused(msgspec.Struct, frozen=True):
    """What is wrong with a delivery."""

    error: str


_BODIES = {status: msgspec.json.encode(Answer(status)) for status in _STATUS_CODES}


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


@post(
    "/webhooks/gitlab",
    request_max_body_size=MAX_BODY_BYTES,
    status_code=202,
    operation_class=Delivery,
    summary="Take in a delivery",
    security=HOOK,
    responses=_RESPONSES,
)
async def receive_webhook(request: Request[Any, Any, Any], body: RawBody) -> ASGIResponse:
    """Take in one delivery of GitLab's webhook."""
    parts = parts_of(request)
    result: Accepted | Literal["failed", "unauthorized", "malformed"] = "failed"
    try:
        result = await _taken_in(parts, request.app.state.intake, _headers(request), body)
    except NotAuthorizedException:
        result = "unauthorized"
        raise
    except ClientException:
        result = "malformed"
        raise
    finally:
        parts.metrics.count_delivery(result)
    return _answered(result)


def _answered(result: Accepted) -> ASGIResponse:
    """Answer in words made beforehand: finding out how to say it would cost as much as understanding the delivery."""
    return ASGIResponse(body=_BODIES[result], status_code=_STATUS_CODES[result])


def _headers(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in request.scope["headers"]}


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
