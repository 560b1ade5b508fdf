"""Recovers a call that a model wrote as text instead of making it.

Only a text that is nothing but the call is one: inside a longer text it may be quoted from somebody's file. What looks
like an attempt but is none becomes a complaint, and the model tries again.
"""

import ast
import json
import re
from collections.abc import Sequence
from typing import Any

from bot.domain import ToolCall, ToolSpec

_OPENING = re.compile(r"^(?:```\w*|<\|python_tag\|>|<tool_call>|[};])\s*")
_CLOSING = re.compile(r"\s*(?:```|</tool_call>)$")
_QUOTED_CALL = re.compile(r"\{\s*[\"']name[\"']\s*:\s*[\"']([\w.]+)[\"']")
_FUNCTION = re.compile(r"^\[?\s*(?:<function=(\w+)>|(\w+)\s*:?\s*[({]).*[)>\]}]\s*$", re.DOTALL)
_META = re.compile(r"\bonly (?:respond|answer|reply) (?:with|in) (?:formatted )?JSON\b", re.IGNORECASE)
_JUNK = re.compile(r"^[\s{}\[\]\"n;,]{0,6}$")  # what Ollama's own parser leaves behind a list of calls
_ARGUMENTS = ("arguments", "parameters")
_REPLIES = ("answer", "text", "response", "message", "reply")


class NotACallError(Exception):
    """The text was meant as a call, but is none; the message says why, to the model."""


def calls_in_text(text: str, tools: Sequence[ToolSpec], *, is_cut: bool = False) -> tuple[ToolCall, ...]:
    """Return the call that the text is, or nothing when it is an answer; raises NotACallError.

    `is_cut` says that the output limit cut it, so that nothing of it may be completed.
    """
    names = {tool.name for tool in tools}
    written = _object_in(unwrapped(text.strip()), may_complete=not is_cut)
    if written is not None and _is_attempt(written, names):
        return (_as_call(written, names),)
    _require_no_attempt(text, names)
    return ()


def reply_in(call: ToolCall, tools: Sequence[ToolSpec]) -> str | None:
    """Return the words when an answer came as a call: none of the tool's own arguments, but a text."""
    known = next((set(_properties(tool)) for tool in tools if tool.name == call.name), set())
    if not call.arguments or set(call.arguments) & known or set(call.arguments) - set(_REPLIES):
        return None
    words = next(iter(call.arguments.values()))
    return words if isinstance(words, str) and words.strip() else None


def _properties(tool: ToolSpec) -> dict[str, Any]:
    found = tool.parameters.get("properties")
    return found if isinstance(found, dict) else {}


def unwrapped(text: str) -> str:
    """Return the text without fences and tags around it."""
    while (shorter := _CLOSING.sub("", _OPENING.sub("", text))) != text:
        text = shorter
    return text.strip()


def _object_in(text: str, *, may_complete: bool) -> dict[str, Any] | None:
    """Return the one object the text consists of (or the first of a list): JSON, or Python's way of writing it."""
    if not text.startswith(("{", "[")):
        return None
    read = first_value(text)
    if read is None and may_complete:
        read = first_value(text + "}")
    if isinstance(read, list):
        read = read[0] if read else None
    if isinstance(read, dict) and isinstance(read.get("function"), dict):
        read = read["function"]
    return read if isinstance(read, dict) else None


def first_value(text: str) -> Any:
    """Return the value the text consists of, JSON or Python; None when there is more to it, or none."""
    try:
        value, end = json.JSONDecoder(strict=False).raw_decode(text)
    except (ValueError, RecursionError):
        return _python_value(text)
    return value if _JUNK.match(text[end:]) else None


def _python_value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _is_attempt(written: dict[str, Any], names: set[str]) -> bool:
    """A known name alone is a call; an unknown one only with arguments, for else it may be an answer in JSON."""
    name = written.get("name")
    return isinstance(name, str) and (name in names or any(key in written for key in _ARGUMENTS))


def _as_call(written: dict[str, Any], names: set[str]) -> ToolCall:
    name = written["name"]
    if name not in names:
        raise NotACallError(f"unknown tool {name[:60]!r}; there are {', '.join(sorted(names)) or 'none'}")
    arguments: Any = next((written[key] for key in _ARGUMENTS if written.get(key) is not None), {})
    if isinstance(arguments, str):
        arguments = first_value(arguments)
    if not isinstance(arguments, dict):
        raise NotACallError("the arguments are no object")
    return ToolCall(name=name, arguments=arguments)


def _require_no_attempt(text: str, names: set[str]) -> None:
    if any(name in names for name in _QUOTED_CALL.findall(text)):
        raise NotACallError("a call stands amid other words or is not valid JSON")
    function = _FUNCTION.match(text.strip())
    if function and (function[1] or function[2]) in names:
        raise NotACallError('a call is written {"name": …, "parameters": {…}}')
    if _META.search(text):
        raise NotACallError("the person wants words, not JSON")
