"""What schemathesis is told of this API beyond its description: names of what is there, and that keys are used once."""

import itertools
import json
import os
from typing import Any

import schemathesis

_NAMES: dict[str, list[Any]] = json.loads(os.environ.get("PIPEWRIGHT_FUZZ_NAMES", "{}"))
_KEY = "Idempotency-Key"
_numbers = itertools.count()


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Only sound requests are helped; what is spoilt goes out as it is."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    for values in (case.body, case.path_parameters):
        if isinstance(values, dict):
            _put(values)
    if case.headers and _KEY in case.headers:  # one key for two requests is refused, as it must be
        case.headers[_KEY] = f"{case.headers[_KEY][:150]}-{os.getpid()}-{next(_numbers)}"
    if case.path == "/api/v1/chat" and isinstance(case.body, dict):
        _place(case.body)


def _put(values: dict[str, Any]) -> None:
    """Which one, and whether, is told by the value that stands there, so that the same run comes out the same."""
    for name, there in _NAMES.items():
        value = values.get(name)
        chance = sum(map(ord, value)) if isinstance(value, str) else 0
        is_elsewhere = isinstance(value, str) and ("://" in value or "@" in value)
        if there and (chance % 4 or is_elsewhere):
            values[name] = there[chance % len(there)]


def _place(body: dict[str, Any]) -> None:
    """A talk goes on, or begins about a project; which project one that goes on belongs to is known already."""
    if body.get("session_id") is not None:
        body.pop("project", None)
    elif body.get("project") is None:
        body["project"] = _NAMES["project"][0]
