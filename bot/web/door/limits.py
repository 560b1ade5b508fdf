"""How often somebody may come: so many times at once, then so many times a minute, counted in this process."""

import math
import threading
from collections import OrderedDict
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import TooManyRequestsException

from bot.web.door.remembered import Clock

_MOST_COUNTED = 20_000


class Bucket:
    """A rule: `burst` at once, refilled by `each_minute`."""

    def __init__(self, clock: Clock, *, burst: int, each_minute: int) -> None:
        self._clock, self._burst, self._rate = clock, burst, each_minute / 60
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

    def __init__(self, clock: Clock) -> None:
        self.sign_in = Bucket(clock, burst=20, each_minute=20)
        self.unknown = Bucket(clock, burst=20, each_minute=20)
        self.person = Bucket(clock, burst=120, each_minute=240)


def check(bucket: Bucket, who: str, *, counted: bool = True) -> None:
    """Count one more, unless told not to; raises TooManyRequestsException, which says how long to wait."""
    seconds = bucket.wait_for(who, counted=counted)
    if seconds:
        words = f"That was too often. Please wait {seconds} s and try again."
        raise TooManyRequestsException(words, headers={"Retry-After": str(seconds)})


def address_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return where a request comes from: of IPv6 the network, for a single one has many addresses."""
    client = connection.client
    host = client.host if client else ""
    return ":".join(host.split(":")[:4]) if ":" in host else host
