"""Ollama's own tool calls, with the guards that small models need."""

import json
import re
from collections.abc import Sequence
from typing import Any

from bot.domain import ChatMessage, ToolCall, ToolSpec

_CONTINUE = "The result is above. Call the next function, or answer the person."
_WRAPPING = re.compile(r"^(?:```\w*|<\|python_tag\|>|<tool_call>)\s*|\s*(?:```|</tool_call>)$")
_QUOTED_CALL = re.compile(r"\{\s*\"name\"\s*:\s*\"(\w+)\"")


def tools_to_wire(tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return the tools as the request holds them."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in tools
    ]


def to_wire(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """Return the messages; llama3.1's template prints the tools only in a user message that comes last."""
    wired = [_wire(message) for message in messages]
    if messages and messages[-1].role == "tool":
        wired.append({"role": "user", "content": _CONTINUE})
    return wired


def _wire(message: ChatMessage) -> dict[str, Any]:
    wired: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        wired["tool_calls"] = [
            {"function": {"name": call.name, "arguments": call.arguments}} for call in message.tool_calls
        ]
    if message.tool_name:
        wired["tool_name"] = message.tool_name
    return wired


def calls_in_text(text: str, tools: Sequence[ToolSpec]) -> tuple[ToolCall, ...]:
    """Recover a call that the model wrote as text.

    Only a call that is all it wrote is one: inside a longer text it may be quoted from a file, so there it
    becomes a call of nothing, which the loop refuses with a word on how to do it.
    """
    written = _object_in(_WRAPPING.sub("", text.strip()))
    call = _as_call(written, tools) if written is not None else None
    if call is not None:
        return (call,)
    is_quoting = any(name in {tool.name for tool in tools} for name in _QUOTED_CALL.findall(text))
    return (no_call(text),) if is_quoting else ()


def no_call(said: str) -> ToolCall:
    """Return the call of nothing that stands for what could not be understood."""
    return ToolCall(name="", arguments={"said": said[:500]})


def _object_in(text: str) -> dict[str, Any] | None:
    try:
        written = json.loads(text)
    except ValueError:
        return None
    return written if isinstance(written, dict) else None


def _as_call(written: dict[str, Any], tools: Sequence[ToolSpec]) -> ToolCall | None:
    """A known name alone is a call; an unknown one only with arguments, for else it may be an answer in JSON."""
    name, has_arguments = written.get("name"), "arguments" in written or "parameters" in written
    if not isinstance(name, str) or not (has_arguments or name in {tool.name for tool in tools}):
        return None
    arguments = written.get("arguments", written.get("parameters"))
    if arguments is None:
        return ToolCall(name=name, arguments={})
    return ToolCall(name=name, arguments=arguments) if isinstance(arguments, dict) else None
