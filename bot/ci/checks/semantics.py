"""What the schema misses in single jobs: names, extends, stages and references."""

from collections.abc import Iterator
from typing import Any

from bot.ci.checks.document import GLOBAL_KEYS, Document
from bot.ci.checks.merged import Job, bases, references, target
from bot.domain import Finding

RUNG = "semantics"
MAX_EXTENDS = 11  # docs.gitlab.com/ci/yaml/#extends
DEFAULT_STAGES = ("build", "test", "deploy")
RESERVED = GLOBAL_KEYS - {"pages"} | {"True", "False", "None", "true", "false", "nil", "types", "pages:deploy"}


def check_jobs(document: Document, jobs: dict[str, Job]) -> Iterator[Finding]:
    """Yield what is wrong with each job by itself, and with the file as a whole."""
    yield from _visible(document, jobs)
    yield from _names(document)
    for job in jobs.values():
        yield from _bases(document, job.name)
        yield from _has_script(document, job)
        yield from _stage(document, job)
    yield from _references(document)


def stages(document: Document) -> tuple[str, ...] | None:
    """Return the stages in order, None when an included file may name them."""
    listed = document.data.get("stages")
    if isinstance(listed, list):
        return (".pre", *(str(stage) for stage in listed), ".post")
    return None if document.is_open else (".pre", *DEFAULT_STAGES, ".post")


def _visible(document: Document, jobs: dict[str, Job]) -> Iterator[Finding]:
    if document.is_open or any(not job.is_hidden for job in jobs.values()) or "spec" in document.data:
        return
    mend = "Add a job, or remove the dot in front of one: GitLab never runs names that begin with a dot."
    yield Finding(rung=RUNG, message="there are no visible jobs", path=document.path, line=1, mend=mend)


def _names(document: Document) -> Iterator[Finding]:
    for name, value in document.data.items():
        is_job = isinstance(value, dict) and bool({"script", "trigger", "extends"} & set(value))
        if name == "default":
            yield from _default(document, value)
        elif name in RESERVED and is_job:
            mend = f"Give the job another name, such as {name.lower()}-job."
            yield document.finding(RUNG, f"{name!r} is a keyword of GitLab, so no job can have this name", mend, name)
        elif is_job and len(name) > 255:
            yield document.finding(RUNG, "the name of a job is longer than 255 characters", "Shorten it.", name)


def _default(document: Document, value: Any) -> Iterator[Finding]:
    for key in ("script", "trigger", "run", "extends", "stage", "rules"):
        if isinstance(value, dict) and key in value:
            mend = "Put it into each job, or into a hidden job that they extend."
            yield document.finding(RUNG, f"default cannot hold {key}, which only jobs have", mend, "default", key)
    for key in ("image", "services", "before_script", "after_script", "cache"):
        if isinstance(value, dict) and key in value and key in document.data:
            mend = "Keep the one in default."
            yield document.finding(RUNG, f"{key} is set both in default and at the top of the file", mend, key)


def _bases(document: Document, name: str) -> Iterator[Finding]:
    for base in bases(document.jobs[name]):
        if base not in document.jobs and not document.is_open:
            mend = "Check the spelling, or add the job it should build on."
            yield document.finding(RUNG, f"{name} extends {base}, which does not exist", mend, name, "extends")
        elif not name.startswith(".") and _height(document, base) > MAX_EXTENDS:
            mend = "Let jobs extend fewer others in a row."
            message = f"{name} extends {base} and so on over more than {MAX_EXTENDS} levels"
            yield document.finding(RUNG, message, mend, name, "extends")
        elif name in _ancestors(document, base):
            mend = "Break the circle: one of them must not extend the other."
            yield document.finding(RUNG, f"{name} extends itself in a circle through {base}", mend, name, "extends")


def _height(document: Document, name: str, seen: tuple[str, ...] = ()) -> int:
    """Return how many jobs stand above each other, the job itself included; a circle counts once."""
    if name in seen or len(seen) > MAX_EXTENDS:
        return 0
    return 1 + max((_height(document, each, (*seen, name)) for each in bases(document.jobs.get(name, {}))), default=0)


def _ancestors(document: Document, name: str) -> set[str]:
    """Return a job and all it extends."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += bases(document.jobs.get(each, {}))
    return found


def _has_script(document: Document, job: Job) -> Iterator[Finding]:
    if "script" in job.body and "trigger" in job.body and not job.is_hidden:
        mend = "Make two jobs of it: a trigger job runs no script."
        yield document.finding(RUNG, f"{job.name} has both script and trigger", mend, job.name)
    if job.is_hidden or job.is_open or job.name in RESERVED or {"script", "trigger", "run"} & set(job.body):
        return
    mend = "Add a script, or put a dot in front of the name if it is only there to be extended."
    yield document.finding(
        RUNG, f"{job.name} has neither script, run nor trigger, so it can do nothing", mend, job.name
    )


def _stage(document: Document, job: Job) -> Iterator[Finding]:
    known = stages(document)
    stage = job.body.get("stage", "test" if known and "test" in known else None)
    if known is None or job.is_hidden or job.name in RESERVED or not isinstance(stage, str) or "$" in stage:
        if stage is None and known is not None and not job.is_hidden and not job.is_open and "test" not in known:
            mend = f"Give it one of: {', '.join(known[1:-1])}."
            message = f"{job.name} names no stage, and the default stage test is not among the stages"
            yield document.finding(RUNG, message, mend, job.name)
        return
    if stage not in known:
        mend = f"Use one of {', '.join(known[1:-1])}, or add {stage} to stages."
        yield document.finding(
            RUNG, f"{job.name} is in the stage {stage}, which does not exist", mend, job.name, "stage"
        )


def _references(document: Document) -> Iterator[Finding]:
    for path, reference in references(document.data):
        if document.is_open and reference and reference[0] not in document.data:
            continue
        if _is_circular(document, path, reference):
            message, mend = f"!reference {list(reference)} points at itself", "Point it at another job."
            yield document.finding(RUNG, message, mend, *path)
            continue
        try:
            target(document, reference)
        except KeyError:
            mend = "Check the spelling of the job and of the key."
            yield document.finding(RUNG, f"!reference {list(reference)} points at nothing", mend, *path)


def _is_circular(document: Document, path: tuple[str | int, ...], reference: list[str]) -> bool:
    """Follow a reference until it ends, or comes back to a place it has been at."""
    seen = {tuple(map(str, path[:2]))}
    waiting = [tuple(reference[:2])]
    while waiting:
        place = waiting.pop()
        if place in seen:
            return True
        seen.add(place)
        try:
            waiting += [tuple(each[:2]) for _, each in references(target(document, place))]
        except KeyError:
            continue
    return False
