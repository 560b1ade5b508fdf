"""The doors of the program: opens every part in order, then serves the web, works on orders, or both."""

from dataclasses import dataclass

import structlog

from bot.services import Services
from bot.settings import Settings
from bot.tasks import Queue

log = structlog.get_logger()


@dataclass(frozen=True)
class Parts:
    """A running bot without its doors."""

    settings: Settings
    services: Services
    queue: Queue
