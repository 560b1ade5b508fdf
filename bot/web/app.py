"""Puts the web together: every address there is, in one list."""

from litestar import Litestar
from litestar.datastructures import CacheControlHeader, State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.static_files import create_static_files_router

from bot.domain import CannotError, UnreachableError
from bot.web import chat, errors, health, history, pages, webhook
from bot.web.parts import WebParts

__all__ = ["WebParts", "create_app"]


def create_app(parts: WebParts) -> Litestar:
    """Return the app; raise CannotError when no delivery could ever be authentic."""
    settings = parts.settings
    has_secret = settings.webhook_secret or settings.webhook_signing_token  # an empty one is none
    if settings.webhooks == "on" and not has_secret:
        raise CannotError(
            "no webhook could be trusted: set PIPEWRIGHT_WEBHOOK_SECRET (any long random text; enter the same as the "
            "webhook's secret token in GitLab) or PIPEWRIGHT_WEBHOOK_SIGNING_TOKEN (GitLab 19.0 and newer)."
        )
    styles = create_static_files_router(
        path="/static", directories=[pages.FOLDER / "static"], cache_control=CacheControlHeader(max_age=3600)
    )
    return Litestar(
        route_handlers=[
            webhook.receive_webhook,
            chat.chat,
            health.live,
            health.ready,
            health.metrics,
            history.list_conversations,
            history.show_conversation,
            styles,
        ],
        state=State({"parts": parts}),
        # The description of the API is JSON alone: litestar's pages for it load scripts from elsewhere.
        openapi_config=OpenAPIConfig(
            title="Pipewright",
            version="1",
            path="/schema",
            render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        ),
        exception_handlers={
            HTTPException: errors.answer_refusal,
            UnreachableError: errors.answer_silence,
            **dict.fromkeys(errors.DATABASE_SILENT, errors.answer_silent_database),
            Exception: errors.answer_fault,
        },
        before_send=[errors.add_safety],
        logging_config=None,  # its default would put every library at INFO
        request_max_body_size=100_000,
    )
