"""Stands before litestar, whose way to a handler and back costs more than taking a delivery in.

Here a delivery that is well is answered. What is wrong with one its route raises, so that errors are answered in one
place; all else is litestar's.
"""

from collections.abc import Mapping

import msgspec
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import HTTPResponseBodyEvent, HTTPResponseStartEvent, Receive, Scope, Send
from litestar.utils import normalize_path

from bot.store.arrivals import Accepted
from bot.web.intake import Intake
from bot.web.parts import WebParts
from bot.web.webhook import PATH, WRONG, Answer, take_in

_STATUS_CODES: dict[Accepted, int] = {"queued": 202, "duplicate": 200, "ignored": 200}

_Answer = tuple[HTTPResponseStartEvent, HTTPResponseBodyEvent]


class Front:
    """The app that the server calls, with litestar `behind` it; `headers` are those of every answer."""

    def __init__(self, behind: Litestar, parts: WebParts, intake: Intake, headers: Mapping[bytes, bytes]) -> None:
        self.behind, self._parts, self._intake = behind, parts, intake
        self._answers = {accepted: _answer(accepted, headers) for accepted in _STATUS_CODES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if not _is_delivery(scope):
            await self.behind(scope, receive, send)
            return
        try:
            accepted = await take_in(self._parts, self._intake, scope, receive)
        except Exception as error:  # noqa: BLE001 - its route raises it again
            scope.setdefault("state", {})[WRONG] = error
            await self.behind(scope, receive, send)
            return
        start, body = self._answers[accepted]
        await send(start)
        await send(body)


def _is_delivery(scope: Scope) -> bool:
    """Tell by its address, however it is written: litestar, too, overlooks slashes too many."""
    return scope["type"] == ScopeType.HTTP and scope["method"] == "POST" and normalize_path(scope["path"]) == PATH


def _answer(accepted: Accepted, headers: Mapping[bytes, bytes]) -> _Answer:
    body = msgspec.json.encode(Answer(accepted))
    own = {b"content-type": b"application/json", b"content-length": str(len(body)).encode()}
    return (
        {
            "type": "http.response.start",
            "status": _STATUS_CODES[accepted],
            "headers": [*own.items(), *headers.items()],
        },
        {"type": "http.response.body", "body": body, "more_body": False},
    )
