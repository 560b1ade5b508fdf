"""Looks for what no webhook brought: GitLab does not repeat a lost delivery, and switches failing hooks off.

What is found becomes the same events, under the same names, as a webhook would have brought: neither doubles the other.
"""

from collections.abc import Callable, Iterator

import structlog

from bot.domain import Event, UnreachableError
from bot.handlers.missed_changes import missed_changes
from bot.handlers.missed_mentions import mentions_at, mentions_on_list, unless_refused
from bot.services import Services
from bot.store import sweeps

log = structlog.get_logger()

Accept = Callable[[str, Event], str]

_MOST_PROPOSALS = 20
_MOST_PLACES = 30
_ACTIVE_HOURS = 2.0


def sweep(services: Services, accept: Accept) -> int:
    """Take in what was missed; return how much that was.

    An outside part that does not answer ends it early; what one project refuses keeps no other from being looked at.
    """
    found = 0
    try:
        for name, event in _missed(services):
            found += accept(name, event) == "queued"
    except UnreachableError as error:
        log.warning("the look for missed events was cut short", detail=str(error))
    if found:
        log.warning("found what no webhook brought", count=found, webhooks=services.settings.webhooks)
    return found


def _missed(services: Services) -> Iterator[tuple[str, Event]]:
    every = services.settings.sweep_seconds
    with services.pool.connection() as connection:
        is_our_turn = sweeps.claim(connection, "mentions", every)
        places = sweeps.active_places(connection, _ACTIVE_HOURS, _MOST_PLACES) if is_our_turn else []
        swept = sweeps.claim_proposals(connection, every, _MOST_PROPOSALS)
    if is_our_turn:
        yield from unless_refused(mentions_on_list(services))
    # While an entry waits GitLab adds no second one, so without webhooks the places themselves are looked at too.
    for place in places if services.settings.webhooks == "off" else ():
        yield from unless_refused(mentions_at(services, place))
    for one in swept:
        yield from unless_refused(missed_changes(services, one))
