"""Remembers answers for a short while: bounded in number, safe for threads."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Clock = Callable[[], float]
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """Answers by key, each for `seconds`; beyond `most` the oldest are forgotten."""

    def __init__(self, *, seconds: float, most: int, clock: Clock = time.monotonic) -> None:
        self._seconds, self._most, self._clock = seconds, most, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, tuple[float, Value]] = OrderedDict()

    def get(self, key: Key) -> Value | None:
        """Return what is known, None when nothing is (any more)."""
        with self._lock:
            found = self._known.get(key)
        if found is None or self._clock() >= found[0]:
            return None
        return found[1]

    def put(self, key: Key, value: Value) -> None:
        """Remember an answer."""
        with self._lock:
            self._known[key] = (self._clock() + self._seconds, value)
            self._known.move_to_end(key)
            while len(self._known) > self._most:
                self._known.popitem(last=False)

    def forget(self, key: Key) -> None:
        """Forget one answer."""
        with self._lock:
            self._known.pop(key, None)
