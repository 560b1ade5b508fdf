"""Counts the boundaries between two effects as they are reached, and kills the bot's process at one of them."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Moment = Literal["before", "after"]


@dataclass(frozen=True, order=True)
class Boundary:
    """One effect of one process: the `number`th of its kind and label. `moment` is where the kill strikes.

    Before: the effect does not happen. After: it happened, and the process never hears of it.
    """

    process: str
    kind: str
    label: str
    number: int
    moment: Moment

    def __str__(self) -> str:
        return f"{self.process}: {self.moment} {self.kind} {self.label} #{self.number}"


class Boundaries:
    """Every boundary of one run; with a `target` the process dies there, once."""

    def __init__(self, target: Boundary | None, kill: Callable[[str], None]) -> None:
        self.target = target
        self.reached: list[Boundary] = []
        self.was_hit = False
        self._kill = kill
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._lock = threading.Lock()

    def enter(self, process: str, kind: str, label: str) -> int:
        """Count an effect that is about to happen; return its number."""
        with self._lock:
            self._counts[process, kind, label] += 1
            return self._counts[process, kind, label]

    def strikes(self, boundary: Boundary) -> bool:
        """Note that a boundary is reached; kill there if it is the one, and tell so."""
        with self._lock:
            self.reached.append(boundary)
            if boundary != self.target or self.was_hit:
                return False
            self.was_hit = True
        self._kill(boundary.process)
        return True
