"""Puts the web together: every address there is, from the three rooms behind it."""

from collections.abc import Mapping

from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin

from bot.domain import CannotError, UnreachableError
from bot.gitlab.answers import RefusedError
from bot.web import errors, webhook
from bot.web.api import routes as api
from bot.web.api.describe import COMPONENTS, NothingUnknown
from bot.web.door import routes as door
from bot.web.door.csrf import own_pages_only
from bot.web.door.headers import added_to_each, headers_of_safety
from bot.web.door.limits import say_how_often
from bot.web.door.state import open_door
from bot.web.front import Front
from bot.web.intake import Intake
from bot.web.pages import routes as pages
from bot.web.pages.looks import Looks
from bot.web.parts import WebParts

__all__ = ["WebParts", "create_app"]


def create_app(parts: WebParts) -> Front:
    """Return the app; raise CannotError when no delivery could ever be authentic."""
    settings = parts.settings
    has_secret = settings.webhook_secret or settings.webhook_signing_token  # an empty one is none
    if settings.webhooks == "on" and not has_secret:
        raise CannotError(
            "no webhook could be trusted: set PIPEWRIGHT_WEBHOOK_SECRET (any long random text; enter the same as the "
            "webhook's secret token in GitLab) or PIPEWRIGHT_WEBHOOK_SIGNING_TOKEN (GitLab 19.0 and newer)."
        )
    headers = headers_of_safety(settings)
    intake = Intake(parts.queue.accept_all, parts.queue.accept_mentions, parts.queue.note)
    return Front(_litestar(parts, headers), parts, intake, headers)


def _litestar(parts: WebParts, headers: Mapping[bytes, bytes]) -> Litestar:
    return Litestar(
        route_handlers=[webhook.receive_webhook, *door.ROUTES, *api.ROUTES, *pages.ROUTES],
        guards=[own_pages_only],
        plugins=[NothingUnknown()],
        state=State({"parts": parts, "door": open_door(parts), "looks": Looks(parts.clock)}),
        # The description of the API is JSON alone: litestar's pages for it load scripts from elsewhere.
        openapi_config=OpenAPIConfig(
            title="Pipewright",
            version="1",
            components=COMPONENTS,
            path="/schema",
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"])],
        ),
        exception_handlers={
            HTTPException: errors.answer_refusal,
            RefusedError: errors.answer_refusal_of_gitlab,
            UnreachableError: errors.answer_silence,
            RecursionError: errors.answer_depth,
            **dict.fromkeys(errors.DATABASE_SILENT, errors.answer_silent_database),
            Exception: errors.answer_fault,
        },
        on_shutdown=[parts.queue.leave_loop],
        before_send=[added_to_each(headers), say_how_often],
        logging_config=None,  # its default would put every library at INFO
        request_max_body_size=100_000,
    )
