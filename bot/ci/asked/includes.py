"""Files that a pipeline includes: GitLab's templates, the project's own, components, and files of other servers."""

from typing import Any

from bot.ci.asked.operation import Operation
from bot.ci.checks.document import read_document
from bot.ci.edit import AddInclude, RemoveInclude, apply
from bot.domain import CannotError, Finding

_KINDS = ("template", "local", "component", "remote")


def add_include(text: str, operation: Operation) -> str:
    """Include a file, after those already included."""
    include = {_kind(operation): operation.value}
    if include in _included(text):
        raise CannotError(f"{operation.value} is included already")
    return apply(text, AddInclude(include=include))


def remove_include(text: str, operation: Operation) -> str:
    """No longer include a file, named by its address or path."""
    included = _included(text)
    for number, each in enumerate(included):
        named = each.values() if isinstance(each, dict) else (each,)
        if operation.value in [str(one) for one in named]:
            return apply(text, RemoveInclude(position=number))
    listed = ", ".join(str(next(iter(each.values())) if isinstance(each, dict) else each) for each in included)
    raise CannotError(f"{operation.value} is not included; included are: {listed or 'no files'}")


def flagged(operation: Operation) -> tuple[Finding, ...]:
    """Return what a person has to know before approving: somebody else's server decides what the jobs run."""
    if _kind(operation) != "remote":
        return ()
    message = f"{operation.value} is a file of another server, which may change what your jobs run at any time"
    mend = "Keep a copy in this project and include it by its path, or pin it with `integrity`."
    return (Finding(rung="policy", message=message, mend=mend, is_error=False),)


def _kind(operation: Operation) -> str:
    if operation.name in _KINDS:
        return operation.name
    if operation.value.startswith(("http://", "https://")):
        return "remote"
    if "@" in operation.value:
        return "component"
    return "local" if operation.value.startswith("/") else "template"


def _included(text: str) -> list[Any]:
    value = read_document(text).data.get("include")
    return value if isinstance(value, list) else [] if value is None else [value]
