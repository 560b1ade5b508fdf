"""The doors of the program: serves the web, works on orders, or both, until it is told to stop."""

import gc
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import structlog
import uvicorn

from bot import logs
from bot.domain import CannotError
from bot.parts import Parts, open_parts
from bot.services import Services
from bot.settings import Settings
from bot.web.app import create_app
from bot.web.front import Front
from bot.web.outside import Outside
from bot.web.parts import WebParts

log = structlog.get_logger()

_LEAST_FREE_MB = 50
# Who takes deliveries in waits for PostgreSQL in threads; after each wait a busy loop would keep them from going on for
# Python's usual 5 ms.
_SWITCH_SECONDS = 0.0005


@contextmanager
def running(parts: Parts, *, with_worker: bool = True, listening: socket.socket | None = None) -> Iterator[str]:
    """Let the bot be reached and work; yield its address. Leaving finishes what runs.

    Whoever has to know the address before opens the socket with `listen` and hands it in.
    """
    settings = parts.services.settings
    sys.setswitchinterval(_SWITCH_SECONDS)
    listening = listening or listen(settings.listen_host, settings.listen_port)
    stop = threading.Event()
    with ExitStack() as stack:
        server = uvicorn.Server(
            uvicorn.Config(
                _app(parts),
                log_config=None,
                lifespan="on",
                access_log=False,
                timeout_graceful_shutdown=5,
                forwarded_allow_ips=settings.trusted_proxies,
            )
        )
        web = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="web")
        web.start()
        stack.callback(web.join)
        stack.callback(setattr, server, "should_exit", True)
        if with_worker:
            _warm_up(parts.services)
            worker = threading.Thread(
                target=parts.queue.run_worker, args=(settings.worker_concurrency, stop), name="worker"
            )
            worker.start()
            stack.callback(worker.join)
            stack.callback(stop.set)
        yield f"http://{settings.listen_host}:{listening.getsockname()[1]}"


def _app(parts: Parts) -> Front:
    services = parts.services
    web_parts = WebParts(
        settings=services.settings,
        queue=parts.queue,
        pool=services.pool,
        bot=services.bot,
        mention_names=services.mention_names,
        metrics=parts.metrics,
        is_ready=partial(_full_disk, services.settings),
        outside=Outside({"GitLab": services.gitlab.transport.silence, "Ollama": partial(_silent_model, services)}),
        token=services.token,
    )
    return create_app(web_parts)


def _full_disk(settings: Settings) -> dict[str, str]:
    """The embedded database cannot store anything on a full disk, and its reads would not show it."""
    if settings.database_url is not None:
        return {}
    left = shutil.disk_usage(settings.data_dir).free // 1_000_000
    if left >= _LEAST_FREE_MB:
        return {}
    return {"disk": f"only {left} MB are left for {settings.data_dir.resolve()}; the database needs {_LEAST_FREE_MB}"}


def _silent_model(services: Services) -> str | None:
    silent, hosts = services.model.silent_hosts(), len(services.settings.ollama_urls)
    if not silent:
        return None
    without = f"does not answer, or lacks the model {services.settings.ollama_model}"
    if silent < hosts:
        return f"{silent} of {hosts} hosts {without}; the others answer"
    return f"{without}; commands need none"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; raises CannotError, which says what to do, when it cannot."""
    try:
        return socket.create_server((host, port), backlog=1024)
    except OSError as error:
        why = (error.strerror or "").partition(" (while attempting")[0]  # Python says the address once more
        raise CannotError(
            f"{host}:{port} cannot be listened on ({why}). Stop what uses it, or set "
            "PIPEWRIGHT_LISTEN_PORT (and PIPEWRIGHT_LISTEN_HOST) to something free."
        ) from error


def serve(settings: Settings, *, with_worker: bool = True) -> None:
    """Serve until a signal asks to stop; a worker runs beside the web unless told otherwise."""
    logs.configure(settings.log_format)
    stop = _stopped_by_signal()
    with open_parts(settings) as parts, running(parts, with_worker=with_worker) as address:
        services = parts.services
        if settings.database_url is not None and settings.chroma_url is None:
            log.warning("the index is this machine's own; several machines share one with PIPEWRIGHT_CHROMA_URL")
        log.info("serving", address=address, account=services.bot.username, mention=services.mention)
        _set_apart_what_stays()
        stop.wait()
        log.info("stopping")


def work(settings: Settings) -> None:
    """Work on orders until a signal asks to stop, beside any number of other workers."""
    if settings.database_url is None or settings.chroma_url is None:
        raise CannotError(
            "a worker of its own shares its state with others: set PIPEWRIGHT_DATABASE_URL and PIPEWRIGHT_CHROMA_URL "
            "to servers. Without them `pipewright serve` does everything in one process."
        )
    logs.configure(settings.log_format)
    os.nice(5)  # on a machine shared with the web GitLab comes first, for it gives up after ten seconds
    stop = _stopped_by_signal()
    with open_parts(settings) as parts:
        _warm_up(parts.services)
        log.info("working", concurrency=settings.worker_concurrency)
        parts.queue.run_worker(settings.worker_concurrency, stop)


def _set_apart_what_stays() -> None:
    """Modules and their like never become garbage; looking through them again would hold deliveries up for 90 ms."""
    gc.collect()
    gc.freeze()


def _warm_up(services: Services) -> None:
    """Loading takes minutes and nobody has to wait for it: commands need no model."""
    ahead = partial(services.model.warm_up, may_fetch=services.settings.ollama_pull)
    threading.Thread(target=ahead, name="warm-up", daemon=True).start()


def _stopped_by_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
