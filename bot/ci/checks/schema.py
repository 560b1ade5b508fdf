"""The official JSON schema of GitLab CI files, as check-jsonschema ships it."""

import functools
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from bot.ci.checks.document import Document
from bot.domain import Finding

_KINDS = {
    "object": "a set of keys",
    "array": "a list",
    "string": "text",
    "integer": "a number",
    "boolean": "true or false",
}


@functools.cache
def _validator() -> jsonschema.Draft7Validator:
    # Only found, not imported: its modules load an HTTP client, which takes longer than the check.
    package = importlib.util.find_spec("check_jsonschema")
    (folder,) = package.submodule_search_locations or [] if package else []
    vendored = Path(folder) / "builtin_schemas" / "vendor" / "gitlab-ci.json"
    return jsonschema.Draft7Validator(json.loads(vendored.read_text(encoding="utf-8")))


def check_schema(document: Document) -> Iterator[Finding]:
    """Yield one finding for each place the schema refuses."""
    seen: set[tuple[str | int, ...]] = set()
    for error in _validator().iter_errors(_with_text_keys(document.data)):
        cause = _deepest(error)
        place = tuple(cause.absolute_path)
        if place not in seen:
            seen.add(place)
            yield document.finding("schema", _message(cause, place), _mend(cause), *place)


def _with_text_keys(value: Any) -> Any:
    """YAML allows numbers as keys, JSON does not."""
    if isinstance(value, dict):
        return {str(key): _with_text_keys(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(each) for each in value]
    return value


def _deepest(error: jsonschema.ValidationError) -> jsonschema.ValidationError:
    """Of the alternatives of a oneOf, the complaint that got furthest into the file says most."""
    while error.context:
        error = max(error.context, key=lambda each: (len(each.absolute_path), each.validator != "type"))
    return error


def _message(error: jsonschema.ValidationError, place: tuple[str | int, ...]) -> str:
    where = ".".join(map(str, place)) or "the file"
    if error.validator == "additionalProperties":
        return f"{where}: {error.message.split('(')[-1].rstrip(')')}"
    if error.validator == "type":
        return f"{where} is {_short(error.instance)}, but GitLab wants {_kinds(error.validator_value)}"
    if error.validator == "enum":
        return f"{where} is {_short(error.instance)}, which GitLab does not know"
    if error.validator in {"oneOf", "anyOf", "not"}:
        return f"{where} is {_short(error.instance)}, which has none of the forms GitLab knows"
    return f"{where}: {_short_text(error.message)}"


def _mend(error: jsonschema.ValidationError) -> str:
    if error.validator == "enum":
        return "Use one of: " + ", ".join(map(str, _listed(error.validator_value))) + "."
    if error.validator == "additionalProperties":
        return "Remove the key, or look for a typing mistake in it."
    if error.validator == "type":
        return f"Write {_kinds(error.validator_value)}."
    return "See docs.gitlab.com/ci/yaml for what this key takes."


def _kinds(kinds: object) -> str:
    names = kinds if isinstance(kinds, list) else [kinds]
    return " or ".join(_KINDS.get(str(name), str(name)) for name in names)


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _short(value: object) -> str:
    return _short_text(json.dumps(value, default=str, ensure_ascii=False))


def _short_text(text: str) -> str:
    return text if len(text) <= 120 else text[:117] + "..."
