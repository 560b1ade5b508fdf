"""Reading manifests that may be broken: every parser returns plain data, or None when the text makes no sense."""

import ast
import configparser
import json
import tomllib
import xml.etree.ElementTree as ET  # entity bombs are refused before parsing, see `read_xml`
from collections.abc import Iterator

import yaml

MAX_DEPTH = 50
_YAML = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


def read_toml(text: str) -> dict[str, object] | None:
    """Return the tables of a TOML text."""
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def read_json(text: str) -> object:
    """Return the value of a JSON text; the last of duplicate keys wins."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def read_ini(text: str) -> dict[str, dict[str, str]] | None:
    """Return the sections of an INI text, without interpolation and without a default section."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True, default_section="\0")
    try:
        parser.read_string(text)
    # AttributeError: a continuation line under an option without a value trips configparser itself.
    except (configparser.Error, ValueError, AttributeError):
        return None
    return {name: {key: value or "" for key, value in parser.items(name)} for name in parser.sections()}


def read_xml(text: str) -> ET.Element | None:
    """Return the root of an XML text; one that declares entities is refused."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    try:
        return ET.fromstring(text.encode())
    except (ET.ParseError, ValueError, RecursionError, LookupError):
        return None


def read_python(text: str) -> ast.Module | None:
    """Return the syntax tree of a Python file."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def read_yaml(text: str) -> object:
    """Return the first YAML document; all scalars stay strings, so `3.10` is not 3.1 and `on` is no boolean.

    The tree is built here from parse events: libyaml's own composer overflows the stack on deep nesting.
    """
    try:
        return _Builder().build(yaml.parse(text, Loader=_YAML))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


class _Builder:
    """Turns YAML events into dicts, lists and strings, with a limit on depth; aliases share their target."""

    def __init__(self) -> None:
        self._anchors: dict[str, object] = {}

    def build(self, events: Iterator[yaml.Event]) -> object:
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                return self._node(next(events), events, 0)
        return None

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> object:
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        if isinstance(event, yaml.AliasEvent):
            return self._anchors.get(str(event.anchor))
        if isinstance(event, yaml.ScalarEvent):
            return self._keep(event, str(event.value))
        if isinstance(event, yaml.SequenceStartEvent):
            return self._keep(event, self._items(events, depth))
        return self._keep(event, self._mapping(events, depth))

    def _items(self, events: Iterator[yaml.Event], depth: int) -> list[object]:
        items = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, depth + 1))
        return items

    def _mapping(self, events: Iterator[yaml.Event], depth: int) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if key == "<<" and isinstance(value, dict):
                mapping = {**value, **mapping}
            elif isinstance(key, str):
                mapping[key] = value
        return mapping

    def _keep(self, event: yaml.Event, value: object) -> object:
        anchor = getattr(event, "anchor", None)
        if anchor:
            self._anchors[str(anchor)] = value
        return value


def table(value: object, *keys: str) -> dict[str, object]:
    """Return the nested table under the keys, or an empty one when anything on the way is not a table."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def strings(value: object) -> list[str]:
    """Return the strings of a list, or a lone string as a list; everything else is dropped."""
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def string(value: object) -> str:
    """Return a string or a number as text, anything else as nothing."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
