"""PostgreSQL: reachable, new enough, ours to change, of this program's schema; and whether a worker lives."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.cli.doctor.diagnosis import Diagnosis, ill, lacking
from bot.domain import CannotError, UnreachableError

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.store.checkup import Found

_OLDEST = 14
_LONGEST_SILENCE_SECONDS = 60.0
_MENDS = {
    "password": "Correct the user or password in PIPEWRIGHT_DATABASE_URL.",
    "database": "Create it (`createdb`), or correct its name in PIPEWRIGHT_DATABASE_URL.",
    "away": "Start PostgreSQL, or check host and port in PIPEWRIGHT_DATABASE_URL.",
    "full": "It takes no more connections: raise its `max_connections`, or run fewer processes.",
}


def look(settings: "Settings") -> Iterator[Diagnosis]:
    """Look at the configured server, or at the embedded one while the bot runs it."""
    from bot.store.checkup import look_at
    from bot.store.embedded import EmbeddedPostgres
    from bot.store.pool import readable

    url = settings.database_url
    try:
        conninfo = readable(url.get_secret_value()) if url else EmbeddedPostgres(settings.data_dir).running()
        if conninfo is None:
            yield Diagnosis("PostgreSQL", True, f"embedded, in {settings.data_dir}; not running now")
            return
        found = look_at(conninfo)
    except UnreachableError as error:
        yield ill("PostgreSQL", str(error), _MENDS[_why(str(error))])
        return
    except CannotError as error:
        yield ill("PostgreSQL", str(error), "Check PIPEWRIGHT_DATA_DIR and PIPEWRIGHT_DATABASE_URL.")
        return
    except OSError:  # the line of the data folder says it
        return
    yield from judged(found, "embedded, running" if url is None else "")


def _why(words: str) -> str:
    """Server messages have a code that no client library hands over for a connection that did not come about."""
    if "password" in words or ("role" in words and "does not exist" in words) or "pg_hba" in words:
        return "password"
    if "does not exist" in words:
        return "database"
    return "full" if "connection slots" in words or "too many" in words else "away"


def judged(found: "Found", kind: str) -> Iterator[Diagnosis]:
    """Say what is wrong with a server that answers."""
    says = ", ".join(filter(None, (f"version {found.version}", kind)))
    if found.version < _OLDEST:
        yield ill("PostgreSQL", f"{says} is too old", f"Use PostgreSQL {_OLDEST} or newer.")
    elif found.encoding != "UTF8":
        yield ill("PostgreSQL", f"{says}: encoded as {found.encoding}", "Create the database with the encoding UTF8.")
    elif not found.may_create:
        mend = f"As its owner: `grant create on schema {found.schema} to {found.user}`."
        yield ill("PostgreSQL", f"{says}: {found.user} may not create tables", mend)
    elif found.newer:
        mend = "Upgrade this program too; until then it goes on, but do not install this version anew."
        yield lacking("PostgreSQL", f"{says}: its schema is of a newer version ({', '.join(found.newer)})", mend)
    elif found.missing:
        kept = "is empty" if not found.is_begun else f"lacks {', '.join(found.missing)}"
        mend = "`pipewright migrate`; `serve` and `worker` do it when they start, too."
        yield lacking("PostgreSQL", f"{says}: its schema {kept}", mend)
    else:
        yield Diagnosis("PostgreSQL", True, says)
    if found.is_begun and not found.missing:
        yield _worker(found)


def _worker(found: "Found") -> Diagnosis:
    silent = found.worker_silent_seconds
    if silent is not None and silent < _LONGEST_SILENCE_SECONDS:
        return Diagnosis("worker", True, f"alive, {found.waiting} orders wait")
    since = "ever" if silent is None else f"for {silent:.0f} seconds"
    mend = "Start `pipewright serve`, or `pipewright worker` beside `serve --no-worker`; orders are kept and wait."
    return lacking("worker", f"none has shown a sign of life {since}; {found.waiting} orders wait", mend)
