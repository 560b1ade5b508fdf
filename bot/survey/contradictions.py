"""What does not fit together, and what other CI does that the pipeline will not: said, not hidden."""

import re
from collections.abc import Iterator, Sequence

from bot.domain import Unit
from bot.survey import versions
from bot.survey.ended import is_ended_service
from bot.survey.other_ci.deliveries import read_deliveries
from bot.survey.other_ci.model import OtherCi
from bot.survey.tree import Folder, Tree

_FILES = {
    "python": ((".python-version", r"(\d+\.\d+[\d.]*)"), ("runtime.txt", r"python-(\d+\.\d+[\d.]*)")),
    "node": ((".nvmrc", r"v?(\d+[\d.]*)"), (".node-version", r"v?(\d+[\d.]*)")),
    "go": ((".go-version", r"(\d+\.\d+[\d.]*)"),),
    "java": ((".java-version", r"(\d+[\d.]*)"),),
}
_IMAGES = {"python": r"python", "node": r"node", "go": r"golang", "java": r"openjdk|eclipse-temurin|amazoncorretto"}
_MANY = 8
_MAX_DELIVERIES = 3


def contradictions(tree: Tree, ci: OtherCi, units: Sequence[Unit]) -> list[str]:
    """Return sentences for a person: rival versions, a second CI, ended services, schedules."""
    found = [sentence for unit in units for sentence in (*_versions(tree, ci, unit), *_services(unit))]
    return list(dict.fromkeys([*found, *_systems(ci), *_schedules(tree, ci)])) if units else []


def _versions(tree: Tree, ci: OtherCi, unit: Unit) -> Iterator[str]:
    folder, chosen = Folder(tree, unit.root), unit.first("version") or ""
    for file, pattern in _FILES.get(unit.ecosystem, ()):
        named = re.match(pattern, folder.text(file).strip())
        if chosen and named and versions.short(unit.ecosystem, named.group(1)) != chosen:
            yield f"`{folder.full(file)}` names {named.group(1)}, but {chosen} is used: {_why(unit)}."
    image = re.fullmatch(
        rf"(?:.*/)?(?:{_IMAGES.get(unit.ecosystem, '-')}):(\d[\d.]*).*", unit.first("base_image") or ""
    )
    if chosen and image and versions.short(unit.ecosystem, image.group(1)) != chosen:
        yield f"The Dockerfile starts from `{unit.first('base_image')}`, while the jobs run on {chosen}: {_why(unit)}."
    tested = [short for each in ci.matrix(unit.ecosystem) if (short := _short(unit.ecosystem, each))]
    others = sorted({each for each in tested if each != chosen}, key=versions.number)
    if chosen in tested and others:
        listed = ", ".join(others[-_MANY:])
        yield f"Other CI also tests {unit.ecosystem} {listed}; the pipeline tests {chosen} alone."


def _short(language: str, version: str) -> str:
    return versions.short(language, version) if language in versions.LINES and versions.number(version) else ""


def _why(unit: Unit) -> str:
    return next((fact.because for fact in unit.facts if fact.name == "version"), "")


def _services(unit: Unit) -> Iterator[str]:
    for image in unit.all("service"):
        if is_ended_service(image):
            yield f"The service `{image}` is past its end of life; it is used because the repository names it."


def _systems(ci: OtherCi) -> Iterator[str]:
    """Name the files of a second CI system, whose commands were only asked where the first said nothing."""
    paths = list(dict.fromkeys(job.path for job in ci.jobs))
    first = [path for path in paths if path.startswith(".github/")]
    others = [path for path in paths if not path.startswith(".github/") and path != ".gitlab-ci.yml"]
    others = [path for path in others if not re.match(r"\.(woodpecker|azure-pipelines|azuredevops)/", path)] or others[
        :1
    ]
    if len(first[:1] + others) > 1:
        second = others if first else others[1:]
        named = ", ".join(f"`{path}`" for path in second[:3])
        yield f"{named} may be stale: `{(first or others)[0]}` stands beside it and was believed first."


def _schedules(tree: Tree, ci: OtherCi) -> Iterator[str]:
    for path in dict.fromkeys(job.path for job in ci.jobs):
        times = re.findall(r"\bcron:\s*['\"]?([\d*][^'\"\n\]}#]*)", tree.text(path))
        if times:
            when = f"`{path}` also runs on a schedule (`{times[0].strip()}`)"
            yield f"{when}: add it under Build > Pipeline schedules if it is needed."


def left_out(tree: Tree) -> Iterator[str]:
    """Say what other CI delivers, and what a person has to set up to let GitLab do it."""
    for delivery in read_deliveries(tree):
        lines = ", ".join(f"`{each.quote}` (line {each.line})" for each in delivery.lines[:_MAX_DELIVERIES])
        secrets = f" and the protected variables {', '.join(delivery.secrets[:_MANY])}" if delivery.secrets else ""
        yield (
            f"`{delivery.path}` delivers with {lines}. I left that out: it takes a manual job on protected branches or "
            f"tags{secrets}."
        )
