"""How Ollama 0.33 makes calls of what llama3.1 writes, token by token: its own rules, quirks included.

The first `{` starts a call, the tool is the first name found anywhere, and what is left over may leak as text.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]


class ToolParser:
    """Takes tokens, gives pieces: a text, or a call as (name, arguments). `rest` is what the last chunk carries."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._buffer = ""
        self._state = "seek"
        self._calls = 0

    def feed(self, token: str) -> Iterator[str | tuple[str, Json]]:
        """Take one token."""
        if self._state == "pass":
            yield token
            return
        self._buffer += token
        if self._state == "seek":
            yield from self._seek()
        if self._state == "call":
            yield from self._round()

    def rest(self) -> str:
        """Return what was held back, unless a call was made: then it is thrown away."""
        return "" if self._calls else self._buffer

    def _seek(self) -> Iterator[str]:
        before, brace, after = self._buffer.partition("{")
        if not brace:
            yield self._buffer
            self._state = "pass" if before.strip() else "seek"
            self._buffer = ""
        elif before.strip():
            yield self._buffer
            self._state = "pass"
            self._buffer = brace + after  # comes again with the last chunk: the quirk of `[{"`
        else:
            self._state = "call"
            self._buffer = brace + after
            if before:
                yield before

    def _round(self) -> Iterator[str | tuple[str, Json]]:
        while (found := self._found()) is not None:
            name, arguments, end = found
            self._calls += 1
            self._buffer = self._buffer[end:]
            yield name, arguments
        if _is_balanced_somewhere(self._buffer):
            self._state = "pass"
            text, self._buffer = self._buffer, ""
            yield text

    def _found(self) -> tuple[str, Json, int] | None:
        if any(self._buffer.endswith(name[:cut]) for name in self._names for cut in range(1, len(name))):
            return None
        places = [(self._buffer.find(name), -len(name), name) for name in self._names if name in self._buffer]
        if not places:
            return None
        at, _, name = min(places)
        for start, end in _objects(self._buffer):
            read = _read(self._buffer[start : end + 1])
            arguments = _arguments(read, name) if isinstance(read, dict) else None
            if arguments is not None:
                return name, arguments, max(at + len(name), end)
            if isinstance(read, dict):
                return None
        return None


def _objects(text: str) -> Iterator[tuple[int, int]]:
    """Yield where balanced objects begin and end, braces in strings left out."""
    depth, start, in_string, is_escaped = 0, 0, False, False
    for at, letter in enumerate(text):
        if in_string:
            in_string = is_escaped or letter != '"'
            is_escaped = letter == "\\" and not is_escaped
        elif letter == '"':
            in_string = depth > 0
        elif letter == "{":
            start = at if depth == 0 else start
            depth += 1
        elif letter == "}" and depth:
            depth -= 1
            if depth == 0:
                yield start, at


def _arguments(read: Json, tool: str) -> Json | None:
    if "name" in read:
        return _object(read.get("arguments", read.get("parameters")))
    if tool in read and isinstance(read[tool], dict):
        return dict(read[tool])
    nested = _nested(read, tool)
    return read if nested is None else nested


def _nested(read: Any, tool: str) -> Json | None:
    for value in read.values() if isinstance(read, dict) else read:
        if isinstance(value, dict) and ("name" in value or tool in value):
            return _arguments(value, tool)
        if isinstance(value, dict | list) and (found := _nested(value, tool)) is not None:
            return found
    return None


def _object(value: Any) -> Json | None:
    if isinstance(value, str):
        value = _read(value)
    return value if isinstance(value, dict) else None


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _is_balanced_somewhere(text: str) -> bool:
    """Tell whether the braces, counted from the start, come out even after a closing one."""
    depth, in_string, is_escaped = 0, False, False
    for letter in text:
        if in_string:
            in_string = is_escaped or letter != '"'
            is_escaped = letter == "\\" and not is_escaped
        elif letter == '"':
            in_string = True
        elif letter in "{}":
            depth += 1 if letter == "{" else -1
            if letter == "}" and depth == 0:
                return True
    return False
