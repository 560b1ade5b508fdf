"""`migrate`, `backup` and `restore`: the database's new schema, its copy in a file, and the way back."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.settings import Settings

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@click.command("migrate", short_help="bring the database to this version's schema")
def migrate_command() -> None:
    """Apply what is missing, once, under a lock, and end.

    `serve` and `worker` do the same when they start; a command of its own lets a deployment do it before them.
    Programs of the version before go on working meanwhile.
    """
    from bot.main import database_of
    from bot.store.migrate import migrate
    from bot.tasks import queue_schema

    with database_of(_settings()) as conninfo:
        applied = migrate(conninfo, queue_schema())
    click.echo("applied: " + ", ".join(applied) if applied else "nothing to do: the database is up to date")


@click.command("backup", short_help="save the database into one file, while the bot runs")
@_FILE
def backup_command(*, file: Path) -> None:
    """Save everything the bot knows into FILE, as it was at one moment. Chroma's index needs none: it is made anew."""
    from bot.main import database_of
    from bot.store.backup import save

    with database_of(_settings()) as conninfo:
        size = save(conninfo, file)
    click.echo(f"saved: {file}, {size} bytes; keep it as carefully as the database: it holds what people wrote")


@click.command("restore", short_help="fill an empty database from a file of `backup`")
@_FILE
def restore_command(*, file: Path) -> None:
    """Fill an empty database from FILE, wholly or not at all, and bring it to this version's schema."""
    from bot.main import database_of
    from bot.store.backup import put_back
    from bot.store.migrate import migrate
    from bot.tasks import queue_schema

    with database_of(_settings()) as conninfo:
        put_back(conninfo, file)
        applied = migrate(conninfo, queue_schema())
    click.echo(f"restored from {file}" + (f"; brought up to date: {', '.join(applied)}" if applied else ""))


def _settings() -> "Settings":
    from bot.settings import read_settings

    return read_settings()
