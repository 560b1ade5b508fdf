"""YAML as GitLab reads it: duplicate keys are refused, `!reference` is known; mappings merge deeply."""

from typing import Any

import yaml


class Reference(list[str]):
    """A `!reference [job, key]`."""


class Loader(yaml.SafeLoader):
    """Refuses duplicate keys, as GitLab does, and knows `!reference`."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping; a key that stands twice is an error."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen and key.value != "<<":
                raise yaml.constructor.ConstructorError(None, None, f"duplicate key {key.value!r}", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def _reference(loader: Loader, node: yaml.Node) -> Reference:
    if not isinstance(node, yaml.SequenceNode):
        raise yaml.constructor.ConstructorError(None, None, "!reference wants a list", node.start_mark)
    return Reference(loader.construct_sequence(node))


Loader.add_constructor("!reference", _reference)


def deep_merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return both, `over` winning; lists are replaced."""
    merged = dict(under)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = deep_merged(merged[key], value) if both else value
    return merged
