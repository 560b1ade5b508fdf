"""Keeps the way to one collection: opened when first needed, opened again after a failure, never in a hurry."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bot.domain import UnreachableError
from bot.knowledge.chroma import reaching_chroma

# An order must not wait for a connection that failed a moment ago.
PAUSE_SECONDS = 15.0


class Shelf:
    """A collection that may be away. `openings` grows each time it is opened: what was known of it may be gone."""

    def __init__(self, open_it: Callable[[], Any], *, now: Callable[[], float] = time.monotonic) -> None:
        self._open_it = open_it
        self._now = now
        self._lock = threading.Lock()
        self._collection: Any = None
        self._silent_until = 0.0
        self.openings = 0

    @contextmanager
    def collection(self) -> Iterator[Any]:
        """Lend the collection; raises UnreachableError, at once when it did not answer a moment ago."""
        collection = self._opened()
        try:
            with reaching_chroma():
                yield collection
        except UnreachableError as error:
            if error.part == "Chroma":
                self._lost(collection)
            raise

    def _opened(self) -> Any:
        with self._lock:
            if self._collection is not None:
                return self._collection
            if self._now() < self._silent_until:
                raise UnreachableError("Chroma", "it did not answer a moment ago")
            try:
                self._collection = self._open_it()
            except UnreachableError:
                self._silent_until = self._now() + PAUSE_SECONDS
                raise
            self.openings += 1
            return self._collection

    def _lost(self, collection: Any) -> None:
        with self._lock:
            if self._collection is collection:
                self._collection = None
                self._silent_until = self._now() + PAUSE_SECONDS
