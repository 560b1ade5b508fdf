"""Lets the stand-in fail like the real thing: refuse, be busy, drop the connection, or act and then say 502."""

import re
import threading
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What happens to the next `times` calls of a method whose path matches `pattern`.

    `status` 0 drops the connection. With `after_effect` the call is carried out first and its answer lost.
    """

    method: str
    pattern: str
    status: int
    times: int = 1
    after_effect: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    text: str = '{"message":"the stand-in was asked to fail"}'


class Faults:
    """The faults that wait for their call."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        """Let a call fail."""
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for this call, if there is one, and count it."""
        with self._lock:
            for fault in self._waiting:
                if fault.times > 0 and fault.method == method and re.search(fault.pattern, path):
                    fault.times -= 1
                    return fault
            return None
