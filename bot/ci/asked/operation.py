"""One flat operation: a name and a few texts and lists, of which each operation uses some."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bot.domain import CannotError
from bot.domain.known import known

When = Literal["merge_requests", "default_branch", "branches", "tags", "nightly", "manual", "always", "never"]
WHEN: tuple[When, ...] = (
    "merge_requests", "default_branch", "branches", "tags", "nightly", "manual", "always", "never",
)  # fmt: skip

# What each operation needs; a name with `?` helps but may be missing, `a|b` means one of both.
_PIPELINE = {
    "add_job": "job script|like image? stage? services? variables? needs? when? values? paths?",
    "remove_job": "job",
    "rename_job": "job value",
    "set_image": "job image|value",
    "set_script": "job script",
    "add_script": "job script name?",
    "remove_script": "job script",
    "add_service": "job services|image|value variables?",
    "remove_service": "job services|image|value|name",
    "set_variable": "job? variables|name value?",
    "remove_variable": "job? name",
    "run_when": "job when paths? values?",
    "skip_when": "job when values?",
    "set_versions": "job values",
    "set_needs": "job needs?",
    "set_stage": "job stage|value",
    "add_stage": "stage|value name?",
    "remove_stage": "stage|value|name",
    "set_artifacts": "job paths|values value? name?",
    "set_cache": "job paths|values value?",
    "set_option": "job name value",
    "set_tags": "job? values",
    "set_environment": "job name value?",
    "set_pipelines": "when",
    "add_include": "value name?",
    "remove_include": "value",
}
DOCKER = {
    "docker_base": "image|value name?",
    "docker_packages": "values name?",
    "docker_env": "variables|name value?",
    "docker_port": "value",
    "docker_command": "script|value",
    "docker_run": "script name?",
    "docker_copy": "value name?",
    "docker_user": "value",
    "docker_healthcheck": "value|script",
    "docker_ignore": "paths|values",
}
_NEEDS = _PIPELINE | DOCKER
NAMES: tuple[str, ...] = tuple(_NEEDS)
_ONE_LINE = ("job", "name", "image", "stage", "like", "file")


class Operation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to do, to which job (or file), with which values."""

    operation: str
    job: str = ""
    name: str = ""
    value: str = ""
    image: str = ""
    stage: str = ""
    like: str = ""
    file: str = ""
    script: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    when: tuple[When, ...] = ()

    @property
    def pairs(self) -> dict[str, str]:
        """The variables, given as NAME=value, or as a name and a value."""
        given = self.variables or ((f"{self.name}={self.value}",) if self.name else ())
        found: dict[str, str] = {}
        for line in given:
            name, mark, value = line.partition("=")
            if not mark or not name.strip().replace("_", "a").isalnum() or name.strip()[0].isdigit():
                raise CannotError(f"{self.operation} needs variables written as NAME=value, not {line!r}")
            found[name.strip()] = value.strip()
        return found


def read_operations(given: Sequence[Any]) -> tuple[Operation, ...]:
    """Return the operations, each with what it needs; raise CannotError that says what is missing."""
    if not given:
        raise CannotError("there is no operation in the list")
    return tuple(_read(number, each) for number, each in enumerate(given, 1))


def _read(number: int, given: Any) -> Operation:
    try:
        operation = msgspec.convert(given, Operation)
    except msgspec.ValidationError as error:
        raise CannotError(f"operation {number} is not understood: {error}") from error
    if operation.operation not in _NEEDS:
        raise CannotError(f"operation {number}: there is no {operation.operation!r}; there are {', '.join(NAMES)}")
    for needed in _NEEDS[operation.operation].split():
        if not needed.endswith("?") and not any(getattr(operation, name) for name in needed.split("|")):
            raise CannotError(f"operation {number}: {operation.operation} needs {needed.replace('|', ' or ')}")
    for name in _ONE_LINE:
        if not str(getattr(operation, name)).isprintable():
            raise CannotError(f"operation {number}: {name} must be one line of plain text")
    return operation


known(Operation)
