"""What was read from another CI: jobs with commands, rows of a matrix, versions and services."""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from bot.domain import Evidence
from bot.survey import commands
from bot.survey.launchers import without_launcher
from bot.survey.other_ci.conditions import EXPRESSION, holds
from bot.survey.versions import number

Row = Mapping[str, str]
_MATRIX = re.compile(r"(?:matrix|env)\.([\w.-]+)(?:\s*\|\|\s*'([^'$`]*)')?")


class Step(Struct, frozen=True, kw_only=True):
    """One script of a job, unresolved. `condition` is GitHub's `if`, `folder` the working directory."""

    script: str
    evidence: Evidence
    folder: str = ""
    condition: str = ""
    variables: dict[str, str] = {}


class Job(Struct, frozen=True, kw_only=True):
    """One job. `rows` are its matrix, only those on Linux; one empty row when there is no matrix.

    `versions` holds, by language, an expression over the row such as `${{ matrix.python }}`; `service_settings` are
    lines `NAME=value` that its databases start with.
    """

    path: str
    name: str
    steps: tuple[Step, ...] = ()
    rows: tuple[Row, ...] = ({},)
    versions: tuple[tuple[str, str, Evidence], ...] = ()
    services: tuple[tuple[str, Evidence], ...] = ()
    service_settings: tuple[tuple[str, Evidence], ...] = ()
    variables: dict[str, str] = {}
    packages: tuple[tuple[str, Evidence], ...] = ()

    def row_for(self, language: str, version: str) -> Row:
        """Return the row that runs this version, else the first one."""
        for row in self.rows:
            if any(lang == language and _is_version(resolve(raw, row), version) for lang, raw, _ in self.versions):
                return row
        return self.rows[0]

    def row_of(self, version: str) -> Row:
        """Return the row that runs this version of whatever language, else the first one."""
        named = dict.fromkeys(language for language, _, _ in self.versions)
        rows = (self.row_for(language, version) for language in named)
        return next((row for row in rows if row is not self.rows[0]), self.rows[0])

    def commands(self, row: Row) -> Iterator["Command"]:
        """Return the commands of the job for one row of its matrix, line by line."""
        for step in self.steps:
            if holds(step.condition, row):
                folder = normal_folder(resolve(step.folder, row))
                yield from _lines(step, row, folder, self)

    def commands_of(self, language: str, version: str) -> Iterator["Command"]:
        """Return the commands of the row for a version, and the linters that a matrix runs in another row alone."""
        row = self.row_for(language, version)
        yield from self.commands(row)
        for step in self.steps:
            other = next((each for each in self.rows if holds(step.condition, each)), None)
            if other is not None and not holds(step.condition, row):
                lines = _lines(step, other, normal_folder(resolve(step.folder, other)), self)
                yield from (command for command in lines if command.kind == "lint")


class Command(Struct, frozen=True, kw_only=True):
    """One line of a script. `line` is empty when it needs more than a plain shell; `raw` is what was written.

    `requires` holds what uvx or pipx brought for the tool, whose call `line` is without them.
    """

    line: str
    raw: str
    kind: str
    folder: str
    evidence: Evidence
    variables: dict[str, str] = {}
    requires: tuple[str, ...] = ()


class OtherCi(Struct, frozen=True, kw_only=True):
    """Everything the other CI systems say, the most trusted system first."""

    jobs: tuple[Job, ...] = ()

    def versions(self, language: str) -> tuple[tuple[str, Evidence], ...]:
        """Return every version some job runs a language with."""
        found: dict[str, Evidence] = {}
        for job in self.jobs:
            for lang, raw, evidence in job.versions:
                if lang == language:
                    for row in job.rows:
                        found.setdefault(resolve(raw, row), evidence)
        return tuple((version, where) for version, where in found.items() if version)

    def matrix(self, language: str) -> list[str]:
        """Return the versions alone."""
        return [version for version, _ in self.versions(language)]

    def runs(self, language: str, version: str, root: str) -> list[list[Command]]:
        """Return the commands inside one folder for a version, a list for each job."""
        every = [list(job.commands_of(language, version)) for job in self.jobs]
        return [[command for command in run if command.folder == root] for run in every]


def resolve(text: str, row: Row) -> str:
    """Fill in GitHub's expressions over the matrix and the variables; unknown ones make the line unusable."""

    def fill(match: re.Match[str]) -> str:
        inner = match.group(1).strip()
        found = _MATRIX.fullmatch(inner)
        if found is None:
            return "." if inner == "github.workspace" else match.group(0)
        value = row.get(found.group(1)) or found.group(2)
        value = row.get(found.group(1)) if value is None else value
        return match.group(0) if value is None else value

    return EXPRESSION.sub(fill, text)


def normal_folder(folder: str) -> str:
    """Return a working directory relative to the repository's root; "?" when it lies elsewhere."""
    parts: list[str] = []
    for part in folder.strip().strip("\"'").split("/"):
        if part == "..":
            if not parts:
                return "?"
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    plain = "/".join(parts)
    return plain if re.fullmatch(r"[\w./@ +-]*", plain) and not folder.startswith(("/", "~")) else "?"


def _lines(step: Step, row: Row, folder: str, job: Job) -> Iterator[Command]:
    """Split a script into lines and at `&&`; a `cd` moves the rest of the step."""
    variables = {name: resolve(value, row) for name, value in {**job.variables, **step.variables}.items()}
    script = re.sub(r"\\\r?\n\s*", " ", resolve(step.script, {**variables, **row}))
    if _is_program(script):
        yield from (_mention(raw, folder, step) for raw in script.splitlines() if raw.strip())
        return
    for written in script.splitlines():
        raw = _without_comment(written)
        if not raw:
            continue
        for part in re.split(r"\s*(?:&&|;)\s*", raw.strip()) if '"' not in raw else raw.strip().split(" && "):
            moved = re.fullmatch(r"(?:cd|pushd)\s+([\w./@+-]+)", part)
            if moved:
                folder = normal_folder(f"{folder or '.'}/{moved.group(1)}")
                continue
            yield _command(part, folder, step, variables)


def _without_comment(line: str) -> str:
    """Drop what a shell would not read; a line with quotes may hold a `#` that is meant."""
    plain = line.strip()
    return "" if plain.startswith("#") else plain if re.search("['\"]", plain) else re.split(r"\s#", plain)[0].rstrip()


def _mention(raw: str, folder: str, step: Step) -> "Command":
    """Return a line that cannot be copied, but still tells which tools are used."""
    evidence = Evidence(path=step.evidence.path, line=step.evidence.line, quote=raw.strip()[:120])
    return Command(line="", raw=raw.strip(), kind="", folder=folder, evidence=evidence)


def _is_program(script: str) -> bool:
    """Say whether a script branches, loops or starts a server: then its lines mean nothing one by one."""
    return (
        re.search(r"(?<!&)&\s*$|^[ \t]*(if|for|while|case|function|until)\b|<<-?\s*['\"]?\w", script, re.MULTILINE)
        is not None
    )


def _command(part: str, folder: str, step: Step, variables: dict[str, str]) -> Command:
    line, requires = without_launcher(re.sub(r"^sudo\s+(-E\s+)?", "", part.strip()))
    what = commands.kind(line)
    quoted = step.evidence
    evidence = Evidence(path=quoted.path, line=quoted.line, quote=part.strip()[:120])
    return Command(
        line=line if what else "",
        raw=part,
        kind=what,
        folder=folder,
        evidence=evidence,
        variables=variables,
        requires=requires,
    )


def _is_version(found: str, version: str) -> bool:
    return bool(version) and number(found)[: len(number(version))] == number(version)


def all_commands(runs: Sequence[Sequence[Command]]) -> list[Command]:
    """Return the commands of all jobs in order."""
    return [command for run in runs for command in run]
