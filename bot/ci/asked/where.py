"""Which file an operation is about: the main pipeline, that of a child, a Dockerfile or what it ignores."""

from collections.abc import Mapping

from msgspec import structs

from bot.ci.asked.operation import DOCKER, Operation
from bot.ci.checks.document import read_document
from bot.ci.children import PIPELINE_FILE, is_pipeline, started_by

DOCKERFILE = "Dockerfile"


def place_of(files: Mapping[str, str], operation: Operation) -> tuple[str, Operation]:
    """Return the file, and the operation as that file is to hear it."""
    if operation.operation == "docker_ignore":
        return operation.file or ".dockerignore", operation
    if operation.operation in DOCKER:
        return _dockerfile(files, operation), operation
    if is_pipeline(operation.file):
        return operation.file, operation
    starter, _, job = operation.job.partition(":")
    children = {name: path for path, (name, _) in started_by(files.get(PIPELINE_FILE, "")).items() if path in files}
    if job and starter in children:
        return children[starter], structs.replace(operation, job=job)
    return _only_child_with(files, list(children.values()), operation.job) or PIPELINE_FILE, operation


def _dockerfile(files: Mapping[str, str], operation: Operation) -> str:
    """Return the one named, else the only Dockerfile there is."""
    known = sorted((path for path in files if path.endswith(DOCKERFILE)), key=lambda path: (path.count("/"), path))
    return operation.file or (known[0] if known else DOCKERFILE)


def _only_child_with(files: Mapping[str, str], children: list[str], job: str) -> str | None:
    """A job that the main pipeline has not is looked for in its children."""
    if not job or not children or job in read_document(files[PIPELINE_FILE]).jobs:
        return None
    found = [path for path in children if job in read_document(files[path]).jobs]
    return found[0] if len(found) == 1 else None
