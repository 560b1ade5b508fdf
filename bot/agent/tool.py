"""What a tool is to the loop, and which of them a model may ask for now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.domain import ToolSpec


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Tool:
    """A function the model may call; it raises ToolError with words for the model.

    It is offered only while `is_legal`. `has_effect` is true when it changes anything that somebody else sees: such a
    call must be exact. `defaults` fill in what the model left out and the order knows anyway.
    """

    spec: ToolSpec
    call: Callable[[dict[str, object]], str]
    is_legal: Callable[[], bool] = _always
    has_effect: bool = False
    defaults: Mapping[str, object] = field(default_factory=dict)


def legal_now(tools: Mapping[str, Tool]) -> dict[str, Tool]:
    """Return the tools that may be called at this moment."""
    return {name: tool for name, tool in tools.items() if tool.is_legal()}
