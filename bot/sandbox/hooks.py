"""Delivers webhooks: in the background, signed both ways, ten seconds, no second try."""

import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.error
import urllib.request
import uuid
from typing import Any

from bot.sandbox.state import Delivery, Hook, Project, World

_TIMEOUT_SECONDS = 10
_NAMES = {
    "note": "Note Hook",
    "confidential_note": "Confidential Note Hook",
    "issue": "Issue Hook",
    "confidential_issue": "Confidential Issue Hook",
    "merge_request": "Merge Request Hook",
    "emoji": "Emoji Hook",
    "pipeline": "Pipeline Hook",
}
_FLAGS = {
    "note": "note_events",
    "confidential_note": "confidential_note_events",
    "issue": "issues_events",
    "confidential_issue": "confidential_issues_events",
    "merge_request": "merge_requests_events",
    "emoji": "emoji_events",
    "pipeline": "pipeline_events",
}


def emit(world: World, project: Project, event: str, payload: dict[str, Any]) -> None:
    """Send an event to every hook of the project that asked for its kind."""
    if event == "emoji" and not world.is_since(16, 4):
        return
    if event in ("note", "confidential_note") and not world.is_since(16, 11):
        if payload["object_attributes"]["action"] != "create":
            return
        payload["object_attributes"].pop("action")
    body = json.dumps(payload).encode()
    for hook in world.hooks_of(project):
        if hook.flags.get(_FLAGS[event]) and hook.alert_status == "executable":
            headers = _headers(world, hook, _NAMES[event], body, str(uuid.uuid4()))
            delivery = Delivery(event=event, headers=headers, body=body)
            hook.deliveries.append(delivery)
            _send(world, hook, delivery, event)


def _send(world: World, hook: Hook, delivery: Delivery, event: str) -> None:
    """Let the delivery go, or do with it what a fault says."""
    fault = world.faults.take_delivery(event)
    does = fault.does if fault else "sent"
    if does == "lost":
        return
    if does == "failed":
        _count(world, hook, succeeded=False)
        return
    if fault is not None and does in ("late", "overtaken"):
        seconds, waits = fault.seconds, does == "overtaken"
        if waits:
            hook.overtaken.append(delivery)
        world.in_background(lambda: _post_later(world, hook, delivery, seconds, waits=waits))
        return
    overtaken, hook.overtaken = hook.overtaken, []
    world.in_background(lambda: _post_all(world, hook, [delivery, *overtaken]))
    if does == "doubled":
        resend(world, hook, delivery)


def _post_all(world: World, hook: Hook, deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        _post(world, hook, delivery)


def _post_later(world: World, hook: Hook, delivery: Delivery, seconds: float, *, waits: bool) -> None:
    """Send it when its time has come; one that waits to be overtaken may have gone out meanwhile."""
    time.sleep(seconds)
    with world.lock:
        if waits and delivery not in hook.overtaken:
            return
        if waits:
            hook.overtaken.remove(delivery)
    _post(world, hook, delivery)


def resend(world: World, hook: Hook, delivery: Delivery) -> None:
    """Send a delivery again: the same body and Idempotency-Key, a new signature."""
    sent = delivery.headers
    key = sent.get("Idempotency-Key", "")
    fresh = _headers(world, hook, sent["X-Gitlab-Event"], delivery.body, key)
    again = Delivery(event=delivery.event, headers=fresh, body=delivery.body)
    hook.deliveries.append(again)
    _later(world, hook, again)


def _later(world: World, hook: Hook, delivery: Delivery) -> None:
    world.in_background(lambda: _post(world, hook, delivery))


def _headers(world: World, hook: Hook, name: str, body: bytes, key: str) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"GitLab/{world.version}",
        "X-Gitlab-Event": name,
        "X-Gitlab-Instance": world.base_url,
        "X-Gitlab-Event-UUID": str(uuid.uuid4()),
    }
    if world.is_since(16, 2):
        headers["X-Gitlab-Webhook-UUID"] = str(uuid.uuid4())
    if world.is_since(17, 4):
        headers["Idempotency-Key"] = key
    if hook.token:
        headers["X-Gitlab-Token"] = hook.token.replace("\r", "").replace("\n", "")
    if hook.signing_token:
        headers |= _signature(hook.signing_token, key, body)
    return headers


def _signature(signing_token: str, key: str, body: bytes) -> dict[str, str]:
    """Sign as Standard Webhooks do (GitLab 19.0)."""
    stamp = str(int(time.time()))
    secret = base64.b64decode(signing_token.removeprefix("whsec_"))
    digest = hmac.new(secret, f"{key}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(digest).decode()
    return {"webhook-id": key, "webhook-timestamp": stamp, "webhook-signature": signature}


def _post(world: World, hook: Hook, delivery: Delivery) -> None:
    request = urllib.request.Request(hook.url, data=delivery.body, headers=delivery.headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            delivery.status = answer.status
    except urllib.error.HTTPError as refused:
        delivery.status = refused.code
    except (OSError, http.client.HTTPException):
        delivery.status = 0
    _count(world, hook, succeeded=200 <= delivery.status < 400)


def _count(world: World, hook: Hook, *, succeeded: bool) -> None:
    with world.lock:
        if world.hooks_switch_off:
            hook.count(succeeded=succeeded)
