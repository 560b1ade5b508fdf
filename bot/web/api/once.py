"""Writes of programs with an Idempotency-Key: done once, answered the same way again, refused when misused."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from uuid import UUID, uuid4, uuid5

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.spec import Example
from litestar.params import HeaderParameter

from bot.store import answered
from bot.store.answered import Answered
from bot.web.door.visitors import Visitor
from bot.web.parts import parts_of

_CHANNELS = UUID("6f8f5b0e-8d0c-4a57-9d36-7c5c0a3f1e21")  # any one that never changes

Key = Annotated[
    str | None,
    HeaderParameter(
        name="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of yours: the same request with the same key is done once and answered the same again.",
        examples=[Example(value="7d1c2f6e-setup-ci")],
    ),
]


class Once:
    """One write of one person. `delivery_key` names its order; without a key every request is another one."""

    def __init__(self, request: Request[Any, Any, Any], visitor: Visitor, key: str | None, asked: object) -> None:
        self._request, self._person_id, self._key = request, visitor.person.id, key
        what = msgspec.json.encode([request.method, request.url.path, asked], order="sorted")
        self._hash = hashlib.sha256(what).digest()
        self.channel = uuid5(_CHANNELS, f"{self._person_id} {key}") if key is not None else uuid4()
        self.delivery_key = f"api:{self.channel}"

    async def answer(self, make: Callable[[], Awaitable[Any]]) -> Response[Any]:
        """Return the stored answer, else make one and store it. What fails before the order is stored is not kept."""
        known = await asyncio.to_thread(self.claim)
        if known is not None and known.status is not None:
            headers = {"Idempotency-Replayed": "true"}
            return Response(known.answer, status_code=known.status, headers=headers, media_type=_kind(known.status))
        content = msgspec.to_builtins(await make())
        await asyncio.to_thread(self._keep, 200, content)
        return Response(content, status_code=200)

    def claim(self) -> Answered | None:
        """Return what is known of the request, None without a key; raise HTTPException where the key was another's."""
        if self._key is None:
            return None
        with parts_of(self._request).pool.connection() as connection:
            known = answered.remember(connection, self._person_id, self._key, self._hash)
        if known.request_hash != self._hash:
            raise HTTPException(
                "This Idempotency-Key was used for another request. Take a new key for each request, and the same one "
                "only to send the very same request again.",
                status_code=422,
            )
        return known

    def _keep(self, status: int, content: Any) -> None:
        if self._key is None:
            return
        with parts_of(self._request).pool.connection() as connection:
            answered.set_answer(connection, self._person_id, self._key, status=status, answer=content)


def _kind(status: int) -> str:
    return "application/json" if status < 400 else "application/problem+json"
