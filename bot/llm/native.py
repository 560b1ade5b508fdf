"""Ollama's own tool calls, with the guards that small models need."""

import json
from collections.abc import Sequence
from typing import Any

from bot.domain import ChatMessage, ModelTurn, ToolCall, ToolSpec
from bot.llm.prompts import nudge
from bot.llm.reading import Heard
from bot.llm.text_calls import NotACallError, calls_in_text, reply_in

_MOST_QUESTION = 300


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
    if messages and messages[-1].role == "tool" and messages[-1].tool_name:
        wired.append({"role": "user", "content": nudge("result_above", question=question_in(messages))})
    return wired


def question_in(messages: Sequence[ChatMessage]) -> str:
    """Return what the person asked last: said again at the end, for small models lose it over long results."""
    asked = [message.content for message in messages if message.role == "user" and not message.is_nudge]
    return asked[-1][:_MOST_QUESTION] if asked else ""


def plain_wire(message: ChatMessage) -> dict[str, Any] | None:
    """Return what was no call, and the complaint about it, as plain words; None for anything else."""
    if message.role == "tool" and not message.tool_name:
        return {"role": "user", "content": message.content}
    if message.tool_calls and not message.tool_calls[0].name:
        return {"role": "assistant", "content": str(message.tool_calls[0].arguments.get("said", ""))}
    return None


def _wire(message: ChatMessage) -> dict[str, Any]:
    plain = plain_wire(message)
    if plain is not None:
        return plain
    wired: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        wired["tool_calls"] = [
            {"function": {"name": call.name, "arguments": call.arguments}} for call in message.tool_calls
        ]
    if message.tool_name:
        wired["tool_name"] = message.tool_name
    return wired


def read_turn(heard: Heard, text: str, tools: Sequence[ToolSpec]) -> ModelTurn:
    """Return what the model wants: its calls (then what it says beside them is noise), a recovered call, or words."""
    calls = _distinct(heard.calls)
    if calls:
        words = reply_in(calls[0], tools) if len(calls) == 1 else None
        return ModelTurn(text=words) if words else ModelTurn(text="", tool_calls=calls)
    try:
        recovered = calls_in_text(text, tools, is_cut=heard.done_reason == "length")
    except NotACallError as wrong:
        return ModelTurn(text=text, complaint=nudge("call_again", reason=wrong))
    return ModelTurn(text="" if recovered else text, tool_calls=recovered, is_recovered=bool(recovered))


def _distinct(raw: Sequence[Any]) -> tuple[ToolCall, ...]:
    """Return the calls, each once; a model may say the same thrice."""
    calls: dict[str, ToolCall] = {}
    for one in raw:
        function = one.get("function") if isinstance(one, dict) else None
        if isinstance(function, dict):
            call = ToolCall(name=str(function.get("name") or ""), arguments=_arguments(function.get("arguments")))
            calls.setdefault(json.dumps([call.name, call.arguments], sort_keys=True, default=str), call)
    return tuple(calls.values())


def _arguments(raw: object) -> dict[str, object]:
    """Other servers and old proxies send the arguments as text, or none at all."""
    if isinstance(raw, str):
        try:
            raw = json.loads(raw, strict=False)
        except ValueError:
            return {"said": raw}
    return dict(raw) if isinstance(raw, dict) else {}
