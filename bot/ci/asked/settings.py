"""What a job is set to beside its script: image, variables, files it keeps, versions, options, environment."""

import re
from typing import Any

from bot.ci.asked.lookup import (
    DEFAULT,
    body_of,
    image_name,
    image_of,
    is_every,
    job_named,
    merged_body,
    visible,
    written_as,
)
from bot.ci.asked.operation import Operation
from bot.ci.checks.document import read_document
from bot.ci.edit import SetArtifacts, SetCache, SetKey, SetNeeds, SetVariable, apply
from bot.ci.edit.place import add_item, set_value
from bot.ci.edit.splice import splice
from bot.domain import CannotError

_NUMBERS = ("retry", "parallel")
_FLAGS = ("allow_failure", "interruptible")
_TEXTS = ("timeout", "coverage", "resource_group", "start_in", "when")
_OF_DEFAULT = ("timeout", "retry", "interruptible")
_REPORTS = ("junit", "dotenv", "terraform", "codequality", "accessibility")
_TRUE = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_VERSION = re.compile(r"\d+(?:\.\d+)*")


def set_image(text: str, job: str, operation: Operation) -> str:
    """Set the image; where all jobs are meant, each that is written anywhere, and the one that the others share."""
    image = operation.image or operation.value
    if not is_every(job):
        return _with_image(text, job, image)
    document = read_document(text)
    own = [name for name in document.jobs if written_as(text, name, "image")]
    if not all({"image", "trigger"} & set(merged_body(text, name)) for name in visible(document)):
        own.append("" if "image" in document.data else DEFAULT)
    for name in reversed(own):  # an anchor's aliases stand behind it
        text = _with_image(text, name, image)
    return text


def _with_image(text: str, job: str, image: str) -> str:
    above, holder = ((job,), body_of(text, job)) if job else ((), read_document(text).data)
    is_long = isinstance(holder.get("image"), dict)
    return splice(text, set_value(text, (*above, "image", "name") if is_long else (*above, "image"), image))


def set_variables(text: str, job: str, operation: Operation) -> str:
    """Set variables of a job, or of the whole pipeline; a described one keeps its description."""
    above = (job, "variables") if job else ("variables",)
    for name, value in operation.pairs.items():
        document = read_document(text)
        known = (document.jobs.get(job, {}) if job else document.data).get("variables")
        is_long = isinstance(known, dict) and isinstance(known.get(name), dict)
        text = splice(text, set_value(text, (*above, name, "value") if is_long else (*above, name), value))
    return text


def remove_variable(text: str, job: str, operation: Operation) -> str:
    """Take a variable away."""
    return apply(text, SetVariable(job=job or None, name=operation.name, value=None))


def set_versions(text: str, job: str, operation: Operation) -> str:
    """Run a job once for each version of its image, by a matrix."""
    image = image_name(image_of(text, job))
    name, mark, tag = image.rpartition(":")
    found = _VERSION.search(tag) if mark else None
    if found is None or "$" in image:
        raise CannotError(f"the image of {job} ({image or 'none'}) names no version that could vary")
    variable = re.sub(r"\W", "_", name.rsplit("/", 1)[-1]).upper() + "_VERSION"
    varied = f"{name}:{tag[: found.start()]}${{{variable}}}{tag[found.end() :]}"
    text = _with_image(text, job, varied)
    return apply(text, SetKey(job=job, key="parallel", value={"matrix": [{variable: list(operation.values)}]}))


def set_needs(text: str, job: str, operation: Operation) -> str:
    """Set which jobs a job waits for; with none it starts at once."""
    document = read_document(text)
    return apply(text, SetNeeds(job=job, needs=[job_named(document, name) for name in operation.needs]))


def add_artifacts(text: str, job: str, operation: Operation) -> str:
    """Let a job keep files, besides those it keeps already; as a report where a kind of report is named."""
    paths = operation.paths or operation.values
    if operation.name in _REPORTS:
        value: Any = paths[0] if len(paths) == 1 else list(paths)
        return _set(text, (job, "artifacts", "reports", operation.name), value)
    artifacts = body_of(text, job).get("artifacts")
    if not isinstance(artifacts, dict):
        kept = {"paths": list(paths), "expire_in": operation.value or "1 week"}
        return apply(text, SetArtifacts(job=job, artifacts=kept))
    text = _with_paths(text, (job, "artifacts"), paths, artifacts.get("paths"))
    return _set(text, (job, "artifacts", "expire_in"), operation.value) if operation.value else text


def add_cache(text: str, job: str, operation: Operation) -> str:
    """Let a job keep files for later pipelines; a value that is a file's name decides when they are outdated."""
    paths = operation.paths or operation.values
    cache = body_of(text, job).get("cache")
    if isinstance(cache, list):
        raise CannotError(f"{job} has several caches, so somebody has to change the right one by hand")
    is_file = "." in operation.value and "$" not in operation.value
    key = {"files": [operation.value]} if is_file else operation.value
    if not isinstance(cache, dict):
        return apply(text, SetCache(job=job, cache={"key": key or "$CI_COMMIT_REF_SLUG", "paths": list(paths)}))
    text = _with_paths(text, (job, "cache"), paths, cache.get("paths"))
    return _set(text, (job, "cache", "key"), key) if key else text


def set_option(text: str, job: str, operation: Operation) -> str:
    """Set one of the plain settings of a job, or of all jobs."""
    key, value = operation.name, _option(operation)
    if is_every(job) or job == DEFAULT:
        if key not in _OF_DEFAULT:
            raise CannotError(f"{key} can only be set for one job; name it")
        job = DEFAULT
    if key == "retry" and isinstance(body_of(text, job).get("retry"), dict):
        return _set(text, (job, "retry", "max"), value)
    return _set(text, (job, key), value)


def _option(operation: Operation) -> Any:
    name, value = operation.name, operation.value.strip()
    if name in _FLAGS and value.lower() in _TRUE:
        return _TRUE[value.lower()]
    if name in _NUMBERS and re.fullmatch("[0-9]{1,9}", value):
        return int(value)
    if name == "coverage":
        return value if value.startswith("/") and value.endswith("/") else f"/{value}/"
    if name in _TEXTS:
        return value
    if name in (*_FLAGS, *_NUMBERS):
        raise CannotError(f"{name} cannot be {value!r}; it is {'true or false' if name in _FLAGS else 'a number'}")
    raise CannotError(f"there is no option {name!r}; there are {', '.join((*_NUMBERS, *_FLAGS, *_TEXTS))}")


def set_environment(text: str, job: str, operation: Operation) -> str:
    """Say which environment a job deploys to."""
    if not operation.value:
        return _set(text, (job, "environment"), operation.name)
    return _set(text, (job, "environment"), {"name": operation.name, "url": operation.value})


def _with_paths(text: str, above: tuple[str, ...], paths: tuple[str, ...], there: Any) -> str:
    if not isinstance(there, list):
        return splice(text, set_value(text, (*above, "paths"), list(paths)))
    for path in (one for one in paths if one not in there):
        there = [*there, path]
        text = splice(text, add_item(text, (*above, "paths"), path, len(there) - 1))
    return text


def _set(text: str, path: tuple[str, ...], value: Any) -> str:
    return splice(text, set_value(text, path, value))
