"""Holds back what is too much: from one person, in one project, in one discussion, or between two programs.

Whoever gave the first order too many is told so once, with the time after which the next one is taken; on further ones
an hourglass shows that they were seen and left out.
"""

from datetime import datetime, timedelta

import structlog
from msgspec import Struct

from bot.domain import CannotError
from bot.proposals.order import Order
from bot.replies import pace
from bot.services import Services
from bot.settings import Settings
from bot.store import limits
from bot.store.limits import Dimension

log = structlog.get_logger()

LIMITED = "limited"
_WINDOW_SECONDS = 600.0
_QUICK_SECONDS = 10.0
_PAUSE = timedelta(hours=1)
_MOST_REFUSALS = 10


class TooMuch(Struct, frozen=True, kw_only=True):
    """Why an order is left out; `is_told` when it is the one that is answered for all until then."""

    text: str
    is_told: bool


class _Reached(Struct, frozen=True, kw_only=True):
    key: str
    until: datetime
    text: str


def too_much(services: Services, order: Order) -> TooMuch | None:
    """Return why this order is left out, or None when it is to be carried out."""
    reached = _answering_itself(services, order) or _over_a_rate(services, order)
    if reached is None:
        return None
    with services.pool.connection() as connection:
        is_told = limits.is_first_told(connection, order.id, reached.key, reached.until)
    return TooMuch(text=reached.text, is_told=is_told)


def _over_a_rate(services: Services, order: Order) -> _Reached | None:
    settings = services.settings
    rates: tuple[tuple[Dimension, int, str], ...] = (
        ("person", settings.orders_per_person, ""),
        ("discussion", settings.orders_per_discussion, str(order.conversation_id)),
        ("project", settings.orders_per_project, str(order.project.id)),
    )
    with services.pool.connection() as connection:
        for dimension, most, of in rates:
            until = most and limits.full_until(connection, order.id, dimension, most=most, seconds=_WINDOW_SECONDS)
            if until:
                key = f"{dimension} {of} for {order.person.id}"
                return _Reached(key=key, until=until, text=pace.too_many(dimension, most, until))
    return None


def _answering_itself(services: Services, order: Order) -> _Reached | None:
    """Two programs that answer one another would never end; a person does not answer within seconds again and again."""
    most = services.settings.turns_in_a_row
    if not most:
        return None
    key = f"turns in {order.conversation_id} of {order.person.id}"
    with services.pool.connection() as connection:
        until = limits.paused_until(connection, order.id, key)
        if until is None:
            turns = limits.quick_turns(connection, order.id, most=most, seconds=_QUICK_SECONDS)
            until = order.created_at + _PAUSE if turns >= most else None
    return _Reached(key=key, until=until, text=pace.paused(most, until)) if until else None


def leave_out(services: Services, order: Order) -> None:
    """Show that the order was seen and is not carried out."""
    try:
        services.gitlab.react(order.project.id, order.place, order.note_id, "hourglass")
    except CannotError as refused:
        log.info("an order left out got no mark", reason=str(refused))


def check_length(settings: Settings, words: str) -> None:
    """Raise CannotError for words nobody can weigh as one order; commands are read whatever follows them."""
    if len(words) > settings.order_characters:
        raise CannotError(pace.too_long(len(words), settings.order_characters))


def is_told_often(services: Services, order: Order) -> bool:
    """Tell whether this person's approvals were refused, each with its reason, so often lately that it is enough."""
    with services.pool.connection() as connection:
        return limits.refused_lately(connection, order.id, seconds=_WINDOW_SECONDS) >= _MOST_REFUSALS


def wait_for_note(services: Services) -> None:
    """Wait until another note fits into what GitLab lets one account write in a minute."""
    per_minute = services.settings.note_budget
    if not per_minute:
        return
    with services.pool.connection() as connection:
        seconds = limits.seconds_until_note(connection, per_minute=per_minute)
    if seconds:
        services.gitlab.sleep(seconds)
