"""Every way to fail, as one clear message: JSON for programs, a page for people."""

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect
from psycopg import InterfaceError, OperationalError

from bot.domain import UnreachableError
from bot.gitlab.answers import RefusedError
from bot.web.door.tokens import not_authorized
from bot.web.door.visitors import forget_visitor
from bot.web.pages.render import render

_FOR_PROGRAMS = ("/webhooks", "/health", "/metrics", "/schema", "/api")
_RETRY_AFTER_SECONDS = "30"
_TITLES = {
    401: "Sign in",
    403: "Closed",
    404: "Not found",
    405: "Not possible",
    429: "Too often",
    503: "Not now",
}

# psycopg's and its pool's words for "PostgreSQL does not answer".
DATABASE_SILENT = (OperationalError, InterfaceError)

log = structlog.get_logger()


def answer_refusal(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Answer a request that cannot be served, with its status; who opens a page unknown is led to signing in."""
    if error.status_code == 401 and not request.url.path.startswith(_FOR_PROGRAMS):
        return _to_sign_in(request)
    more = error.extra if isinstance(error.extra, dict) else {}
    return _answer(request, error.status_code, _words(error), dict(error.headers or {}), more)


def answer_refusal_of_gitlab(request: Request[Any, Any, Any], error: RefusedError) -> Response[Any]:
    """Answer when GitLab refuses what was asked with a visitor's token: the token ended, or lost its rights."""
    forget_visitor(request)
    if error.status == 401:
        return answer_refusal(request, not_authorized("GitLab does not know your token any more."))
    status = error.status if error.status in (403, 404) else 502
    return _answer(request, status, f"GitLab refused what this needs: {error.detail}", {})


def answer_depth(request: Request[Any, Any, Any], error: RecursionError) -> Response[Any]:
    """Answer a body that is nested more deeply than JSON is read; were it a fault of ours, the log tells where."""
    log.warning("something is nested too deeply", path=request.url.path, exc_info=error)
    return _answer(request, 400, "The body is nested too deeply; send it as the description of the API has it.", {})


def answer_silence(request: Request[Any, Any, Any], error: UnreachableError) -> Response[Any]:
    """Answer while an outside part is silent: nothing was taken in, so it must be sent again."""
    log.warning("something does not answer", part=error.part, detail=str(error))
    message = f"{error.part} does not answer right now; nothing was stored. Please send it again later."
    return _answer(request, 503, message, {"Retry-After": _RETRY_AFTER_SECONDS})


def answer_silent_database(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer while PostgreSQL is silent."""
    return answer_silence(request, UnreachableError("PostgreSQL", str(error)))


def answer_fault(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Answer when something of ours broke, with the id under which it is logged."""
    error_id = uuid.uuid4().hex[:12]
    log.error("a request broke", error_id=error_id, path=request.url.path, exc_info=error)
    message = f"Something went wrong here. An administrator finds the cause in the log under the id {error_id}."
    return _answer(request, 500, message, {}, {"error_id": error_id})


def _to_sign_in(request: Request[Any, Any, Any]) -> Response[Any]:
    """Parts of a page that htmx fetches tell it to leave the page; whoever changes something begins at its start."""
    is_part = "hx-request" in request.headers
    came_from = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    place = "/sign-in" + (f"?{urlencode({'next': came_from})}" if request.method == "GET" and not is_part else "")
    if is_part:
        return Response(None, status_code=401, headers={"HX-Redirect": place}, media_type=MediaType.HTML)
    return Redirect(place, status_code=303)


def _words(error: HTTPException) -> str:
    if error.status_code == 413:
        return "The body is too large."
    if error.status_code == 404 and error.detail in {"", "Not Found"}:
        return "There is nothing at this address."
    extra = getattr(error, "extra", None)
    if isinstance(extra, list) and extra and all(isinstance(one, dict) for one in extra):  # which field is wrong
        return "; ".join(f"{one.get('key', 'body')}: {one.get('message', '')}" for one in extra)
    return error.detail


def _answer(
    request: Request[Any, Any, Any],
    status: int,
    message: str,
    headers: dict[str, str],
    more: Mapping[str, Any] | None = None,
) -> Response[Any]:
    if request.url.path.startswith("/api/"):
        problem = {"type": "about:blank", "title": _TITLES.get(status, HTTPStatus(status).phrase), "status": status}
        content = msgspec.json.encode({**(more or {}), **problem, "detail": message})
        return Response(content, status_code=status, headers=headers, media_type="application/problem+json")
    if request.url.path.startswith(_FOR_PROGRAMS):
        return Response({"error": message}, status_code=status, headers=headers, media_type=MediaType.JSON)
    page = render("error.html", title=_TITLES.get(status, "That did not work"), message=message)
    return Response(page, status_code=status, headers=headers, media_type=MediaType.HTML)
