"""What the web needs, handed in by whoever starts it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar.connection import ASGIConnection

from bot.domain import Person
from bot.gitlab.values import OwnToken
from bot.settings import Settings
from bot.store.pool import Pool
from bot.tasks import Queue
from bot.web.api.metrics import Metrics
from bot.web.outside import Outside


def _nothing_fails() -> Mapping[str, str]:
    return {}


@dataclass(frozen=True)
class WebParts:
    """Everything the web may use. `mention_names` are the names that mean the bot, without the @.

    `is_ready` names further parts that are not ready and why; PostgreSQL and the queue are looked at anyway.
    `outside` names parts for which orders have to wait.
    `clock` tells, in seconds, how long something has been remembered; `now` counts them since 1970.
    """

    settings: Settings
    queue: Queue
    pool: Pool
    bot: Person
    mention_names: tuple[str, ...]
    metrics: Metrics = field(default_factory=Metrics)
    token: OwnToken = field(default_factory=OwnToken)
    is_ready: Callable[[], Mapping[str, str]] = _nothing_fails
    outside: Outside = field(default_factory=lambda: Outside({}))
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time


def parts_of(connection: ASGIConnection[Any, Any, Any, Any]) -> WebParts:
    """Return the parts that the app was made with."""
    parts = connection.app.state.parts
    assert isinstance(parts, WebParts)  # create_app put it there
    return parts
