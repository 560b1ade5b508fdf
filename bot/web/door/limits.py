"""How often somebody may come: so many times at once, then so many times a minute.

People are counted in PostgreSQL, for all web processes together. Addresses of whoever is not known yet are counted in
this process: what strangers do shall not cost a write.
"""

import math
import threading
from collections import OrderedDict
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import TooManyRequestsException
from litestar.types import Message, Scope
from msgspec import Struct

from bot.store import visits
from bot.store.pool import Pool
from bot.web.door.remembered import Clock

_MOST_COUNTED = 20_000
_STANDING = "rate_limit"

Connection = ASGIConnection[Any, Any, Any, Any]


class Rate(Struct, frozen=True, kw_only=True):
    """So many times at once, refilled by `each_minute`."""

    burst: int
    each_minute: int


class Bucket:
    """Counts by a rule in this process."""

    def __init__(self, clock: Clock, rate: Rate) -> None:
        self._clock, self._burst, self._rate = clock, rate.burst, rate.each_minute / 60
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_for(self, who: str, *, counted: bool = True) -> int:
        """Return 0 and count one more (unless told not to), or the whole seconds to wait when there are too many."""
        now = self._clock()
        with self._lock:
            left, at = self._left.pop(who, (float(self._burst), now))
            left = min(self._burst, left + (now - at) * self._rate)
            is_let_in = left >= 1
            self._left[who] = (left - (is_let_in and counted), now)
            while len(self._left) > _MOST_COUNTED:
                self._left.popitem(last=False)
        return 0 if is_let_in else max(1, math.ceil((1 - left) / self._rate))


class Limits:
    """The rules: for signing in and for tokens GitLab does not know by address, for all else by person."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self.sign_in = Bucket(clock, Rate(burst=20, each_minute=20))
        self.unknown = Bucket(clock, Rate(burst=20, each_minute=20))
        self.person = Rate(burst=120, each_minute=240)

    def check_person(self, connection: Connection, person_id: int) -> None:
        """Count one more of a person, and keep for the answer's headers how they stand; raises as `check` does."""
        rate = self.person
        with self._pool.connection() as database:
            standing = visits.count(database, person_id, burst=rate.burst, each_minute=rate.each_minute)
        connection.state[_STANDING] = standing
        if standing.remaining is None:
            raise _too_often(max(1, math.ceil(standing.seconds)))

    def headers(self, standing: visits.Standing) -> list[tuple[bytes, bytes]]:
        """Return how somebody stands, as draft-ietf-httpapi-ratelimit-headers writes it."""
        rate = self.person
        window, reset = rate.burst * 60 // rate.each_minute, math.ceil(standing.seconds)
        return [
            (b"ratelimit-policy", f'"person";q={rate.burst};w={window}'.encode()),
            (b"ratelimit", f'"person";r={standing.remaining or 0};t={reset}'.encode()),
        ]


def check(bucket: Bucket, who: str, *, counted: bool = True) -> None:
    """Count one more, unless told not to; raises TooManyRequestsException, which says how long to wait."""
    seconds = bucket.wait_for(who, counted=counted)
    if seconds:
        raise _too_often(seconds)


def _too_often(seconds: int) -> TooManyRequestsException:
    words = f"That was too often. Please wait {seconds} s and try again."
    return TooManyRequestsException(words, headers={"Retry-After": str(seconds)})


async def say_how_often(message: Message, scope: Scope) -> None:
    """Tell programs with every answer how often they may come yet."""
    standing = scope.get("state", {}).get(_STANDING)
    if message["type"] != "http.response.start" or standing is None or not scope["path"].startswith("/api/"):
        return
    limits: Limits = scope["litestar_app"].state.door.limits
    message["headers"] = [*message.get("headers", ()), *limits.headers(standing)]


def address_of(connection: Connection) -> str:
    """Return where a request comes from: of IPv6 the network, for a single one has many addresses."""
    client = connection.client
    host = client.host if client else ""
    return ":".join(host.split(":")[:4]) if ":" in host else host
