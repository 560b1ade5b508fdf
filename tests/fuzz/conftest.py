"""How many examples each property gets: a few hundred in the suite, PIPEWRIGHT_FUZZ_EXAMPLES in the long mode."""

import os
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

GIVEN = os.environ.get("PIPEWRIGHT_FUZZ_EXAMPLES", "")


def examples(count: int) -> Callable[[Any], Any]:
    """Take so many examples, always the same; the long mode takes as many as it was told, other ones every time."""
    if GIVEN:
        unhurried = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
        return settings(max_examples=int(GIVEN), derandomize=False, suppress_health_check=unhurried)
    return settings(max_examples=count)
