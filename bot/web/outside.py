"""Knows which outside parts are silent: looks in the background, so that nobody who asks for health waits for them."""

import threading
import time
from collections.abc import Callable, Mapping

Look = Callable[[], str | None]


class Outside:
    """Each look says why its part cannot be used now, or nothing. What is told may be as old as `every_seconds`."""

    def __init__(
        self, looks: Mapping[str, Look], *, every_seconds: float = 10.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._looks, self._every, self._clock = looks, every_seconds, clock
        self._silent: dict[str, str] = {}
        self._looked_at: float | None = None
        self._looking = threading.Lock()

    def silent(self) -> Mapping[str, str]:
        """Return the parts that were silent at the last look, and why; begin another when that is long ago."""
        is_due = self._looked_at is None or self._clock() - self._looked_at >= self._every
        if is_due and self._looking.acquire(blocking=False):
            threading.Thread(target=self._look, name="health", daemon=True).start()
        return self._silent

    def _look(self) -> None:
        try:
            found = {part: why for part, look in self._looks.items() if (why := look())}
            self._silent, self._looked_at = found, self._clock()
        finally:
            self._looking.release()
