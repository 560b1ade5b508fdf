"""`audit`: who asked, what was proposed, who approved by which signal, what was merged."""

import csv
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from bot.store.audit import AuditEntry

_DAYS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S")


@click.group("audit", short_help="who asked, approved and merged what: export")
def audit_group() -> None:
    """Read the append-only record of what the bot did, and on whose word."""


@audit_group.command("export", short_help="write the record as JSON lines or CSV")
@click.option("--since", type=click.DateTime(_DAYS), required=True, help="From this day or time on (UTC).")
@click.option("--until", type=click.DateTime(_DAYS), help="Up to before this day or time (UTC); default: now.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("jsonl", "csv")),
    default="jsonl",
    show_default=True,
    help="One JSON object a line, or comma-separated values.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write; default: the terminal.")
def export_command(
    *, since: datetime, until: datetime | None, form: Literal["jsonl", "csv"], output: Path | None
) -> None:
    """Write every entry of a time, oldest first. Files appear by their hashes, never with their texts."""
    from bot.settings import read_settings

    if until is not None and until <= since:
        raise click.UsageError("--until has to be later than --since; both are in UTC.")
    if output is not None and not output.absolute().parent.is_dir():
        raise click.BadParameter(f"the folder {output.parent} does not exist.", param_hint="--output")
    settings = read_settings()
    from bot.parts import open_database  # takes a second, so only once the settings are complete
    from bot.store import audit
    from bot.store.pool import open_pool

    with ExitStack() as stack:
        pool = open_pool(stack.enter_context(open_database(settings)))
        stack.callback(pool.close)
        connection = stack.enter_context(pool.connection())
        # csv wants line breaks left alone
        stream = stack.enter_context(output.open("w", encoding="utf-8", newline="")) if output else sys.stdout
        found = audit.entries(connection, since=_utc(since), until=_utc(until or datetime.now(UTC)))
        count = _write(found, form, stream)
    click.echo(f"{count} entries", err=True)


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _write(entries: "Iterable[AuditEntry]", form: Literal["jsonl", "csv"], stream: IO[str]) -> int:
    """Write the entries as they come, for there may be millions; return how many there were."""
    return _write_csv(entries, stream) if form == "csv" else _write_lines(entries, stream)


def _write_lines(entries: "Iterable[AuditEntry]", stream: IO[str]) -> int:
    import msgspec

    count = 0
    for entry in entries:
        stream.write(msgspec.json.encode(entry).decode() + "\n")
        count += 1
    return count


def _write_csv(entries: "Iterable[AuditEntry]", stream: IO[str]) -> int:
    import msgspec

    from bot.store.audit import AuditEntry

    writer = csv.writer(stream)
    writer.writerow(AuditEntry.__struct_fields__)
    count = 0
    for entry in entries:
        row = msgspec.to_builtins(entry)
        row["detail"] = msgspec.json.encode(entry.detail).decode()
        writer.writerow([_harmless(row[name]) for name in AuditEntry.__struct_fields__])
        count += 1
    return count


def _harmless(value: object) -> object:
    """A spreadsheet runs cells that begin like a formula (owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
