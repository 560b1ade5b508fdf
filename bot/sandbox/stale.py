"""Answers reads as before a change for a while, as a GitLab does whose replica or cache lags behind."""

import re
import threading

from bot.sandbox.rest.call import Answer

_PROJECT = re.compile(r"/projects/[^/]+")


class StaleReads:
    """Remembers answers; after a change in a project the next `reads` reads of each address get the remembered one."""

    def __init__(self) -> None:
        self.reads = 0
        self._known: dict[str, Answer] = {}
        self._left: dict[str, int] = {}
        self._lock = threading.Lock()

    def answer(self, target: str) -> Answer | None:
        """Return the answer from before the last change while it is still given."""
        with self._lock:
            if self._left.get(target, 0) <= 0:
                return None
            self._left[target] -= 1
            return self._known[target]

    def remember(self, target: str, answer: Answer) -> None:
        """Keep what a read was answered."""
        if self.reads:
            with self._lock:
                self._known[target] = answer

    def changed(self, path: str) -> None:
        """Hear of a change: what was read of that project is old now."""
        project = _PROJECT.search(path)
        if not self.reads or project is None:
            return
        with self._lock:
            for target in self._known:
                if project[0] + "/" in target + "/":
                    self._left[target] = self.reads
