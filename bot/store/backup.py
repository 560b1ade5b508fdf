"""Saves the database into one file and puts it back, with PostgreSQL's own programs."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from bot.domain import CannotError, UnreachableError
from bot.store.postgres_programs import binaries

_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "options": "PGOPTIONS",
}


def save(conninfo: str, file: Path) -> int:
    """Write the whole database into a file, as it was at one moment, while the bot goes on; return its bytes.

    The file appears only when it is whole. Raises CannotError with PostgreSQL's words.
    """
    half = file.with_name(file.name + ".half")
    half.unlink(missing_ok=True)
    os.close(os.open(half, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))  # it holds what people wrote
    try:
        _run(_program("pg_dump", conninfo), ["--format=custom", f"--file={half}"], conninfo)
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
    return file.stat().st_size


def put_back(conninfo: str, file: Path) -> None:
    """Fill an empty database from a file, wholly or not at all; raises CannotError when it is not empty."""
    if not file.is_file():
        raise CannotError(f"{file} is no file")
    if _has_tables(conninfo):
        raise CannotError(
            "the database is not empty, and nothing in it is written over: restore into a new one (another "
            "PIPEWRIGHT_DATABASE_URL or PIPEWRIGHT_DATA_DIR)"
        )
    arguments = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges", str(file)]
    _run(_program("pg_restore", conninfo), [f"--dbname={_database(conninfo)}", *arguments], conninfo)


def _database(conninfo: str) -> str:
    with _reached(conninfo) as connection:
        return connection.info.dbname


def _has_tables(conninfo: str) -> bool:
    with _reached(conninfo) as connection:
        row = connection.execute("select count(*) from pg_tables where schemaname = current_schema()").fetchone()
    return bool(row and row[0])


def _reached(conninfo: str) -> psycopg.Connection[TupleRow]:
    try:
        return psycopg.connect(conninfo, connect_timeout=5)
    except psycopg.OperationalError as error:
        raise UnreachableError("PostgreSQL", str(error)) from error


def _program(name: str, conninfo: str) -> str:
    """Return the oldest program that is as new as the server: older ones refuse, newer ones say what it can't read."""
    with _reached(conninfo) as connection:
        server = connection.info.server_version // 10_000
    found = {_major(path): path for path in (str(binaries() / name), shutil.which(name)) if path}
    fitting = [major for major in found if major >= server]
    if not fitting:
        raise CannotError(f"no {name} for PostgreSQL {server} is here; install the client programs of that version")
    return found[min(fitting)]


def _major(program: str) -> int:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=20)
    numbers = re.search(r"\) (\d+)", done.stdout)
    return int(numbers[1]) if numbers else 0


def _run(program: str, arguments: list[str], conninfo: str) -> None:
    """The way to the server goes through the environment: a command line can be read by everybody."""
    way = {_VARIABLES[key]: str(value) for key, value in conninfo_to_dict(conninfo).items() if key in _VARIABLES}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run([program, *arguments], env=kept | way, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotError(f"{Path(program).name} could not do it: {done.stderr.strip()[-1000:]}")
