"""What jobs count on from each other beside running first: artifacts, matrix jobs, environments, child pipelines."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from bot.ci.checks.document import Document, Path
from bot.ci.checks.merged import Job
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding


def check_links(document: Document, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Yield what one job expects of another that does not give it."""
    default = document.data.get("default")
    gives_all = isinstance(default, dict) and "artifacts" in default
    for job in (each for each in jobs.values() if not each.is_hidden):
        for path, entry in _needs(job):
            other = jobs.get(str(entry.get("job")))
            if other is None or other.is_hidden:
                continue
            yield from _matrix(document, job, path, entry, other)
            if entry.get("artifacts") is True and not gives_all:
                yield from _gives_nothing(document, job, path, other)
        if not gives_all:
            yield from _dependencies(document, job, jobs)
        yield from _stop_job(document, job, jobs)
        yield from _child(document, job, jobs)
        yield from _pages(document, job)
        yield from _outside(document, job)


def _needs(job: Job) -> Iterator[tuple[Path, dict[str, Any]]]:
    needs = job.body.get("needs")
    for number, entry in enumerate(needs if isinstance(needs, list) else []):
        if isinstance(entry, dict) and not {"pipeline", "project"} & set(entry):
            yield (job.name, "needs", number), entry


def _dependencies(document: Document, job: Job, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    listed = job.body.get("dependencies")
    for number, name in enumerate(listed if isinstance(listed, list) else []):
        if str(name) in jobs and not jobs[str(name)].is_hidden:
            yield from _gives_nothing(document, job, (job.name, "dependencies", number), jobs[str(name)])


def _gives_nothing(document: Document, job: Job, path: Path, other: Job) -> Iterator[Finding]:
    artifacts = other.body.get("artifacts")
    if other.is_open or "trigger" in other.body or (isinstance(artifacts, dict) and artifacts):
        return
    message = f"{job.name} takes artifacts from {other.name}, which makes none"
    mend = f"Give {other.name} artifacts:paths, or take it out here."
    yield document.finding(RUNG, message, mend, *path, is_error=False)


def _matrix(document: Document, job: Job, path: Path, entry: dict[str, Any], other: Job) -> Iterator[Finding]:
    """A need of some jobs of a matrix must name jobs that the matrix makes."""
    parallel = entry.get("parallel")
    wanted = _combinations(parallel)
    if not wanted or other.is_open or entry.get("optional") is True:
        return
    made = _combinations(other.body.get("parallel"))
    missing = next((each for each in wanted if not any(each <= whole for whole in made)), None)
    if missing is None or "$" in str(missing):
        return
    chosen = ", ".join(f"{key}: {value}" for key, value in sorted(missing))
    message = f"{job.name} needs {other.name} with {chosen}, which its matrix does not make"
    yield document.finding(RUNG, message, "Name values of the matrix, or leave parallel out.", *path, "parallel")


def _combinations(parallel: Any) -> list[frozenset[tuple[str, str]]]:
    matrix = parallel.get("matrix") if isinstance(parallel, dict) else None
    found: list[frozenset[tuple[str, str]]] = []
    for row in matrix if isinstance(matrix, list) else []:
        if isinstance(row, dict):
            sides = [
                [(str(key), str(v)) for v in (values if isinstance(values, list) else [values])]
                for key, values in row.items()
            ]
            found += [frozenset(each) for each in product(*sides)]
    return found


def _stop_job(document: Document, job: Job, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    environment = job.body.get("environment")
    own = environment if isinstance(environment, dict) else {}
    name = own.get("on_stop")
    if not isinstance(name, str) or "$" in name:
        return
    place = (job.name, "environment", "on_stop")
    other = jobs.get(name)
    if other is None or other.is_hidden:
        if not document.is_open:
            message = f"{job.name} is stopped by {name}, which does not exist"
            yield document.finding(RUNG, message, f"Add the job {name}, or correct the name.", *place)
        return
    stopping = other.body.get("environment")
    action = stopping.get("action") if isinstance(stopping, dict) else None
    if action != "stop" and not other.is_open:
        message = f"{job.name} is stopped by {name}, which does not stop an environment"
        yield document.finding(RUNG, message, f"Give {name} environment:action: stop.", *place)
    stopped = stopping.get("name") if isinstance(stopping, dict) else None
    if stopped and not other.is_open and stopped != own.get("name"):
        message = f"{job.name} is stopped by {name}, which stops another environment ({stopped})"
        yield document.finding(RUNG, message, f"Give both the name {own.get('name')}.", *place)


def _child(document: Document, job: Job, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """A child pipeline may be made of a file that another job writes."""
    trigger = job.body.get("trigger")
    includes = trigger.get("include") if isinstance(trigger, dict) else None
    for number, each in enumerate(includes if isinstance(includes, list) else []):
        name = each.get("job") if isinstance(each, dict) else None
        if not isinstance(name, str) or "$" in name:
            continue
        place = (job.name, "trigger", "include", number)
        if name in jobs:
            yield from _gives_nothing(document, job, place, jobs[name])
        elif not document.is_open:
            message = f"{job.name} starts a pipeline from a file of {name}, which does not exist"
            yield document.finding(RUNG, message, "Name the job that writes the file.", *place)


def _pages(document: Document, job: Job) -> Iterator[Finding]:
    if job.name != "pages" or job.is_open or "script" not in job.body or {"pages", "publish"} & set(job.body):
        return
    artifacts = job.body.get("artifacts")
    if not isinstance(artifacts, dict) or not artifacts.get("paths"):
        message = "pages keeps no artifacts, so there is nothing to publish"
        yield document.finding(RUNG, message, "Add artifacts:paths: [public].", "pages", is_error=False)


def _outside(document: Document, job: Job) -> Iterator[Finding]:
    """The runner keeps only what lies in the project's folder."""
    for keyword in ("artifacts", "cache"):
        holder = job.body.get(keyword)
        paths = holder.get("paths") if isinstance(holder, dict) else None
        for number, path in enumerate(paths if isinstance(paths, list) else []):
            if isinstance(path, str) and path.startswith(("/", "~", "../")):
                message = f"{path} lies outside the project, so {keyword} of {job.name} never hold it"
                place = (job.name, keyword, "paths", number)
                yield document.finding(RUNG, message, "Move it below $CI_PROJECT_DIR first.", *place, is_error=False)
