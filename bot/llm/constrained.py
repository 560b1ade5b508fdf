"""Tools without native tool calls: one flat action object a turn, held to a JSON schema.

`format` binds the grammar but the model is not told the schema, so the prompt describes it too; a 200 proves
nothing, so the answer is always validated.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.domain import ChatMessage, ModelTurn, ToolCall, ToolSpec
from bot.llm.native import plain_wire, question_in
from bot.llm.prompts import default_prompts_dir, nudge, render_prompt
from bot.llm.text_calls import NotACallError, calls_in_text, first_value, unwrapped

FINAL = "final"

_WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "array": "list"}
# What llama.cpp's grammars cannot build or build slowly; the arguments are validated against the whole schema later.
_NOT_FOR_GRAMMARS = frozenset(
    {"pattern", "format", "minItems", "minLength", "maxLength", "minimum", "maximum", "description", "default"}
)


def schema_for(tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """Return the schema of one action: flat, the reason first so that it is written first.

    What any tool requires is required of every action, for small models leave out what they may; where an action has
    no use for it, it is empty.
    """
    names = sorted({name for tool in tools for name in properties_of(tool)})
    properties: dict[str, Any] = {
        "a_reason": {"type": "string"},
        "action": {"type": "string", "enum": [tool.name for tool in tools] + [FINAL]},
        **{name: _property(name, tools) for name in names},
        "text": {"type": "string"},
    }
    optional = {name for name in names if not any(name in _required(tool) for tool in tools)}
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


def _property(name: str, tools: Sequence[ToolSpec]) -> dict[str, Any]:
    """Return the schema of one argument; tools that mean different things by the name may both have their way."""
    schemas: list[dict[str, Any]] = []
    for tool in tools:
        schema = _for_grammar(properties_of(tool).get(name))
        if schema is not None and schema not in schemas:
            schemas.append(schema)
    empty = _empty(schemas)
    alternatives = schemas if empty is None or empty in schemas else [*schemas, empty]
    return alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}


def _empty(schemas: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return what stands where an action has no use for an argument; None where the schemas allow that anyway."""
    plain = [schema for schema in schemas if schema.get("type") in ("string", "array") and "enum" not in schema]
    if plain:
        return None
    return {"const": ""} if any("enum" in schema for schema in schemas) else {"type": "null"}


def _for_grammar(schema: object) -> Any:
    if isinstance(schema, Mapping):
        return {
            key: {name: _for_grammar(inner) for name, inner in value.items()}
            if key == "properties"
            else _for_grammar(value)
            for key, value in schema.items()
            if key not in _NOT_FOR_GRAMMARS
        }
    return list(schema) if isinstance(schema, list | tuple) else schema


def properties_of(tool: ToolSpec) -> dict[str, Any]:
    """Return a tool's arguments by name."""
    properties = tool.parameters.get("properties")
    return properties if isinstance(properties, dict) else {}


def _required(tool: ToolSpec) -> Sequence[str]:
    required = tool.parameters.get("required")
    return required if isinstance(required, list) else ()


def instructions(tools: Sequence[ToolSpec]) -> str:
    """Describe the actions in words."""
    described = [
        {"name": tool.name, "description": tool.description, "arguments": list(_arguments_described(tool))}
        for tool in tools
    ]
    return render_prompt(default_prompts_dir(), "actions.md.j2", tools=described, final=FINAL)


def _arguments_described(tool: ToolSpec) -> Iterator[dict[str, object]]:
    for name, schema in properties_of(tool).items():
        yield {"name": name, "kind": _kind(schema), "required": name in _required(tool), "told": _told(schema)}


def _kind(schema: Mapping[str, Any]) -> str:
    """Say in words what a value looks like."""
    if "enum" in schema:
        return "one of " + ", ".join(str(one) for one in schema["enum"])
    kind = schema.get("type")
    if kind == "array" and isinstance(schema.get("items"), Mapping):
        return f"list of {_kind(schema['items'])}"
    if kind == "object":
        required = schema.get("required", ())
        fields = (
            f"{name}{'' if name in required else '?'}: {_kind(inner)}{_told(inner)}"
            for name, inner in schema.get("properties", {}).items()
        )
        return "{" + "; ".join(fields) + "}"
    kinds = [str(one) for one in kind] if isinstance(kind, list) else [str(kind or "string")]
    return " or ".join(_WORDS.get(one, one) for one in kinds)


def _told(schema: Mapping[str, Any]) -> str:
    description = schema.get("description")
    return f" ({description})" if description else ""


def to_wire(messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> list[dict[str, Any]]:
    """Return messages any template renders: calls as the assistant's JSON, results as the user's words."""
    wired = [_wire(message, tools) for message in messages]
    if tools and messages and messages[-1].role == "tool" and messages[-1].tool_name:
        wired[-1]["content"] += "\n\n" + nudge("next_action", question=question_in(messages))
    return wired


def _wire(message: ChatMessage, tools: Sequence[ToolSpec]) -> dict[str, Any]:
    plain = plain_wire(message)
    if plain is not None:
        return plain
    if message.role == "system" and tools:
        return {"role": "system", "content": f"{message.content}\n\n{instructions(tools)}"}
    if message.role == "tool":
        return {"role": "user", "content": nudge("result", tool=message.tool_name, content=message.content)}
    if message.role == "assistant" and message.tool_calls:
        call = message.tool_calls[0]
        action = {"a_reason": message.content, "action": call.name, **call.arguments, "text": ""}
        return {"role": "assistant", "content": json.dumps(action, ensure_ascii=False)}
    return {"role": message.role, "content": message.content}


def read_turn(text: str, tools: Sequence[ToolSpec]) -> ModelTurn:
    """Return what the model wants; a complaint for the model when it wrote no action."""
    if not tools:
        return _words(text)
    try:
        return read_action(text, tools)
    except ValueError as wrong:
        return _recovered(text, tools) or ModelTurn(text=text, complaint=nudge("action_again", reason=wrong))


def _words(text: str) -> ModelTurn:
    """Without tools any words are the answer; out of habit it may still be an action object."""
    action = first_value(unwrapped(text)) if text.lstrip().startswith(("{", "```")) else None
    spoken = action.get("text") if isinstance(action, dict) and "action" in action else None
    return ModelTurn(text=spoken if isinstance(spoken, str) else text)


def _recovered(text: str, tools: Sequence[ToolSpec]) -> ModelTurn | None:
    """A server that does not hold the model to the schema lets it call in its own way."""
    try:
        calls = calls_in_text(text, tools)
    except NotACallError:
        return None
    return ModelTurn(text="", tool_calls=calls, is_recovered=True) if calls else None


def read_action(content: str, tools: Sequence[ToolSpec]) -> ModelTurn:
    """Read an action object; ValueError says what is wrong with it."""
    action = first_value(unwrapped(content))
    if not isinstance(action, dict):
        raise ValueError("it is not one JSON object")
    name = action.get("action")
    if name == FINAL:
        return ModelTurn(text=str(action.get("text") or action.get("a_reason") or ""))
    tool = next((tool for tool in tools if tool.name == name), None)
    if tool is None:
        raise ValueError(
            f"there is no action {str(name)[:60]!r}; there are {', '.join(one.name for one in tools)}, {FINAL}"
        )
    call = ToolCall(name=tool.name, arguments=_arguments(tool, action))
    return ModelTurn(text=str(action.get("a_reason") or ""), tool_calls=(call,))


def _arguments(tool: ToolSpec, action: Mapping[str, Any]) -> dict[str, object]:
    """Take what belongs to the tool; an argument that is only there because the grammar wants it is left out."""
    required = _required(tool)
    return {
        name: action[name]
        for name in properties_of(tool)
        if name in action and (name in required or action[name] not in ("", None, [], {}))
    }
