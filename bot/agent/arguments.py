"""Makes of what a model gave a tool what the tool's schema asks for, or says what is wrong with it.

Small models wrap arguments, write numbers and lists as text, and say "None"; that is mended here, once. What is left
is held to the JSON schema, and the complaint goes back to the model.
"""

import ast
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from bot.agent.tool import Tool
from bot.domain import ToolError

_WRAPPERS = ("action_input", "arguments", "parameters", "args", "input")
_NOTHING = frozenset({"none", "null"})
_EXACT_FROM = 2**53  # Ollama reads numbers as floats: larger ones lose digits
_MOST_ERRORS, _MOST_SHOWN = 3, 160
_ESCAPED = re.compile(r"\\u00(26|3c|3e)", re.IGNORECASE)  # small models copy the prompt's HTML escapes
_NOT_IN_A_NAME = re.compile("[\x00-\x1f\x7f-\x9f\ufffd\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
_NAME_OF_A_PLACE = re.compile(r"(?:path|url|branch|folder|ref)$")


def fitted(tool: Tool, given: Mapping[str, object]) -> dict[str, object]:
    """Return the arguments as the tool's schema has them; raises ToolError that says what is wrong."""
    properties = properties_of(tool.spec.parameters)
    unwrapped = _unwrapped(given, properties)
    _require_known(tool, unwrapped, properties)
    required = required_of(tool.spec.parameters)
    arguments = dict(tool.defaults)
    for name, schema in properties.items():
        value = _place(name, _coerced(unwrapped.get(name), schema))
        if value is not None and not (value == "" and (name in tool.defaults or name not in required)):
            arguments[name] = value
    _require_valid(tool, arguments)
    return arguments


def properties_of(parameters: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """Return the properties of an object's schema, by name."""
    found = parameters.get("properties")
    return {str(name): dict(schema) for name, schema in found.items()} if isinstance(found, Mapping) else {}


def required_of(parameters: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names that an object's schema asks for."""
    found = parameters.get("required")
    return tuple(str(name) for name in found) if isinstance(found, list | tuple) else ()


def _unwrapped(given: Mapping[str, object], properties: Mapping[str, object]) -> Mapping[str, object]:
    for name in _WRAPPERS:
        inner = given.get(name)
        if name not in properties and isinstance(inner, dict) and not set(given) & set(properties):
            return inner
    return given


def _require_known(tool: Tool, given: Mapping[str, object], properties: Mapping[str, object]) -> None:
    """Reading tools overlook what they don't know; a call that changes something must be exact."""
    unknown = sorted(set(given) - set(properties))
    is_schema = "properties" in unknown and "type" in given
    if unknown and (tool.has_effect or is_schema):
        raise ToolError(
            f"{tool.spec.name} has no arguments {', '.join(unknown)[:_MOST_SHOWN]}; it takes "
            f"{', '.join(properties) or 'none'}, each with a plain value"
        )


def _coerced(value: object, schema: Mapping[str, object]) -> object:
    """Return the value in the type the schema asks for where that is beyond doubt, else as it is."""
    kinds = _kinds(schema)
    if isinstance(value, str) and value.strip().lower() in _NOTHING:
        return None
    if isinstance(value, str) and "string" not in kinds:
        return _read(value, kinds)
    if isinstance(value, float) and value.is_integer() and "integer" in kinds:
        return int(value)
    items = schema.get("items")
    if isinstance(value, list) and isinstance(items, Mapping):
        return [_coerced_members(member, items) for member in value]
    return value


def _coerced_members(member: object, schema: Mapping[str, object]) -> object:
    """The members of a list are flat objects: an empty or null field is one the model had to write and did not mean."""
    properties, required = properties_of(schema), required_of(schema)
    read = _coerced(member, schema)
    if not isinstance(read, dict):
        return read
    fields = {name: _coerced(value, properties.get(name, {})) for name, value in read.items()}
    return {name: value for name, value in fields.items() if name in required or value not in (None, "", [], {})}


def _read(text: str, kinds: frozenset[str]) -> object:
    """Read a text where no text is wanted; nothing at all when it is empty."""
    if not text.strip():
        return None
    for reader in (json.loads, ast.literal_eval):
        try:
            value = reader(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if _kind_of(value) & kinds:
            return value
    return {"true": True, "false": False}.get(text.strip().lower(), text) if "boolean" in kinds else text


def _kinds(schema: Mapping[str, object]) -> frozenset[str]:
    kind = schema.get("type")
    if isinstance(kind, str):
        return frozenset({kind})
    if isinstance(kind, list):
        return frozenset(str(one) for one in kind)
    return frozenset({"string"})


def _kind_of(value: object) -> frozenset[str]:
    match value:
        case bool():
            return frozenset({"boolean"})
        case int():
            return frozenset({"integer", "number"})
        case float():
            return frozenset({"number", "integer"}) if value.is_integer() else frozenset({"number"})
        case list():
            return frozenset({"array"})
        case dict():
            return frozenset({"object"})
        case _:
            return frozenset()


def _place(name: str, value: object) -> object:
    """Paths, branches and addresses: HTML escapes undone, one spelling, and nothing that hides."""
    if not isinstance(value, str) or not _NAME_OF_A_PLACE.search(name):
        return value
    text = unicodedata.normalize("NFC", _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value))
    if _NOT_IN_A_NAME.search(text):
        raise ToolError(f"{name} holds characters that no name has; copy it from a result")
    return text


def _require_valid(tool: Tool, arguments: dict[str, object]) -> None:
    errors = sorted(Draft202012Validator(tool.spec.parameters).iter_errors(arguments), key=lambda one: str(one.path))
    wrong = list(dict.fromkeys(_in_words(error) for error in errors))[:_MOST_ERRORS]
    wrong += [f"{name} is too large a number" for name in _too_large(arguments)]
    if wrong:
        raise ToolError(f"the arguments of {tool.spec.name} are wrong: {'; '.join(wrong)}. Mend them and call again")


def _in_words(error: ValidationError) -> str:
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    wanted: Any = error.validator_value
    found: Any = error.instance
    match error.validator:
        case "required":
            missing = ", ".join(name for name in wanted if name not in found)
            return f"{where} needs {missing}" if where else f"{missing} is missing"
        case "enum":
            return f"{where} must be one of {', '.join(map(str, wanted))}, not {_shown(found)}"
        case "type":
            kinds = " or ".join(wanted) if isinstance(wanted, list) else wanted
            return f"{where} must be of the type {kinds}, not {_shown(found)}"
        case _:
            return f"{where}: {error.message[:_MOST_SHOWN]}"


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:60]


def _too_large(arguments: Mapping[str, object]) -> Iterable[str]:
    return (name for name, value in arguments.items() if isinstance(value, int | float) and abs(value) > _EXACT_FROM)
