"""What became of another CI, line by line: taken over, replaced by something of GitLab's, or left out and why."""

import re
from collections.abc import Iterator, Sequence

from bot.domain import Carried, Evidence, Unit
from bot.survey import commands
from bot.survey.other_ci import appveyor, jenkins
from bot.survey.other_ci.containers import left_out
from bot.survey.other_ci.deliveries import read_deliveries
from bot.survey.other_ci.model import Command, Job, OtherCi
from bot.survey.tree import Tree, find

MAX_LINES = 200
_ACTIONS = (
    (r"actions/checkout", "GitLab", "the runner fetches the repository by itself"),
    (r"/setup-|setup-\w+@|rust-toolchain|mise-action", "image", "the image of the job brings it"),
    (r"/cache|rust-cache|setup-gradle", "cache", "the cache of the job"),
    (r"upload-artifact|upload-pages-artifact", "artifacts", "artifacts of the job"),
    (r"download-artifact", "", "a later job gets the artifacts of earlier stages by itself"),
    (r"codecov|coveralls|codeclimate|sonar", "", "GitLab shows the coverage itself; the service is not asked"),
    (r"codeql|scorecard|dependency-review|snyk|trivy", "", "ask for security scans to get GitLab's own"),
)


def conversion(tree: Tree, ci: OtherCi, units: Sequence[Unit]) -> tuple[Carried, ...]:
    """Return a row for every line of other CI that was read, in the order of the files; GitLab's own is no other."""
    foreign = [job for job in ci.jobs if job.path != ".gitlab-ci.yml"]
    deliveries = [where for delivery in read_deliveries(tree) for where in delivery.lines]
    delivered = {(where.path, where.line) for where in deliveries}
    rows: dict[tuple[str, int, str], Carried] = {}
    for row in _read(tree, foreign, units):
        rows.setdefault(_key(row), row)
    for row in _beside(tree, foreign):
        if (row.where.path, row.where.line) not in delivered:
            rows.setdefault(_key(row), row)
    for where in deliveries:
        row = Carried(where=where, why="it delivers: a person should add a manual job and its secrets")
        rows[_key(row)] = row
    return tuple(rows[key] for key in sorted(rows))[:MAX_LINES]


def _key(row: Carried) -> tuple[str, int, str]:
    return row.where.path, row.where.line or 0, row.where.quote


def _read(tree: Tree, foreign: Sequence[Job], units: Sequence[Unit]) -> Iterator[Carried]:
    """Return what the jobs run and need."""
    for job in foreign:
        yield from _commands(tree, job, units)
        yield from _needs(job, units)


def _beside(tree: Tree, foreign: Sequence[Job]) -> Iterator[Carried]:
    """Return what stands beside the commands that were read: actions, steps that were left out, files nobody read."""
    for path in dict.fromkeys(job.path for job in foreign):
        yield from _actions(path, tree.text(path))
        yield from _left_out(tree, path)
    yield from _unread(tree, {job.path for job in foreign})


def _left_out(tree: Tree, path: str) -> Iterator[Carried]:
    """Tell of the lines whose whole step was left out."""
    for step, line in left_out(tree, path):
        # A folded line stands otherwise in the file.
        starts = (" ".join(line.split()[:words]) for words in (3, 2))
        where = find(path, tree.text(path), line.strip(), *starts)
        where = Evidence(path=path, line=where.line, quote=line.strip().splitlines()[0][:120] if line.strip() else "")
        why = "its step delivers, or starts by hand or for a tag: a person should add a job for it"
        yield Carried(where=where, job=step, why=why)


def _unread(tree: Tree, read: set[str]) -> Iterator[Carried]:
    """Tell of what runs on Windows, and of a Jenkinsfile that only calls a shared library, which is not here."""
    for path in (each for each in tree.snapshot.texts if re.fullmatch(appveyor.PATTERN, each)):
        for line in filter(None, (each.strip() for each in appveyor.on_windows(tree, path))):
            where = find(path, tree.text(path), line.splitlines()[0])
            where = Evidence(path=path, line=where.line, quote=line.splitlines()[0][:120])
            yield Carried(where=where, why="it runs on Windows; the pipeline runs on Linux")
    for path in (each for each in tree.snapshot.paths if re.fullmatch(jenkins.PATTERN, each) and each not in read):
        code = jenkins.COMMENTS.sub(lambda found: "\n" * found[0].count("\n"), tree.text(path))
        for number, line in enumerate(code.splitlines(), 1):
            if re.match(r"(?:@Library\b|\w+\s*[({])", line):
                where = Evidence(path=path, line=number, quote=line.strip()[:120])
                yield Carried(
                    where=where, why="what it runs stands in a shared library, which is not in this repository"
                )


def _commands(tree: Tree, job: Job, units: Sequence[Unit]) -> Iterator[Carried]:
    for command in job.commands(job.rows[0]):
        became, why = _became(command, units)
        text = tree.text(job.path)
        # What an orb or a template of the other CI runs stands nowhere in the file; its call does.
        where = find(job.path, text, command.raw) if command.raw in text else find(job.path, text, "install-packages")
        where = Evidence(path=job.path, line=where.line or command.evidence.line, quote=command.raw[:120])
        yield Carried(where=where, job=job.name, became=became, why=why)


def _became(command: Command, units: Sequence[Unit]) -> tuple[str, str]:
    """Return the fact a command became, or nothing, and the reason."""
    for unit in units:
        for fact in unit.facts:
            if command.evidence in fact.evidence and fact.name in {"install", "test", "lint", "build", "lint_install"}:
                return fact.name, "as it is" if fact.value == command.line else f"as `{fact.value}`"
    if commands.is_forbidden(command.raw):
        return "", "it publishes, uploads or changes the repository"
    if not command.kind:
        return "", "it needs more of a shell than a plain command"
    if command.kind == "other":
        return "", "it neither installs, tests, checks nor builds anything"
    here = max((unit for unit in units if _is_inside(command.folder, unit.root)), key=_depth, default=None)
    if here is None:
        return "", f"it runs in `{command.folder}`, which is no project of its own"
    instead = " && ".join(here.all(command.kind)[:3])
    return (command.kind, f"replaced by `{instead}`") if instead else ("", "nothing in the repository answers to it")


def _is_inside(folder: str, root: str) -> bool:
    return not root or folder == root or folder.startswith(f"{root}/")


def _depth(unit: Unit) -> int:
    return len(unit.root)


def _needs(job: Job, units: Sequence[Unit]) -> Iterator[Carried]:
    """Tell what became of the versions, services and packages of a job."""
    for language, _, where in job.versions:
        version = next((unit.first("version") for unit in units if _speaks(unit, language)), None)
        became, why = ("image", f"{language} {version}") if version else ("", "no project here uses it")
        yield Carried(where=where, job=job.name, became=became, why=why)
    for name, entries in (("service", job.services), ("system_package", job.packages)):
        taken = {value for unit in units for value in unit.all(name)}
        for value, where in entries:
            used = value in taken or any(each.startswith(f"{value}:") for each in taken)
            row = Evidence(path=where.path, line=where.line, quote=value)
            why = "of the test job" if used else "the job that tests does not need it"
            yield Carried(where=row, job=job.name, became=name if used else "", why=why)


def _speaks(unit: Unit, language: str) -> bool:
    return language == unit.ecosystem or language in unit.all("language")


def _actions(path: str, text: str) -> Iterator[Carried]:
    """Tell what stands for the actions a workflow uses."""
    for number, line in enumerate(text.splitlines(), 1):
        used = re.match(r"\s*(?:-\s+)?uses:\s*['\"]?([^\s'\"#]+)", line)
        if used is None or used.group(1).startswith("./"):
            continue
        found = next((entry for entry in _ACTIONS if re.search(entry[0], used.group(1))), None)
        became, why = found[1:] if found else ("", "there is no counterpart: see whether it is needed")
        yield Carried(where=Evidence(path=path, line=number, quote=used.group(1)), became=became, why=why)
