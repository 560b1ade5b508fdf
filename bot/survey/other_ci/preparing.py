"""What other CI does just before its tests, without which they fail: tables, copied settings, who commits."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command, Job
from bot.survey.tree import Folder

_IDENTITY = re.compile(
    r"git config --global (?:user\.(?:name|email)|init\.defaultBranch) ([\w@.-]+|\"[\w@. -]+\"|'[\w@. -]+')"
)
_MIGRATIONS = (
    r"alembic upgrade heads?",
    r"flask db upgrade",
    r"aerich upgrade",
    r"(?:bin/)?(?:rails|rake)(?: db:[\w:]+)+",
    r"bin/console doctrine:(?:database:create|migrations:migrate|schema:(?:create|update))(?: --?[\w=-]+)*",
    r"prisma (?:generate|migrate (?:deploy|reset)|db push)(?: --[\w=./-]+)*",
    r"knex migrate:latest",
    r"sequelize(?:-cli)? db:(?:create|migrate)",
    r"mix ecto\.(?:setup|create|load|migrate)",
    r"sqlx (?:(?:db|database) (?:setup|create)|migrate run)",
    r"diesel (?:setup|database setup|migration run)",
)
_MIGRATOR = re.compile(r"cargo install (sqlx|diesel)[-_]cli(?: [\w=,.-]+)*")
# Our jobs keep the folder of cargo in the project, where no shell looks for programs.
_ON_THE_PATH = "--root /usr/local"
_LAUNCHER = r"(?:(?:poetry|uv|pdm|pipenv) run |bundle exec |npx |bunx |yarn |pnpm (?:exec )?|php )?(?:\./)?"
_TABLES = re.compile(rf"(?:[A-Z_]+=[\w./-]+ )*{_LAUNCHER}(?:{'|'.join(_MIGRATIONS)})")
# What makes tables with Python lies where the tests do.
_PYTHON = re.compile(r"^(?:[A-Z_]+=[\w./-]+ )*(?=(?:alembic|flask|aerich) )")
_COPY = re.compile(r"cp (?:-[a-z]+ )?([\w./*-]+) ((?!/)[\w./-]+)")


def add_preparations(facts: Facts, folder: Folder, job: Job, chosen: Sequence[Command]) -> list[Command]:
    """Add the lines that come before the tests that were taken over from this job, and return them."""
    every = list(job.commands(job.row_of(facts.first("version"))))
    told = list(_before(folder, every, chosen)) if chosen else []
    run = re.search(r"(?:uv|poetry|pdm|pipenv) run ", facts.first("test"))
    for command in told:
        line = command.raw.replace("cargo install ", f"cargo install {_ON_THE_PATH} ")
        line = _PYTHON.sub(rf"\g<0>{run.group(0)}", line) if run else line
        facts.add("prepare", line, "other CI does so before it tests", command.evidence)
        if _IDENTITY.fullmatch(command.raw):
            facts.add("system_package", "git", "the tests commit with it", command.evidence)
    return told


def _before(folder: Folder, every: Sequence[Command], chosen: Sequence[Command]) -> Iterator[Command]:
    """Yield who commits wherever it is told, and the rest only from the folder and the environment of the tests."""
    first = every.index(chosen[0])
    alone = re.match(r"(?:uv run )?(?:tox|nox)\b", chosen[0].line) is not None
    for position, command in enumerate(every):
        is_meant = position < first and command.folder == folder.root
        makes_tables = _TABLES.fullmatch(command.raw) or _is_called(command.raw, every[position:first])
        if _IDENTITY.fullmatch(command.raw) or (
            is_meant and (_copies(folder, command.raw) or (not alone and makes_tables))
        ):
            yield command


def _is_called(line: str, later: Sequence[Command]) -> bool:
    """Say whether a line installs a program of Rust that makes the tables."""
    found = _MIGRATOR.fullmatch(line)
    return found is not None and any(
        found.group(1) in command.raw and _TABLES.fullmatch(command.raw) for command in later
    )


def _copies(folder: Folder, line: str) -> bool:
    """Say whether a line copies files of the repository; the settings of Laravel are copied anyway."""
    found = _COPY.fullmatch(line)
    if found is None or (found.group(2) == ".env" and folder.has("artisan")):
        return False
    source = folder.full(found.group(1).removeprefix("./"))
    return any(fnmatchcase(path, source) for path in folder.tree.paths)
