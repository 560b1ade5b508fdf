"""The tool loop: limits before each call, a tool's failure is data, every message handed out as it happens."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.agent.arguments import fitted
from bot.agent.tool import Tool, legal_now
from bot.domain import ChatMessage, ModelTurn, ToolCall, ToolError, ToolSpec

__all__ = ["Answer", "Limits", "Tool", "run_agent", "trimmed"]

_MOST_RESULT = 6_000
_MOST_PROMPT = 20_000
_MOST_MESSAGE = 10_000
_CUT = "\n… (cut)"
_NUDGE = ChatMessage(role="user", content="You said nothing. Answer the person in two sentences.")


class Model(Protocol):
    """What the loop needs of a model."""

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> ModelTurn:
        """Return the next turn."""


@dataclass(frozen=True)
class Limits:
    """How far a model may go for one order."""

    turns: int = 8
    seconds: float = 600.0
    identical_calls: int = 2


@dataclass(frozen=True)
class Answer:
    """What the model said in the end; `stopped_by` names the limit when one was hit."""

    text: str
    turns: int
    stopped_by: str | None = None


def run_agent(
    model: Model,
    messages: Sequence[ChatMessage],
    tools: Mapping[str, Tool],
    limits: Limits,
    on_message: Callable[[ChatMessage], None],
) -> Answer:
    """Run until the model answers or a limit is hit."""
    conversation = [_shortened(message) for message in messages]
    deadline = time.monotonic() + limits.seconds
    seen: Counter[str] = Counter()
    for turn_number in range(1, limits.turns + 1):
        if time.monotonic() > deadline:
            return Answer(text="", turns=turn_number - 1, stopped_by="out of time")
        turn = model.chat(trimmed(conversation), [tool.spec for tool in legal_now(tools).values()])
        was_nudged = conversation[-1] is _NUDGE
        said = ChatMessage(role="assistant", content=turn.text, tool_calls=turn.tool_calls)
        conversation.append(said)
        on_message(said)
        if not turn.tool_calls:
            if turn.text.strip():
                return Answer(text=turn.text, turns=turn_number)
            if was_nudged:
                return Answer(text="", turns=turn_number, stopped_by="silent")
            conversation.append(_NUDGE)
        for call in turn.tool_calls:
            key = json.dumps([call.name, call.arguments], sort_keys=True, default=str)
            seen[key] += 1
            if seen[key] > limits.identical_calls:
                return Answer(text="", turns=turn_number, stopped_by="going in circles")
            result = ChatMessage(role="tool", content=_result(call, tools, seen[key]), tool_name=call.name)
            conversation.append(result)
            on_message(result)
    return Answer(text="", turns=limits.turns, stopped_by="too many turns")


def _result(call: ToolCall, tools: Mapping[str, Tool], times: int) -> str:
    legal = legal_now(tools)
    if call.name not in legal:
        known = "cannot be called now" if call.name in tools else "is no tool"
        return f"{call.name!r} {known}. The tools are: {', '.join(legal)}. Or answer the person."
    if times > 1:
        return "You asked for exactly this before; the result is above. Do something else, or answer the person."
    tool = legal[call.name]
    try:
        text = tool.call(fitted(tool, call.arguments))
    except ToolError as error:
        return f"That did not work: {error}"
    return text if len(text) <= _MOST_RESULT else text[:_MOST_RESULT] + _CUT


def trimmed(conversation: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Drop the oldest messages, visibly, until the rest fits the model's window.

    The system prompt, the person's last words and the newest message stay. Left to itself Ollama would drop
    messages silently, the person's words among them (about four characters a token).
    """
    system, rest = list(conversation[:1]), list(conversation[1:])
    question = next((message for message in reversed(rest) if message.role == "user" and message is not _NUDGE), None)
    droppable = [message for message in rest[:-1] if message is not question]
    dropped = 0
    while dropped < len(droppable) and _size(system + rest) > _MOST_PROMPT:
        rest.remove(droppable[dropped])
        dropped += 1
    if not dropped:
        return system + rest
    mark = ChatMessage(role="user", content=f"({dropped} earlier messages are left out here)")
    return [*system, mark, *rest]


def _size(messages: Sequence[ChatMessage]) -> int:
    return sum(len(message.content) for message in messages)


def _shortened(message: ChatMessage) -> ChatMessage:
    if len(message.content) <= _MOST_MESSAGE:
        return message
    return ChatMessage(
        role=message.role,
        content=message.content[:_MOST_MESSAGE] + _CUT,
        tool_calls=message.tool_calls,
        tool_name=message.tool_name,
    )
