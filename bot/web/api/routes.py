"""Every address for programs."""

from bot.web.api import chat, health

ROUTES = (chat.chat, health.live, health.ready, health.metrics)
