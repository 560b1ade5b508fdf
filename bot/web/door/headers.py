"""The headers of safety, on every answer: nothing from elsewhere, nothing inline, nothing kept by others."""

from collections.abc import Mapping

from litestar.types import BeforeMessageSendHookHandler, Message, Scope

from bot.settings import Settings

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    b"content-security-policy": _POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # What is shown depends on who looks; files that are the same for all say otherwise themselves.
    b"cache-control": b"no-store",
}
_BEHIND_TLS = {b"strict-transport-security": b"max-age=31536000"}


def headers_of_safety(settings: Settings) -> dict[bytes, bytes]:
    """Return the headers that every answer has, errors too, unless it has its own."""
    is_behind_tls = bool(settings.public_url and settings.public_url.startswith("https://"))
    return {**_ALWAYS, **(_BEHIND_TLS if is_behind_tls else {})}


def added_to_each(wanted: Mapping[bytes, bytes]) -> BeforeMessageSendHookHandler:
    """Return what adds headers to every answer that has none of their names."""

    async def add(message: Message, _: Scope) -> None:
        if message["type"] == "http.response.start":
            given = [*message.get("headers", ())]
            known = {name.lower() for name, _ in given}
            message["headers"] = [*given, *(item for item in wanted.items() if item[0] not in known)]

    return add
