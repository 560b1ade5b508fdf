"""`migrate`, `backup` and `restore`: the database's new schema, its copy in a file, and the way back."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bot.settings import Settings

_FILE = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command("migrate", short_help="bring the database to this version's schema")
@click.option("--check", is_flag=True, help="Only tell what is missing; exit code 1 when something is.")
@_JSON
def migrate_command(*, check: bool, as_json: bool) -> None:
    """Apply what is missing, once, under a lock, and end.

    `serve` and `worker` do the same when they start; a command of its own lets a deployment do it before them.
    Programs of the version before go on working meanwhile.
    """
    from bot.parts import database_of
    from bot.store.checkup import look_at
    from bot.store.migrate import migrate
    from bot.tasks import queue_schema

    with database_of(_settings()) as conninfo:
        if check:
            found = look_at(conninfo)
            _tell_state(found.missing, found.newer, as_json=as_json)
            return
        applied = migrate(conninfo, queue_schema())
    words = "applied: " + ", ".join(applied) if applied else "nothing to do: the database is up to date"
    click.echo(json.dumps({"applied": applied}) if as_json else words)


def _tell_state(missing: tuple[str, ...], newer: tuple[str, ...], *, as_json: bool) -> None:
    words = f"missing: {', '.join(missing)}" if missing else "nothing is missing"
    words += f"; of a newer version: {', '.join(newer)}" if newer else ""
    click.echo(json.dumps({"missing": missing, "newer": newer}) if as_json else words)
    if missing:
        sys.exit(1)


@click.command("backup", short_help="save the database into one file, while the bot runs")
@_FILE
@_JSON
def backup_command(*, file: Path, as_json: bool) -> None:
    """Save everything the bot knows into FILE, as it was at one moment. Chroma's index needs none: it is made anew."""
    from bot.parts import database_of
    from bot.store.backup import save

    with database_of(_settings()) as conninfo:
        size = save(conninfo, file)
    words = f"saved: {file}, {size} bytes; keep it as carefully as the database: it holds what people wrote"
    click.echo(json.dumps({"file": str(file), "bytes": size}) if as_json else words)


@click.command("restore", short_help="fill an empty database from a file of `backup`")
@_FILE
@_JSON
def restore_command(*, file: Path, as_json: bool) -> None:
    """Fill an empty database from FILE, wholly or not at all, and bring it to this version's schema."""
    from bot.parts import database_of
    from bot.store.backup import put_back
    from bot.store.migrate import migrate
    from bot.tasks import queue_schema

    with database_of(_settings()) as conninfo:
        put_back(conninfo, file)
        applied = migrate(conninfo, queue_schema())
    words = f"restored from {file}" + (f"; brought up to date: {', '.join(applied)}" if applied else "")
    click.echo(json.dumps({"file": str(file), "applied": applied}) if as_json else words)


def _settings() -> "Settings":
    from bot.settings import read_settings

    return read_settings()
