"""Reads one YAML text the way GitLab's parser (libyaml, YAML 1.1) does, with `!reference` and no double keys."""

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Tree = dict[str, Any]

_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INPUT = re.compile(r"\$\[\[\s*inputs\.([A-Za-z0-9_-]+)[^\]]*\]\]")


class ConfigError(Exception):
    """The configuration cannot be used; `errors` are in GitLab's words."""

    def __init__(self, *errors: str) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class Reference:
    """A `!reference [job, key]` that is not resolved yet."""

    path: tuple[str, ...]


class _Loader(_Base):
    """Refuses double keys, knows `!reference`, and leaves dates as text."""


def _build_mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
            # GitLab's text for this is not established; newer versions refuse, older ones let the last one win.
            raise yaml.constructor.ConstructorError(None, None, f"Duplicate key '{key.value}' found", key.start_mark)
        seen.add(str(key.value))
    loader.flatten_mapping(node)
    return yaml.constructor.BaseConstructor.construct_mapping(loader, node, deep=True)


def _build_reference(loader: yaml.SafeLoader, node: yaml.Node) -> Reference:
    if not isinstance(node, yaml.SequenceNode):
        raise yaml.constructor.ConstructorError(None, None, "!reference should be an array", node.start_mark)
    return Reference(tuple(str(part) for part in loader.construct_sequence(node, deep=True)))


def _build_text(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:map", _build_mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _build_text)
_Loader.add_constructor("!reference", _build_reference)


def load(text: str, inputs: Mapping[str, object] | None = None) -> Tree:
    """One file's mapping; a `spec:` header is used for the defaults of its inputs and then dropped."""
    documents = _parse(text)
    if len(documents) > 1 and isinstance(documents[0], dict) and "spec" in documents[0]:
        values = {**_input_defaults(documents[0]), **(inputs or {})}
        body = text.split("\n---", 1)[1].partition("\n")[2]
        documents = _parse(_fill_inputs(body, values))
    config = documents[0] if documents else None
    if not isinstance(config, dict):
        raise ConfigError("Invalid configuration format" if config else "Please provide content of .gitlab-ci.yml")
    return _with_text_keys(config)


def _parse(text: str) -> list[Any]:
    try:
        # The loader is a SafeLoader: it builds plain values and our Reference, nothing else.
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax_message(error)) from error
    except yaml.YAMLError as error:
        raise ConfigError(f"Invalid configuration format: {error}") from error


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    """The sentence Ruby's Psych makes out of libyaml's error."""
    mark = error.context_mark or error.problem_mark
    words = " ".join(part for part in (error.problem, error.context) if part)
    place = f" at line {mark.line + 1} column {mark.column + 1}" if mark else ""
    return f"(<unknown>): {words}{place}"


def _input_defaults(header: Tree) -> dict[str, object]:
    declared = (header.get("spec") or {}).get("inputs") or {}
    missing = [str(name) for name, rule in declared.items() if not isinstance(rule, dict) or "default" not in rule]
    values = {str(name): rule["default"] for name, rule in declared.items() if str(name) not in missing}
    return values


def _fill_inputs(body: str, values: Mapping[str, object]) -> str:
    def fill(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise ConfigError(f"`{name}` input: required value has not been provided")
        value = values[name]
        return str(value).lower() if isinstance(value, bool) else str(value)

    return _INPUT.sub(fill, body)


def _with_text_keys(value: Any) -> Any:
    """Job names and variables may be written as numbers or `on:`; GitLab treats every key as text."""
    if isinstance(value, dict):
        return {_key_text(key): _with_text_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_text_keys(item) for item in value]
    return value


def _key_text(key: object) -> str:
    if isinstance(key, bool):
        return str(key).lower()
    return str(key)
