"""Reads Ollama's answers: a stream of JSON lines, or one object; whole, cut off, or no answer at all.

Lines end at `\\n` alone, for Ollama sends U+0085 raw inside of them. Calls stand in any chunk: the rendered path sends
each in a chunk of its own, the native path all in the last one.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.llm.faults import Duty, FaultError, mid_stream

_MOST_BLANK = 200
_MOST_CHARACTERS = 200_000
NOT_OLLAMA = "what answers at its address is not Ollama"
_CUT_OFF = "its answer was cut off"


@dataclass
class Heard:
    """What has been heard of one answer."""

    content: str = ""
    thinking: str = ""
    calls: list[Any] = field(default_factory=list)
    is_done: bool = False
    done_reason: str = ""
    prompt_tokens: int = 0
    output_tokens: int = 0

    def add(self, chunk: dict[str, Any]) -> str:
        """Take in one object of the answer; return the new words."""
        message = chunk.get("message")
        if not isinstance(message, dict):
            raise FaultError(Duty.ONCE, NOT_OLLAMA, f"no message: {str(chunk)[:200]}")
        words = _text(message.get("content"))
        self.content += words
        self.thinking += _text(message.get("thinking"))
        calls = message.get("tool_calls")
        self.calls += calls if isinstance(calls, list) else []
        if chunk.get("done"):
            self.is_done = True
            self.done_reason = _text(chunk.get("done_reason"))
            self.prompt_tokens, self.output_tokens = _count(chunk, "prompt_eval"), _count(chunk, "eval")
        return words

    def is_running_away(self) -> bool:
        """Tell an answer that will not end by itself: blanks without end, or far more than anybody reads."""
        blank = len(self.content) - len(self.content.rstrip())
        return blank > _MOST_BLANK or len(self.content) + len(self.thinking) > _MOST_CHARACTERS


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(chunk: dict[str, Any], name: str) -> int:
    value = chunk.get(f"{name}_count")
    return value if isinstance(value, int) else 0


def lines(parts: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Return the objects of a stream, however the network cut it; raises FaultError for what is no such stream."""
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        yield from (_object(line) for line in whole if line.strip())
    if rest.strip():
        yield _object(rest)


def whole(body: bytes) -> dict[str, Any]:
    """Return an answer that came in one piece."""
    return _object(body)


def _object(line: bytes) -> dict[str, Any]:
    try:
        read = json.loads(line.decode("utf-8"))
    except ValueError as error:
        is_cut = line.lstrip().startswith(b"{")
        raise FaultError(Duty.ONCE, _CUT_OFF if is_cut else NOT_OLLAMA, repr(line[:200])) from error
    if not isinstance(read, dict):
        raise FaultError(Duty.ONCE, NOT_OLLAMA, repr(line[:200]))
    if "error" in read:
        raise mid_stream(read["error"])
    return read
