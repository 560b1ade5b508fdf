"""The command line: one file for each command. Heavy imports wait inside the commands, so that --help is instant."""

import importlib
import importlib.metadata
import io
import sys
import tomllib
from pathlib import Path
from typing import Any

import click

from bot.cli.audit import audit_group
from bot.cli.completion import completion_command
from bot.cli.database import backup_command, migrate_command, restore_command
from bot.cli.doctor import doctor_command
from bot.cli.generate import generate_command
from bot.cli.hooks import hooks_group
from bot.cli.init import init_command
from bot.cli.lint import lint_command
from bot.cli.rotating import rotate_command
from bot.cli.sandbox import sandbox_command
from bot.cli.serve import serve_command, worker_command
from bot.cli.templates import templates_group
from bot.domain import CannotError, UnreachableError

_SETTINGS = {
    "GitLab": "PIPEWRIGHT_GITLAB_URL",
    "PostgreSQL": "PIPEWRIGHT_DATABASE_URL",
    "Chroma": "PIPEWRIGHT_CHROMA_URL",
    "Ollama": "PIPEWRIGHT_OLLAMA_URL",
}


class Program(click.Group):
    """Says what went wrong in one place: a clear message on stderr and exit code 1, never a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it logs goes beside what it prints, unless it sets up logging itself."""
        _log_beside_answers()
        _show_what_can_be_shown()
        try:
            return super().invoke(ctx)
        except CannotError as error:
            raise click.ClickException(str(error)) from error
        except UnreachableError as error:
            advice = f"Is it running, and is {_SETTINGS[error.part]} right? `pipewright doctor` looks at every part."
            raise click.ClickException(f"{error}\n{advice}") from error
        except OSError as error:
            if error.filename is None:  # no file's: click knows what to do when whoever reads our output goes away
                raise
            advice = "Let this user read or write there, or name another place."
            raise click.ClickException(f"{error.filename} cannot be used: {error.strerror}. {advice}") from error


def _log_beside_answers() -> None:
    import structlog

    if not structlog.is_configured():
        from bot import logs

        logs.configure("console", is_beside_answers=True)


def _show_what_can_be_shown() -> None:
    """A terminal that is not UTF-8 has no check marks, nor has a name on disk that is not: neither ends a command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _show_version(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    click.echo(f"pipewright {_version()}")
    ctx.exit()


def _version() -> str:
    """Return the installed version, or in a checkout that is run in place the one of pyproject.toml."""
    try:
        return importlib.metadata.version("pipewright")
    except importlib.metadata.PackageNotFoundError:
        text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
        return str(tomllib.loads(text)["project"]["version"])


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_show_version, help="Show the version."
)
def main() -> None:
    """A GitLab bot that writes CI pipelines and opens them as draft merge requests.

    `pipewright demo` shows the whole story on this machine, without any GitLab; `pipewright generate .` writes a
    pipeline for the folder you are in; `pipewright serve` runs the bot.
    """


@main.command("demo", short_help="play the whole story on this machine, then stay up for playing")
@click.option("--once", is_flag=True, help="End after the story; exit 0 only if it ended merged and green.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the timeline to this file.")
@click.option("--run-jobs", is_flag=True, help="Run jobs for real (needs make, a C compiler and git), repair included.")
def demo_command(*, once: bool, json_file: Path | None, run_jobs: bool) -> None:
    """Play the story from a comment to a merged pipeline on loopback, with embedded parts only."""
    importlib.import_module("bot.cli.demo").demo(once, json_file, run_jobs=run_jobs)


for command in (
    init_command,
    generate_command,
    lint_command,
    serve_command,
    worker_command,
    doctor_command,
    hooks_group,
    templates_group,
    audit_group,
    migrate_command,
    backup_command,
    restore_command,
    sandbox_command,
    completion_command,
):
    main.add_command(command)
hooks_group.add_command(rotate_command)
