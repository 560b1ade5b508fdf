"""What machines ask: is it alive, is it ready, and how much of what happens."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.openapi.datastructures import ResponseSpec
from psycopg import InterfaceError, OperationalError

from bot.store import alive, orders
from bot.store.counters import every, lately
from bot.store.history import has_queue
from bot.web.api.describe import TAGS_HEALTH
from bot.web.api.figures import figures
from bot.web.api.metrics import CONTENT_TYPE, counted_text, family
from bot.web.door.machines import may_look, require_looking
from bot.web.parts import WebParts, parts_of

STATES = ("queued", "running", "done", "skipped", "refused", "broken")
_PATIENCE_SECONDS = 2.0
_LONGEST_SILENCE_SECONDS = 60.0


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """`failing` names each part without which nothing is taken in, `silent` those for which orders have to wait.

    `warnings` say what works, but not for long.
    """

    status: str
    failing: Mapping[str, str] = {}
    silent: Mapping[str, str] = {}
    warnings: Mapping[str, str] = {}


class Closed(msgspec.Struct, frozen=True):
    """Why the numbers are not shown."""

    error: str


_CLOSED = {403: ResponseSpec(Closed, description="not from here, or not with this token", generate_examples=False)}


@get("/health/live", sync_to_thread=False, tags=TAGS_HEALTH, summary="Is it alive?")
def live() -> Health:
    """Say that the process answers."""
    return Health("alive")


@get(
    "/health/ready",
    sync_to_thread=True,
    tags=TAGS_HEALTH,
    summary="Can it take deliveries in?",
    responses={503: ResponseSpec(Health, description="not now", generate_examples=False)},
)
def ready(request: Request[Any, Any, Any]) -> Response[Health]:
    """Say whether deliveries can be taken in now; 503 names what fails. What is only silent is named beside a 200.

    The parts are named to whoever may read the metrics; others learn the status alone.
    """
    parts = parts_of(request)
    failing = {**_failing_database(parts), **parts.is_ready()}
    silent = {**parts.outside.silent(), **({} if failing else _silent_workers(parts))}
    ending = parts.token.warning(datetime.now(UTC).date())
    warnings = {"GitLab token": ending} if ending else {}
    status = "not ready" if failing else "degraded" if silent else "ready"
    health = Health(status, failing, silent, warnings) if may_look(request) else Health(status)
    return Response(health, status_code=503 if failing else 200)


def _silent_workers(parts: WebParts) -> dict[str, str]:
    try:
        with parts.pool.connection(timeout=_PATIENCE_SECONDS) as connection:
            seconds = alive.seconds_since_heartbeat(connection)
    except (OperationalError, InterfaceError):
        return {}
    if seconds is not None and seconds < _LONGEST_SILENCE_SECONDS:
        return {}
    since = "ever" if seconds is None else f"for {seconds:.0f} seconds"
    return {"worker": f"none has shown a sign of life {since}; orders are kept and wait"}


def _failing_database(parts: WebParts) -> dict[str, str]:
    try:
        with parts.pool.connection(timeout=_PATIENCE_SECONDS) as connection:
            if has_queue(connection):
                return {}
    except (OperationalError, InterfaceError) as error:
        return {"PostgreSQL": f"does not answer: {error}".strip()}
    return {"queue": "the tables of the queue are missing; `pipewright serve` makes them when it starts"}


@get(
    "/metrics",
    sync_to_thread=True,
    tags=TAGS_HEALTH,
    summary="Numbers for Prometheus",
    media_type=CONTENT_TYPE,
    responses=_CLOSED,
)
def metrics(request: Request[Any, Any, Any]) -> Response[str]:
    """Write every number in Prometheus' text format; counters are those of all processes together."""
    require_looking(request)
    parts = parts_of(request)
    return Response(_database_metrics(parts), media_type=CONTENT_TYPE)


def _database_metrics(parts: WebParts) -> str:
    """What all processes share is counted in PostgreSQL; while it is down, only that is said."""
    parts.metrics.share(parts.pool)
    try:
        with parts.pool.connection(timeout=_PATIENCE_SECONDS) as connection:
            states = orders.count_by_state(connection)
            waiting, oldest = orders.waiting(connection)
            told = figures(lately(connection))
            counted = every(connection)
    except (OperationalError, InterfaceError):
        return family("pipewright_database_up", "gauge", "1 while PostgreSQL answers", [({}, 0.0)])
    counts = [({"state": state}, float(states.get(state, 0))) for state in STATES]
    return "".join(
        (
            counted_text(counted),
            told,
            family("pipewright_database_up", "gauge", "1 while PostgreSQL answers", [({}, 1.0)]),
            family("pipewright_orders", "gauge", "stored orders by state", counts),
            family("pipewright_queue_length", "gauge", "orders not finished", [({}, float(waiting))]),
            family("pipewright_queue_oldest_seconds", "gauge", "age of the oldest of them", [({}, oldest)]),
        )
    )
