"""Calls recorded against the stand-ins (PIPEWRIGHT_RECORD=1) and replayed everywhere else, in `tests/cassettes/`.

A replayed test fails when the client asks anything else than what was recorded, or leaves a recorded call out.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import vcr
from vcr.cassette import Cassette

IS_RECORDING = os.environ.get("PIPEWRIGHT_RECORD") == "1"
FOLDER = Path(__file__).parents[1] / "cassettes"
_KEPT_HEADERS = frozenset({"content-type", "retry-after"})


@contextmanager
def cassette(name: str, *, real: str, shown: str) -> Iterator[Cassette]:
    """Record or replay; a recording shows the address `shown` instead of the `real` one, and no other header."""
    path = FOLDER / f"{name}.yaml"
    if IS_RECORDING:
        path.unlink(missing_ok=True)
    player = vcr.VCR(
        record_mode="all" if IS_RECORDING else "none",
        match_on=("method", "uri", "body"),
        before_record_request=lambda request: _without_secrets(request, real, shown),
        before_record_response=lambda response: _reduced(response, real, shown),
    )
    with player.use_cassette(str(path)) as tape:
        yield tape
        assert IS_RECORDING or tape.all_played, "recorded calls were left out"


def _without_secrets(request: Any, real: str, shown: str) -> Any:
    request.uri = request.uri.replace(real, shown)
    request.headers = {key: value for key, value in request.headers.items() if key.lower() in _KEPT_HEADERS}
    return request


def _reduced(response: dict[str, Any], real: str, shown: str) -> dict[str, Any]:
    kept = {key: value for key, value in response["headers"].items() if key.lower() in _KEPT_HEADERS}
    body = response["body"]["string"]
    body = body.encode() if isinstance(body, str) else body
    return {**response, "headers": kept, "body": {"string": body.replace(real.encode(), shown.encode())}}


def sent(tape: Cassette, *, below: str) -> list[tuple[str, str, Any]]:
    """Return the calls of a cassette: method, path with query below an address, and JSON."""
    return [
        (request.method, request.uri.removeprefix(below), json.loads(request.body) if request.body else None)
        for request in tape.requests
    ]
