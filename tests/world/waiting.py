"""Waits in a test until something holds that other threads or processes bring about."""

import time
from collections.abc import Callable


def until(holds: Callable[[], bool], *, seconds: float = 60.0) -> None:
    """Return as soon as it holds; the test fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
