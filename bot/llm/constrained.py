"""Tools without native tool calls: one flat action object a turn, held to a JSON schema.

`format` binds the grammar but the model is not told the schema, so the prompt describes it too; a 200 proves
nothing, so the answer is always validated.
"""

import json
from collections.abc import Sequence
from typing import Any

from bot.domain import ChatMessage, ModelTurn, ToolCall, ToolSpec

FINAL = "final"


def schema_for(tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """Return the schema of one action: flat, every property required, the reason first so that it is written first."""
    names = sorted({name for tool in tools for name in properties_of(tool)})
    properties: dict[str, Any] = {
        "a_reason": {"type": "string"},
        "action": {"type": "string", "enum": [tool.name for tool in tools] + [FINAL]},
        **{name: {"type": "string"} for name in names},
        "text": {"type": "string"},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def properties_of(tool: ToolSpec) -> dict[str, Any]:
    """Return a tool's arguments by name."""
    properties = tool.parameters.get("properties")
    return properties if isinstance(properties, dict) else {}


def instructions(tools: Sequence[ToolSpec]) -> str:
    """Describe the actions in words."""
    lines = [
        "Answer with exactly one JSON object: a_reason (a short sentence), action, the action's arguments, text.",
        "Arguments an action does not use are empty strings. The actions:",
        *(f"- {tool.name}({', '.join(properties_of(tool))}): {tool.description}" for tool in tools),
        f"- {FINAL}(): the answer to the person, in `text`, in the person's language, two or three sentences.",
        'Example: {"a_reason": "the person said hello", "action": "final", "text": "Hello! How can I help?"}',
    ]
    return "\n".join(lines)


def to_wire(messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return messages any template renders: calls as the assistant's JSON, results as the user's words."""
    return [_wire(message, tools) for message in messages]


def _wire(message: ChatMessage, tools: Sequence[ToolSpec]) -> dict[str, Any]:
    if message.role == "system" and tools:
        return {"role": "system", "content": f"{message.content}\n\n{instructions(tools)}"}
    if message.role == "tool":
        return {"role": "user", "content": f"RESULT of {message.tool_name}:\n{message.content}"}
    if message.role == "assistant" and message.tool_calls:
        call = message.tool_calls[0]
        action = {"a_reason": message.content, "action": call.name, **call.arguments, "text": ""}
        return {"role": "assistant", "content": json.dumps(action, ensure_ascii=False)}
    return {"role": message.role, "content": message.content}


def read_action(content: str, tools: Sequence[ToolSpec]) -> ModelTurn:
    """Read an action object; ValueError says what is wrong with it."""
    action = json.loads(content)
    if not isinstance(action, dict):
        raise ValueError("the answer is not a JSON object")
    name = action.get("action")
    if name == FINAL:
        return ModelTurn(text=str(action.get("text") or action.get("a_reason") or ""))
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        raise ValueError(f"there is no action {name!r}")
    arguments = {key: action.get(key, "") for key in properties_of(tool)}
    return ModelTurn(
        text=str(action.get("a_reason") or ""), tool_calls=(ToolCall(name=tool.name, arguments=arguments),)
    )
