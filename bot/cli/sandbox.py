"""`sandbox`: the GitLab stand-in alone, with a project to play with, until Ctrl-C."""

import json
import signal
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.domain import CannotError

if TYPE_CHECKING:
    from bot.sandbox.faults import Plan
    from bot.sandbox.server import Sandbox


@click.command("sandbox", short_help="run the GitLab stand-in alone")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8929, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Empty folder for its repositories; default: one that goes when it ends.",
)
@click.option(
    "--bot-url", default="http://127.0.0.1:8080", show_default=True, help="Address where the bot will listen."
)
@click.option("--run-jobs", is_flag=True, help="Run the scripts of jobs for real, as the current user.")
@click.option(
    "--faults",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML file of what goes wrong: calls that fail, webhooks that get lost (see docs/working.md).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: the project, and a bot's settings.")
def sandbox_command(
    *, host: str, port: int, data_dir: Path | None, bot_url: str, run_jobs: bool, faults: Path | None, as_json: bool
) -> None:
    """Run a GitLab to play with: real repositories, no passwords. Whoever reaches it may do anything in it."""
    plan = _plan(faults)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        folder = data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipewright-sandbox-")))
        stand_in = _open(folder, host, port, run_jobs)
        stand_in.follow(plan)
        stack.callback(stand_in.stop)
        stand_in.start()
        project, settings = _fill(stand_in, bot_url.rstrip("/"))
        shown = json.dumps({"project": project, "settings": settings}) if as_json else _words(project, settings)
        click.echo(shown)
        stop.wait()


def _plan(path: Path | None) -> "Plan":
    from bot.sandbox.faults import Plan, read_plan

    try:
        return read_plan(path) if path else Plan()
    except ValueError as error:
        raise CannotError(f"{path} is no plan of faults: {error}") from error


def _open(folder: Path, host: str, port: int, run_jobs: bool) -> "Sandbox":
    from bot.sandbox.server import Sandbox

    if folder.is_dir() and any(folder.iterdir()):
        raise CannotError(f"{folder} is not empty. The stand-in keeps nothing over a restart: name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return Sandbox(folder, host=host, port=port, run_jobs=run_jobs)
    except OSError as error:
        raise CannotError(f"{host}:{port} cannot be listened on ({error.strerror}); choose another --port") from error


def _fill(stand_in: "Sandbox", bot_url: str) -> tuple[str, dict[str, str]]:
    """Put people and a project into it; return the project's path and the settings by which a bot gets in."""
    from bot.sandbox import sample, seed
    from bot.sandbox.oauth.records import add_application

    world = stand_in.world
    with world.lock:
        maintainer, developer, guest = (seed.add_user(world, name) for name in ("max", "mia", "gina"))
        bot = seed.add_user(world, "pipewright", is_bot=True)
        token = seed.add_token(world, bot)
        project = seed.add_project(
            world, "demo/teatimer", sample.FILES, {maintainer: 40, developer: 30, guest: 10, bot: 40}
        )
        application = add_application(world, f"{bot_url}/sign-in/callback", "read_api")
    return project.path, {
        "PIPEWRIGHT_GITLAB_URL": stand_in.url,
        "PIPEWRIGHT_GITLAB_TOKEN": token.value,
        "PIPEWRIGHT_PUBLIC_URL": bot_url,
        "PIPEWRIGHT_OAUTH_CLIENT_ID": application.uid,
        "PIPEWRIGHT_OAUTH_CLIENT_SECRET": application.secret,
    }


def _words(project: str, settings: dict[str, str]) -> str:
    url = settings["PIPEWRIGHT_GITLAB_URL"]
    return "\n".join(
        (
            f"The stand-in answers at {url}; its project is {url}/{project}",
            "Users: max (maintainer), mia (developer), gina (guest). A bot gets in with:",
            *(f"  {name}={value}" for name, value in settings.items()),
            f"Then `pipewright hooks install {project}` tells it where the bot listens. Ctrl-C ends it.",
        )
    )
