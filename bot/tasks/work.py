"""What the queue calls for whatever it carries out."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from bot.domain import Event


@dataclass(frozen=True)
class Work:
    """What the queue calls: to handle an event, and to tell the person when that came to nothing.

    `sweep` looks for events that no webhook told of, and hands them to what it is given; every `sweep_seconds`.
    """

    handle: Callable[[Event, UUID], str]
    tell_broken: Callable[[Event, UUID, str], None]
    tell_unreachable: Callable[[Event, UUID, str], None]
    sweep: Callable[[Callable[[str, Event], str]], int] = lambda _accept: 0
    sweep_seconds: float = 60.0
