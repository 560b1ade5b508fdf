"""Opens every part that the bot rests on, in order, and closes them again in the other."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from bot import tracing
from bot.agent.prompts import default_prompts_dir
from bot.domain import CannotError, Person
from bot.gitlab.answers import RefusedError
from bot.gitlab.client import GitLab
from bot.gitlab.values import Account, OwnToken
from bot.handlers import dispatch
from bot.handlers.sweep import sweep
from bot.knowledge.embed import Embedder, OllamaEmbedder, StaticEmbedder
from bot.knowledge.knowledge import Knowledge
from bot.library.examples import Examples
from bot.library.templates import Templates
from bot.llm.chat import ChatModel
from bot.llm.choose import open_model
from bot.services import Services
from bot.settings import Settings
from bot.store.collecting import collected
from bot.store.embedded import EmbeddedPostgres
from bot.store.migrate import migrate
from bot.store.pool import Pool, open_pool, readable, told_as_silence
from bot.tasks import Queue, Work, queue_schema
from bot.traced import TracedModel
from bot.tracing import Traces
from bot.web.api.metrics import Metrics

# What GitLab says when it is asked who we are sounds as if it were about a project.
_NOBODY = {
    401: "PIPEWRIGHT_GITLAB_TOKEN is not accepted ({detail}): make a new token with the scope `api`, and set that.",
    404: "There is no API below {address} ({detail}): PIPEWRIGHT_GITLAB_URL has to be GitLab's own address, without a "
    "project's path, and with the path below which GitLab runs.",
}


@dataclass(frozen=True)
class Parts:
    """A bot whose parts are open, but which nobody can reach yet."""

    services: Services
    queue: Queue
    metrics: Metrics


@contextmanager
def open_parts(settings: Settings) -> Iterator[Parts]:
    """Open everything the bot rests on, and close it again in the other order.

    Raises CannotError or UnreachableError, which say what to do, when a part cannot be used.
    """
    with ExitStack() as stack:
        conninfo, pool = _store(settings, stack)
        metrics = Metrics()
        stack.enter_context(metrics.shared(pool))
        stack.enter_context(collected(pool))
        traces = stack.enter_context(tracing.exported())
        gitlab = open_gitlab(settings, metrics)
        account, token = usable_account(gitlab, settings), own_token(gitlab)
        templates, examples = open_library(settings, gitlab, pool)
        services = Services(
            settings=settings,
            gitlab=gitlab,
            model=_model(settings, metrics, traces),
            templates=templates,
            examples=examples,
            pool=pool,
            bot=Person(id=account.id, username=account.username),
            prompts_dir=default_prompts_dir(),
            instance_url=account.instance_url,
            is_admin=account.is_admin,
            token=token,
        )
        queue = Queue(conninfo, pool, _work(services), takeover_seconds=settings.takeover_seconds, traces=traces)
        yield Parts(services=services, queue=queue, metrics=metrics)


@contextmanager
def open_database(settings: Settings) -> Iterator[str]:
    """Yield how to reach the bot's migrated database, whether the bot runs now or not."""
    with database_of(settings) as conninfo:
        migrate(conninfo, queue_schema())
        yield conninfo


@contextmanager
def database_of(settings: Settings) -> Iterator[str]:
    """Yield how to reach the bot's database as it is, whether the bot runs now or not."""
    with ExitStack() as stack:
        running = None if settings.database_url else EmbeddedPostgres(settings.data_dir).running()
        yield running or _database(settings, stack)


def index_templates(settings: Settings) -> tuple[str, ...]:
    """Bring templates, examples and their index up to date once; return what is broken in the organisation's own."""
    with ExitStack() as stack:
        _, pool = _store(settings, stack)
        templates, _ = open_library(settings, open_gitlab(settings), pool)
        return templates.catalog.skipped


def open_library(settings: Settings, gitlab: GitLab, pool: Pool) -> tuple[Templates, Examples]:
    """Return the templates and the learned pipelines, as current as what answers now allows."""
    knowledge = open_knowledge(settings)
    with told_as_silence():
        templates, examples = Templates(settings, gitlab, pool, knowledge), Examples(gitlab, pool, knowledge)
        templates.refresh()
        examples.follow_projects()
    return templates, examples


def _store(settings: Settings, stack: ExitStack) -> tuple[str, Pool]:
    conninfo = _database(settings, stack)
    migrate(conninfo, queue_schema())
    pool = open_pool(conninfo, settings.worker_concurrency + 8)
    stack.callback(pool.close)
    return conninfo, pool


def _database(settings: Settings, stack: ExitStack) -> str:
    if settings.database_url is not None:
        return readable(settings.database_url.get_secret_value())
    embedded = EmbeddedPostgres(settings.data_dir)
    stack.callback(embedded.stop)
    return embedded.start()


def open_gitlab(
    settings: Settings, metrics: Metrics | None = None, *, sleep: Callable[[float], None] = time.sleep
) -> GitLab:
    """Return the way to GitLab; nothing is sent yet. Raises CannotError for a file of certificates that is none."""
    _check_certificates(settings)
    return GitLab(
        settings.gitlab_url,
        settings.gitlab_token.get_secret_value(),
        ca_file=str(settings.ca_file) if settings.ca_file else None,
        on_call=partial(_note_call, metrics) if metrics else None,
        sleep=sleep,
    )


def _note_call(metrics: Metrics, route: str, status: int, seconds: float) -> None:
    metrics.count_gitlab_call(route, status, seconds)
    tracing.told_gitlab_call(route, status, seconds)


def _model(settings: Settings, metrics: Metrics, traces: Traces) -> ChatModel:
    model = open_model(
        settings.ollama_urls,
        settings.ollama_model,
        settings.tool_calling,
        window=settings.ollama_context,
        on_turn=metrics.count_model_turn,
    )
    return TracedModel(model) if traces.are_sent else model


def _check_certificates(settings: Settings) -> None:
    if settings.ca_file is None:
        return
    try:
        ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise CannotError(
            f"PIPEWRIGHT_CA_FILE names {settings.ca_file}, which holds no certificates ({error.strerror or error}): it "
            "has to be a file in PEM form, with lines that begin with -----BEGIN CERTIFICATE-----"
        ) from error


def usable_account(gitlab: GitLab, settings: Settings) -> Account:
    """Return the token's account; raise CannotError when the token may not do what the bot does."""
    try:
        account = gitlab.me()
    except RefusedError as refused:
        if refused.status not in _NOBODY:
            raise
        words = _NOBODY[refused.status].format(detail=refused.detail, address=settings.gitlab_url)
        raise CannotError(words) from refused
    scopes = gitlab.token_scopes()
    if scopes and "api" not in scopes:
        raise CannotError(
            f"PIPEWRIGHT_GITLAB_TOKEN has the scopes {', '.join(scopes)}, but the bot writes notes and commits: make a "
            "token with the scope `api`."
        )
    return account


def own_token(gitlab: GitLab) -> OwnToken:
    """Return what GitLab says of our token; tokens of applications are told nothing there."""
    try:
        return gitlab.own_token()
    except CannotError:
        return OwnToken(scopes=())


def open_knowledge(settings: Settings) -> Knowledge:
    """Return the index; it is opened when it is first used."""
    embedder: Embedder = StaticEmbedder()
    if settings.embeddings == "ollama":
        embedder = OllamaEmbedder(settings.ollama_urls[0], settings.embedding_model)
    return Knowledge.open(data_dir=settings.data_dir, chroma_url=settings.chroma_url, embedder=embedder)


def _work(services: Services) -> Work:
    return Work(
        handle=partial(dispatch.handle_event, services),
        tell_broken=partial(dispatch.tell_broken, services),
        tell_unreachable=partial(dispatch.tell_unreachable, services),
        sweep=partial(sweep, services),
        sweep_seconds=services.settings.sweep_seconds,
    )
