"""Looks for what no webhook brought: GitLab does not repeat a lost delivery, and switches failing hooks off.

What is found becomes the same events, under the same names, as a webhook would have brought: neither doubles the other.
"""

import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import structlog

from bot.domain import Event, UnreachableError
from bot.handlers.missed_changes import missed_changes
from bot.handlers.missed_mentions import mentions_at, mentions_on_list, unless_refused
from bot.services import Services
from bot.store import limits, sweeps

log = structlog.get_logger()

Accept = Callable[[str, Event], str]

_MOST_PROPOSALS = 20
_MOST_PLACES = 30
_ACTIVE_HOURS = 2.0
_ANSWERED_HOURS = 0.25
_GRACE_SECONDS = 15.0  # what is younger may be on its way, and nobody may be told that no webhook told of it
_OLDEST_SECONDS = 3600.0
_SECONDS_A_DAY = 86_400.0


def sweep(services: Services, accept: Accept, *, grace_seconds: float = _GRACE_SECONDS) -> int:
    """Take in what was missed; return how much that was. Comments younger than the grace are left for another look.

    An outside part that does not answer ends it early; what one project refuses keeps no other from being looked at.
    """
    found = 0
    _warn_of_token(services)
    try:
        for name, event in _missed(services, grace_seconds):
            found += accept(name, event) == "queued"
    except UnreachableError as error:
        log.warning("the look for missed events was cut short", detail=str(error))
    if found:
        log.warning("found what no webhook brought", count=found, webhooks=services.settings.webhooks)
    return found


def _warn_of_token(services: Services) -> None:
    """Once a day, whichever worker's turn it is: an ended token stops everything, and is silent about it."""
    warning = services.token.warning(datetime.now(UTC).date())
    if not warning:
        return
    with services.pool.connection() as connection:
        is_our_turn = sweeps.claim(connection, "token", _SECONDS_A_DAY)
    if is_our_turn:
        log.warning("the GitLab token ends soon", mend=warning)


def _missed(services: Services, grace_seconds: float) -> Iterator[tuple[str, Event]]:
    every, is_off = services.settings.sweep_seconds, services.settings.webhooks == "off"
    grace = 0.0 if is_off else grace_seconds
    with services.pool.connection() as connection:
        is_our_turn = sweeps.claim(connection, "mentions", every)
        hours = _ACTIVE_HOURS if is_off else _ANSWERED_HOURS
        places = sweeps.active_places(connection, hours, _MOST_PLACES) if is_our_turn else []
        if is_our_turn:
            limits.prune(connection)
        swept = sweeps.claim_proposals(connection, every, _MOST_PROPOSALS)
    if is_our_turn:
        yield from unless_refused(mentions_on_list(services, grace_seconds=grace))
    # While an entry waits GitLab adds no second one, and whatever the bot does there takes the entry off the list.
    for place in places:
        seconds = (grace, math.inf if is_off else _OLDEST_SECONDS)
        yield from unless_refused(mentions_at(services, place, between_seconds=seconds))
    for one in swept:
        yield from unless_refused(missed_changes(services, one))
