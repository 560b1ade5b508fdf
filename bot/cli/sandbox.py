"""`sandbox`: the GitLab stand-in alone, until Ctrl-C."""

import signal
import threading
from pathlib import Path

import click


@click.command("sandbox", short_help="run the GitLab stand-in alone")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8929, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option(
    "--data-dir",
    default=Path(".pipewright/sandbox"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where its repositories live.",
)
@click.option("--run-jobs", is_flag=True, help="Run the scripts of jobs for real, as the current user.")
def sandbox_command(*, host: str, port: int, data_dir: Path, run_jobs: bool) -> None:
    """Run a GitLab to play with: git-backed, on loopback, without accounts to protect. Not for other people's reach."""
    from bot.sandbox.server import Sandbox

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        stand_in = Sandbox(data_dir, host=host, port=port, run_jobs=run_jobs)
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror}") from error
    stand_in.start()
    click.echo(f"The stand-in answers at {stand_in.url}; Ctrl-C ends it.")
    stop.wait()
    stand_in.stop()
