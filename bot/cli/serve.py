"""`serve` and `worker`: the bot itself."""

import importlib
from typing import Any

import click


@click.command("serve", short_help="run the bot: web, webhook and worker")
@click.option("--no-worker", is_flag=True, help="Only take orders in; workers run elsewhere.")
@click.option("--host", help="Address to listen on (PIPEWRIGHT_LISTEN_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (PIPEWRIGHT_LISTEN_PORT).")
def serve_command(*, no_worker: bool, host: str | None, port: int | None) -> None:
    """Serve the webhook and the pages, and work on orders."""
    from bot.settings import read_settings

    settings = read_settings()
    changes = {name: value for name, value in (("listen_host", host), ("listen_port", port)) if value is not None}
    _doors().serve(settings.model_copy(update=changes), with_worker=not no_worker)


@click.command("worker", short_help="work on orders only; start as many as you like")
@click.option("--concurrency", type=click.IntRange(1, 64), help="Orders at the same time.")
def worker_command(*, concurrency: int | None) -> None:
    """Work on the orders that `serve` takes in, on this or any other machine."""
    from bot.settings import read_settings

    settings = read_settings()
    changes = {"worker_concurrency": concurrency} if concurrency is not None else {}
    _doors().work(settings.model_copy(update=changes))


def _doors() -> Any:
    """Import what opens everything only now: it takes a second."""
    return importlib.import_module("bot.main")
