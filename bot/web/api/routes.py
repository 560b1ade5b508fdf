"""Every address for programs."""

from bot.web.api import chat, decisions, health, lists, pipelines

ROUTES = (
    chat.chat,
    *decisions.ROUTES,
    *pipelines.ROUTES,
    *lists.ROUTES,
    health.live,
    health.ready,
    health.metrics,
)
