"""How many examples each property gets: a few hundred in the suite, PIPEWRIGHT_FUZZ_EXAMPLES in the long mode.

In the long mode an example that takes longer than any may, or memory beyond what all of them need, is a failure, too.
"""

import os
import resource
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

GIVEN = os.environ.get("PIPEWRIGHT_FUZZ_EXAMPLES", "")
_LONGEST = timedelta(seconds=10)
_MOST_BYTES = 3 * 1024**3


def examples(count: int) -> Callable[[Any], Any]:
    """Take so many examples, always the same; the long mode takes as many as it was told, other ones every time."""
    if GIVEN:
        unhurried = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
        return settings(max_examples=int(GIVEN), derandomize=False, deadline=_LONGEST, suppress_health_check=unhurried)
    return settings(max_examples=count)


@pytest.fixture(scope="session", autouse=True)
def _within_memory() -> None:
    if GIVEN:
        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, resource.getrlimit(resource.RLIMIT_DATA)[1]))
