"""What machines ask: is it alive, is it ready, and how much of what happens."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get
from psycopg import InterfaceError, OperationalError

from bot.store import orders
from bot.store.history import has_queue
from bot.web.api.metrics import CONTENT_TYPE, family
from bot.web.parts import WebParts, parts_of

STATES = ("queued", "running", "done", "skipped", "refused", "broken")
_PATIENCE_SECONDS = 2.0


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """`failing` names each part that is not ready, and why."""

    status: str
    failing: Mapping[str, str] = {}


@get("/health/live", sync_to_thread=False)
def live() -> Health:
    """Say that the process answers."""
    return Health("alive")


@get("/health/ready", sync_to_thread=True)
def ready(request: Request[Any, Any, Any]) -> Response[Health]:
    """Say whether deliveries can be taken in now; 503 names what cannot."""
    parts = parts_of(request)
    failing = {**_failing_database(parts), **parts.is_ready()}
    if failing:
        return Response(Health("not ready", failing), status_code=503)
    return Response(Health("ready"), status_code=200)


def _failing_database(parts: WebParts) -> dict[str, str]:
    try:
        with parts.pool.connection(timeout=_PATIENCE_SECONDS) as connection:
            if has_queue(connection):
                return {}
    except (OperationalError, InterfaceError) as error:
        return {"PostgreSQL": f"does not answer: {error}".strip()}
    return {"queue": "the tables of the queue are missing; `pipewright serve` makes them when it starts"}


@get("/metrics", sync_to_thread=True)
def metrics(request: Request[Any, Any, Any]) -> Response[str]:
    """Write every number in Prometheus' text format; deliveries and GitLab calls are those of this process."""
    parts = parts_of(request)
    return Response(parts.metrics.text() + _database_metrics(parts), media_type=CONTENT_TYPE)


def _database_metrics(parts: WebParts) -> str:
    """What all processes share is counted in PostgreSQL; while it is down, only that is said."""
    try:
        with parts.pool.connection(timeout=_PATIENCE_SECONDS) as connection:
            states = orders.count_by_state(connection)
            waiting, oldest = orders.waiting(connection)
    except (OperationalError, InterfaceError):
        return family("pipewright_database_up", "gauge", "1 while PostgreSQL answers", [({}, 0.0)])
    counts = [({"state": state}, float(states.get(state, 0))) for state in STATES]
    return "".join(
        (
            family("pipewright_database_up", "gauge", "1 while PostgreSQL answers", [({}, 1.0)]),
            family("pipewright_orders", "gauge", "stored orders by state", counts),
            family("pipewright_queue_length", "gauge", "orders not finished", [({}, float(waiting))]),
            family("pipewright_queue_oldest_seconds", "gauge", "age of the oldest of them", [({}, oldest)]),
        )
    )
