"""Finding in a pipeline what an operation names: jobs by nearly their name, keys with their text."""

from typing import Any

from bot.ci.checks.document import Document, Reference, read_document
from bot.ci.checks.merged import merged_jobs
from bot.ci.edit.tree import Kind, find, read_tree
from bot.domain import CannotError

DEFAULT = "default"
_EVERY = frozenset({"all", "*", "every", "all jobs", "every job"})


def job_named(document: Document, name: str) -> str:
    """Return the job that is meant; raise CannotError that lists the jobs when none, or more than one, can be."""
    if name == DEFAULT or name in document.jobs:
        return name
    plain = _plain(name)
    same = [each for each in document.jobs if _plain(each) == plain]
    near = [each for each in document.jobs if plain and plain in _plain(each)]
    for found in (same, near):
        if len(found) == 1:
            return found[0]
    raise CannotError(f"the pipeline has no job {name!r}; its jobs are {', '.join(visible(document)) or 'none'}")


def is_every(name: str) -> bool:
    """Tell whether all jobs are meant."""
    return name.strip().lower() in _EVERY


def visible(document: Document) -> tuple[str, ...]:
    """Return the jobs that GitLab runs."""
    return tuple(name for name in document.jobs if not name.startswith("."))


def body_of(text: str, job: str) -> dict[str, Any]:
    """Return a job as it is written, or `default`."""
    document = read_document(text)
    body = document.data.get(DEFAULT) if job == DEFAULT else document.jobs.get(job)
    return body if isinstance(body, dict) else {}


def merged_body(text: str, job: str) -> dict[str, Any]:
    """Return a job with all that it extends."""
    found = merged_jobs(read_document(text)).get(job)
    return found.body if found else body_of(text, job)


def is_open(text: str, job: str) -> bool:
    """Tell whether a job has more from an included file, which is not seen here."""
    found = merged_jobs(read_document(text)).get(job)
    return found is not None and found.is_open


def written_as(text: str, job: str, key: str) -> Kind | None:
    """Return how a key of the job itself is written; None where it is not, though `<<` may bring it.

    What is a `!reference` is not the job's own list either, so it counts as an alias.
    """
    node, depth = find(read_tree(text), (job, key))
    if depth < 2:
        return None
    return "alias" if isinstance(body_of(text, job).get(key), Reference) else node.kind


def inherited(text: str, job: str, key: str) -> Any:
    """Return what a job has of a key: its own, else what `default` or the file gives to every job."""
    merged = merged_body(text, job).get(key)
    if merged is not None:
        return merged
    data = read_document(text).data
    default = data.get(DEFAULT)
    return (default.get(key) if isinstance(default, dict) else None) or data.get(key)


def image_of(text: str, job: str) -> Any:
    """Return the image a job runs in, its own or the one of all jobs."""
    data = read_document(text).data
    default = data.get(DEFAULT)
    inherited = default.get("image") if isinstance(default, dict) else None
    return merged_body(text, job).get("image") or inherited or data.get("image")


def lines_of(value: Any) -> list[Any]:
    """Return a script as its lines."""
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []


def is_plain(value: Any) -> bool:
    """Tell whether a value holds no `!reference`, which would be lost when it is written again."""
    if isinstance(value, Reference):
        return False
    if isinstance(value, dict):
        return all(is_plain(each) for each in value.values())
    return all(is_plain(each) for each in value) if isinstance(value, list) else True


def image_name(value: Any) -> str:
    """Return an image's name, written short or long."""
    return str(value.get("name", "")) if isinstance(value, dict) else str(value or "")


def service_name(image: str) -> str:
    """Return what a service is called whatever its version: `postgres` for `docker.io/library/postgres:16`."""
    return image.rsplit("/", 1)[-1].partition(":")[0]


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
