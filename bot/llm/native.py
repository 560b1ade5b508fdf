"""Ollama's own tool calls, with the guards that small models need."""

import json
import re
from collections.abc import Sequence
from typing import Any

from bot.domain import ChatMessage, ToolCall, ToolSpec

_CONTINUE = "The result is above. Call the next function, or answer the person."
_JSON_OBJECT = re.compile(r"\{.*\}", re.DOTALL)


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
    """Recover a call that the model wrote as text; the name must be a tool's, exactly."""
    found = _JSON_OBJECT.search(text)
    if found is None:
        return ()
    try:
        written = json.loads(found.group())
    except ValueError:
        return ()
    if not isinstance(written, dict) or written.get("name") not in {tool.name for tool in tools}:
        return ()
    arguments = written.get("arguments", written.get("parameters"))
    return (ToolCall(name=str(written["name"]), arguments=arguments),) if isinstance(arguments, dict) else ()
