"""The official JSON schema of GitLab CI files, as check-jsonschema ships it."""

import functools
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from bot.ci.checks.document import Document, Reference
from bot.ci.checks.merged import expanded
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


def check_schema(document: Document, whole: Document) -> Iterator[Finding]:
    """Yield one finding for each place the schema refuses; `whole` is the pipeline that references point into."""
    seen: set[tuple[str | int, ...]] = set()
    data = _plain(whole, document.data)
    for error in _validator().iter_errors(data):
        cause = _deepest(error)
        place = tuple(cause.absolute_path)
        if place in seen or isinstance(cause.instance, Reference) or _takes_away(data, place, cause.instance):
            continue
        seen.add(place)
        yield document.finding("schema", _message(cause, place), _mend(cause), *place)


def _takes_away(data: Any, place: tuple[str | int, ...], value: Any) -> bool:
    """A job may write nothing behind a key to be rid of what it inherits through `extends`."""
    job = data.get(place[0]) if place else None
    return value is None and len(place) == 2 and isinstance(job, dict) and "extends" in job


def _plain(whole: Document, value: Any) -> Any:
    """Return what the schema can judge: texts as keys, and in the place of a reference what it points at."""
    if isinstance(value, Reference):
        found = expanded(whole, value)
        return value if found is None else _plain(whole, found)
    if isinstance(value, dict):
        return {str(key): _plain(whole, each) for key, each in value.items()}
    return [_item(whole, each) for each in value] if isinstance(value, list) else value


def _item(whole: Document, value: Any) -> Any:
    """One item stands for all that a reference puts into a list, so that the positions of the others stay."""
    plain = _plain(whole, value)
    if not isinstance(plain, list) or isinstance(plain, Reference):
        return plain
    lines = list(_lines(plain))
    return lines[0] if isinstance(value, Reference) and lines else lines


def _lines(value: list[Any]) -> Iterator[Any]:
    """GitLab takes lists of lists in scripts, ten deep, where the schema knows of two."""
    for each in value:
        yield from _lines(each) if isinstance(each, list) and not isinstance(each, Reference) else [each]


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
