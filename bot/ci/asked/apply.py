"""Applies operations to files, one after the other, and says of each in a sentence what it did."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from bot.ci.asked import includes, jobs, lookup, scripts, services, settings, when
from bot.ci.asked.docker import edit_dockerfile, ignore_paths
from bot.ci.asked.operation import DOCKER, Operation
from bot.ci.asked.sentences import sentence
from bot.ci.asked.where import place_of
from bot.ci.checks.document import read_document
from bot.ci.edit import AddStage, RemoveJob, RemoveStage, SetKey, apply
from bot.domain import CannotError, Finding

_FOR_ALL = frozenset({"set_image", "set_option"})


class Outcome(Struct, frozen=True, kw_only=True):
    """The files that changed, what was done in sentences, what else to know, what policy flags beside the ladder."""

    files: dict[str, str]
    said: tuple[str, ...]
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def apply_operations(files: Mapping[str, str], operations: Sequence[Operation], *, comment: str = "") -> Outcome:
    """Return what becomes of the files; raise CannotError that says which operation cannot be done, and why.

    `comment` is put above new jobs. Nothing is kept when one operation fails.
    """
    changed = dict(files)
    said: list[str] = []
    findings: list[Finding] = []
    for number, asked in enumerate(operations, 1):
        path, operation = place_of(changed, asked)
        if path not in changed and operation.operation != "docker_ignore":
            raise CannotError(f"operation {number}: there is no {path} to change")
        before = changed.get(path, "")
        try:
            changed[path] = _applied(before, operation, comment)
        except CannotError as error:
            raise CannotError(f"operation {number} ({operation.operation}): {error}") from error
        if changed[path] != before:
            said.append(sentence(asked))
            findings += includes.flagged(operation) if operation.operation == "add_include" else ()
    different = {path: text for path, text in changed.items() if files.get(path) != text}
    if not different:
        raise CannotError("everything is already so; nothing would change")
    nightly = any("nightly" in operation.when for operation in operations)
    return Outcome(files=different, said=tuple(said), notes=(when.NIGHTLY_NOTE,) * nightly, findings=tuple(findings))


def _applied(text: str, operation: Operation, comment: str) -> str:
    if operation.operation == "docker_ignore":
        return ignore_paths(text, operation)
    if operation.operation in DOCKER:
        return edit_dockerfile(text, operation)
    if operation.operation == "add_job":
        added = jobs.add_job(text, operation, comment=comment)
        return when.let_schedules_in(added) if "nightly" in operation.when else added
    if operation.operation in _OF_FILE:
        return _OF_FILE[operation.operation](text, operation)
    return _OF_JOB[operation.operation](text, _job(text, operation), operation)


def _job(text: str, operation: Operation) -> str:
    if operation.operation in _FOR_ALL and lookup.is_every(operation.job):
        return operation.job
    if operation.operation in _WITHOUT_JOB and (not operation.job or lookup.is_every(operation.job)):
        return ""
    return lookup.job_named(read_document(text), operation.job)


def _remove_job(text: str, job: str, operation: Operation) -> str:
    del operation
    waiting = [
        name
        for name, body in read_document(text).jobs.items()
        if name != job and any(job in _names(body.get(key)) for key in ("needs", "dependencies", "extends"))
    ]
    if waiting:
        raise CannotError(f"{', '.join(waiting)} still needs {job}; change that first")
    return apply(text, RemoveJob(name=job))


def _names(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    elsewhere = {"project", "pipeline"}
    own = [each for each in listed if not (isinstance(each, dict) and elsewhere & set(each))]
    return [str(each.get("job")) if isinstance(each, dict) else str(each) for each in own]


def _set_stage(text: str, job: str, operation: Operation) -> str:
    stage = operation.stage or operation.value
    return apply(jobs.with_stage(text, stage), SetKey(job=job, key="stage", value=stage))


def _add_stage(text: str, operation: Operation) -> str:
    return apply(text, AddStage(stage=operation.stage or operation.value, before=operation.name or None))


def _remove_stage(text: str, operation: Operation) -> str:
    stage = operation.stage or operation.value or operation.name
    there = [name for name, body in read_document(text).jobs.items() if body.get("stage") == stage]
    if there:
        raise CannotError(f"the jobs {', '.join(there)} are in the stage {stage}; move them first")
    return apply(text, RemoveStage(stage=stage))


def _set_tags(text: str, job: str, operation: Operation) -> str:
    return apply(text, SetKey(job=job or lookup.DEFAULT, key="tags", value=list(operation.values)))


_WITHOUT_JOB = frozenset({"set_variable", "remove_variable", "set_tags"})
_OF_FILE: dict[str, Callable[[str, Operation], str]] = {
    "add_stage": _add_stage,
    "remove_stage": _remove_stage,
    "set_pipelines": when.set_pipelines,
    "add_include": includes.add_include,
    "remove_include": includes.remove_include,
}
_OF_JOB: dict[str, Callable[[str, str, Operation], str]] = {
    "remove_job": _remove_job,
    "rename_job": lambda text, job, operation: jobs.rename_job(text, job, operation.value),
    "set_image": settings.set_image,
    "set_script": scripts.set_script,
    "add_script": scripts.add_lines,
    "remove_script": scripts.remove_lines,
    "add_service": services.add_services,
    "remove_service": services.remove_services,
    "set_variable": settings.set_variables,
    "remove_variable": settings.remove_variable,
    "run_when": when.run_when,
    "skip_when": when.skip_when,
    "set_versions": settings.set_versions,
    "set_needs": settings.set_needs,
    "set_stage": _set_stage,
    "set_artifacts": settings.add_artifacts,
    "set_cache": settings.add_cache,
    "set_option": settings.set_option,
    "set_tags": _set_tags,
    "set_environment": settings.set_environment,
}
