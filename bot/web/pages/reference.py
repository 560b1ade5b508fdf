"""The API's description as a page, made of the same OpenAPI that programs read; nothing is loaded from elsewhere."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from litestar import Response, get
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException
from msgspec import Struct

from bot.web.door.visitors import visitor_or_none
from bot.web.pages.conversation import AnyRequest
from bot.web.pages.render import page

_METHODS = ("get", "post")


class Sample(Struct, frozen=True, kw_only=True):
    """One example: what it is of, its media type, and the text."""

    title: str
    kind: str
    text: str


class Entry(Struct, frozen=True, kw_only=True):
    """One route as a page shows it. `parameters`: name, where it stands, what it is; `failures`: status and meaning."""

    method: str
    path: str
    summary: str
    about: str
    parameters: Sequence[tuple[str, str, str]]
    samples: Sequence[Sample]
    failures: Sequence[tuple[str, str]]


@get("/api", sync_to_thread=True, include_in_schema=False)
def show(request: AnyRequest) -> Response[str]:
    """Show every route for programs, with examples."""
    with suppress(NotAuthorizedException, PermissionDeniedException):  # it is for everybody
        visitor_or_none(request)
    described = request.app.openapi_schema.to_schema()
    return page(request, "reference.html", entries=list(entries(described)))


ROUTES = (show,)


def entries(described: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the routes for programs, in the description's order."""
    for path, operations in described["paths"].items():
        for method in _METHODS:
            if path.startswith("/api/") and method in operations:
                yield _entry(method.upper(), path, operations[method])


def _entry(method: str, path: str, operation: Mapping[str, Any]) -> Entry:
    answers = operation["responses"]
    sent = operation.get("requestBody", {}).get("content", {})
    return Entry(
        method=method,
        path=path,
        summary=operation.get("summary", ""),
        about=operation.get("description", ""),
        parameters=[_parameter(each) for each in operation.get("parameters", ())],
        samples=[*_samples("Request", sent), *_samples("Answer", answers.get("200", {}).get("content", {}))],
        failures=[(status, each.get("description", "")) for status, each in answers.items() if status >= "300"],
    )


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str]:
    return parameter["name"], parameter["in"], parameter.get("description", "")


def _samples(title: str, content: Mapping[str, Any]) -> Iterator[Sample]:
    for kind, shown in content.items():
        for example in shown.get("examples", {}).values():
            value = example["value"]
            text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
            yield Sample(title=title, kind=kind, text=text)
