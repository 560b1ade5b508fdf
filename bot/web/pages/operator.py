"""The operator's page: what waits, who works, which models answer, which webhooks are well, what broke."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from litestar import Response, get
from litestar.exceptions import PermissionDeniedException
from msgspec import Struct

from bot.llm.choose import open_model
from bot.settings import Settings
from bot.store import figures, orders
from bot.store.figures import Heard
from bot.web.door.visitors import Visitor, visitor_of
from bot.web.pages.conversation import AnyRequest
from bot.web.pages.looks import Looks, looks_of
from bot.web.pages.render import page
from bot.web.parts import parts_of

_ALIVE = timedelta(seconds=20)  # the queue takes a worker for dead that was silent for longer
_CLOSED = "This page is for GitLab's administrators and the operators named in PIPEWRIGHT_OPERATORS."


class HookState(Struct, frozen=True, kw_only=True):
    """A project with when it was last heard of, and in words how its webhook stands."""

    heard: Heard
    state: str
    is_well: bool


@get("/operator", sync_to_thread=True, include_in_schema=False)
def show(request: AnyRequest) -> Response[str]:
    """Show how the bot is doing to whoever operates it."""
    visitor, parts = visitor_of(request), parts_of(request)
    if not visitor.is_admin:
        raise PermissionDeniedException(_CLOSED)
    with parts.pool.connection() as connection:
        waiting, oldest = orders.waiting(connection)
        states = orders.count_by_state(connection)
        open_orders, broken = figures.unfinished(connection), figures.broken(connection)
        workers, heard = figures.workers(connection), figures.last_heard(connection)
    alive_since = datetime.now(UTC) - _ALIVE
    return page(
        request,
        "operator.html",
        waiting=waiting,
        oldest=oldest,
        states=states,
        open_orders=open_orders,
        broken=broken,
        workers=[(each, each.last_heartbeat >= alive_since) for each in workers],
        models=_models(looks_of(request), parts.settings),
        model_name=parts.settings.ollama_model,
        hooks=_hooks(looks_of(request), visitor, heard),
        gitlab_url=parts.settings.gitlab_url,
    )


ROUTES = (show,)


def _models(looks: Looks, settings: Settings) -> list[tuple[str, bool]]:
    def answers(url: str) -> bool:
        return open_model([url], settings.ollama_model, settings.tool_calling).is_up()

    return [(url, looks.model(url, partial(answers, url))) for url in settings.ollama_urls]


def _hooks(looks: Looks, visitor: Visitor, heard: Sequence[Heard]) -> list[HookState]:
    return [_hook(looks, visitor, each) for each in heard]


def _hook(looks: Looks, visitor: Visitor, heard: Heard) -> HookState:
    known = looks.hooks(visitor, str(heard.project_id))
    if known is None:
        return HookState(heard=heard, state="not shown to you", is_well=True)
    ours = [hook for hook in known if hook.url.endswith("/webhooks/gitlab")]
    if not ours:
        return HookState(heard=heard, state="none of the project's own (a group may have one)", is_well=True)
    ill = [hook.alert_status for hook in ours if hook.alert_status != "executable"]
    return HookState(heard=heard, state=ill[0].replace("_", " ") if ill else "well", is_well=not ill)
