"""Keeps texts that are nested without end away from libyaml's composer, which overflows the stack on them."""

import yaml

from bot.domain import CannotError

# libyaml's parser finds places in a text without recursion. GitLab allows 100 levels.
FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_LEVELS = 500


def refuse_endless_nesting(text: str) -> None:
    """Raise CannotError with the line where a text becomes deeper than any pipeline; what is no YAML passes."""
    depth = 0
    try:
        for event in yaml.parse(text, Loader=FAST):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_LEVELS:
                line = event.start_mark.line + 1 if event.start_mark else 1
                raise CannotError(f"the file is nested deeper than {MAX_LEVELS} levels (line {line})")
    except yaml.YAMLError:
        return
