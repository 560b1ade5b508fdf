"""Keeps other sites from acting with a visitor's cookie: what changes something carries a word only our pages know."""

import hmac
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from bot.web.door.sessions import csrf_of
from bot.web.door.state import door_of

HEADER, FIELD = "x-csrf-token", "csrf_token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_REFUSED = "This did not come from a page of this session. Reload the page and try again."


async def own_pages_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Refuse a change that comes with a session's cookie but not from our pages; a token in a header needs neither."""
    cookie = connection.cookies.get(door_of(connection).cookies.session)
    if not isinstance(connection, Request) or connection.method in _SAFE:
        return
    if not cookie or "authorization" in connection.headers:
        return
    given = connection.headers.get(HEADER) or await _field(connection)
    if connection.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise PermissionDeniedException(_REFUSED)
    if not hmac.compare_digest(given.encode(), csrf_of(cookie).encode()):
        raise PermissionDeniedException(_REFUSED)


async def _field(request: Request[Any, Any, Any]) -> str:
    if not request.headers.get("content-type", "").startswith(_FORMS):
        return ""
    return str((await request.form()).get(FIELD, ""))
