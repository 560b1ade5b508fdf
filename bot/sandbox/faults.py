"""Lets the stand-in fail like the real thing: what happens to which calls and deliveries, one by one or as a plan."""

import re
import threading
import time
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct, field

EVER = 0  # `times` of a fault that never ends


class Fault(Struct, forbid_unknown_fields=True):
    """What happens to the next `times` calls of a method whose path matches `pattern`, after `skip` that pass.

    `status` is the answer instead of the usual one; 0 drops the connection, None leaves the answer as it is. With
    `after_effect` the call is carried out first and its answer lost. `cut` sends half of the usual answer and hangs up.
    `seconds` is how long every answer takes. With `lasts` it ends that many seconds after the first call it met.
    """

    method: str
    pattern: str
    status: int | None = None
    times: int = 1
    after_effect: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    text: str = '{"message":"the stand-in was asked to fail"}'
    cut: bool = False
    seconds: float = 0.0
    skip: int = 0
    lasts: float | None = None
    met_at: float | None = None

    def __post_init__(self) -> None:
        _check_pattern(self.pattern)
        if self.status is None and not self.cut and not self.seconds:
            raise ValueError("a fault needs `status`, `cut` or `seconds`: else nothing happens")

    def meets(self, method: str, path: str) -> bool:
        """Tell whether this call is one of those that fail, and count it."""
        if self.method not in (method, "*") or not re.search(self.pattern, path) or self.times < 0 or self._is_over():
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.met_at = self.met_at or time.monotonic()
        if self.times != EVER:
            self.times = self.times - 1 or -1  # used up
        return True

    def _is_over(self) -> bool:
        return self.lasts is not None and self.met_at is not None and time.monotonic() > self.met_at + self.lasts


class DeliveryFault(Struct, forbid_unknown_fields=True):
    """What happens to the next `times` deliveries of an event (`note`, `pipeline`, … or `*`).

    `lost`: never sent, and nobody is told. `failed`: no receiver is reached, which counts towards switching the
    webhook off. `doubled`: sent twice. `late`: sent after `seconds`. `overtaken`: sent after the one that follows it,
    or after `seconds` when none does.
    """

    event: str
    does: Literal["lost", "failed", "doubled", "late", "overtaken"]
    times: int = 1
    seconds: float = 1.0

    def meets(self, event: str) -> bool:
        """Tell whether this delivery is one of those, and count it."""
        if self.event not in (event, "*") or self.times < 0:
            return False
        if self.times != EVER:
            self.times = self.times - 1 or -1
        return True


class Plan(Struct, forbid_unknown_fields=True):
    """Everything that goes wrong. `unsettled_reads`: how often a merge request answers that it is still being checked.

    `stale_reads`: how many reads of each address after a change in its project still answer as before it.
    `hooks_switch_off`: whether failing webhooks are switched off, as on GitLab.com; elsewhere an administrator's flag.
    """

    calls: list[Fault] = field(default_factory=list)
    deliveries: list[DeliveryFault] = field(default_factory=list)
    unsettled_reads: int = 2
    stale_reads: int = 0
    hooks_switch_off: bool = True


def read_plan(path: Path) -> Plan:
    """Read a plan from a YAML file; raises ValueError, which says where what is wrong."""
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Plan)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error


def _check_pattern(pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from error


class Faults:
    """The faults that wait for their call or delivery."""

    def __init__(self) -> None:
        self._calls: list[Fault] = []
        self._deliveries: list[DeliveryFault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault | DeliveryFault) -> None:
        """Let calls or deliveries fail."""
        with self._lock:
            for fault in faults:
                if isinstance(fault, Fault):
                    self._calls.append(fault)
                else:
                    self._deliveries.append(fault)

    def clear(self) -> None:
        """Let nothing fail any more."""
        with self._lock:
            self._calls.clear()
            self._deliveries.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for this call, if there is one, and count it."""
        with self._lock:
            return next((fault for fault in self._calls if fault.meets(method, path)), None)

    def take_delivery(self, event: str) -> DeliveryFault | None:
        """Return the fault for this delivery, if there is one, and count it."""
        with self._lock:
            return next((fault for fault in self._deliveries if fault.meets(event)), None)
