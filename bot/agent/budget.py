"""Divides the model's window among instructions, talk, question and results, and cuts visibly what is too much.

Left to itself Ollama drops whole messages, the person's words among them, or cuts the prompt in half, and says nothing.
"""

import json
import math
from collections.abc import Sequence

from msgspec import Struct, structs

from bot.agent.prompts import nudge
from bot.domain import ChatMessage, ToolSpec

_ASCII_PER_TOKEN, _TOKENS_PER_OTHER = 3.5, 0.9
_REPLY = 1500
_SPARE = 0.05  # estimates err
_FORGOTTEN = 60


class Budget(Struct, frozen=True):
    """How many tokens of a window each part may fill; `prompt` is all of them together."""

    prompt: int
    question: int
    result: int
    history: int


class Split(Struct, frozen=True):
    """How many tokens each part of one prompt fills, by estimate."""

    instructions: int = 0
    history: int = 0
    question: int = 0
    results: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.instructions + self.history + self.question + self.results


def budget_for(window: int, share: float = 1.0) -> Budget:
    """Divide a window; `share` below 1 when the server found our estimate too low."""
    prompt = int((window - min(_REPLY, window // 4)) * (1 - _SPARE) * share)
    return Budget(prompt=prompt, question=prompt // 4, result=prompt // 4, history=prompt // 4)


def tokens(text: str) -> int:
    """Estimate the tokens of a text, rather too many than too few."""
    plain = len(text.encode("ascii", "ignore"))
    return math.ceil(plain / _ASCII_PER_TOKEN + (len(text) - plain) * _TOKENS_PER_OTHER)


def size(message: ChatMessage) -> int:
    """Estimate the tokens of a message, with what its template adds."""
    calls = json.dumps([call.arguments for call in message.tool_calls], default=str) if message.tool_calls else ""
    return tokens(message.content) + tokens(calls) + 6


def size_of_tools(tools: Sequence[ToolSpec]) -> int:
    """Estimate the tokens of the tools' descriptions."""
    return sum(tokens(f"{tool.name} {tool.description} {json.dumps(tool.parameters)}") for tool in tools)


def shortened(message: ChatMessage, most: int) -> ChatMessage:
    """Cut a message's middle out, visibly: the beginning says what it is, the end of a log what went wrong."""
    here = tokens(message.content)
    if here <= most:
        return message
    characters = max(0, int(len(message.content) * most / here) - 40)
    return structs.replace(message, content=cut(message.content, characters))


def cut(text: str, characters: int) -> str:
    """Return at most so many characters, with a mark where the middle is missing."""
    if len(text) <= characters:
        return text
    head, tail = text[: characters * 2 // 3], text[len(text) - characters // 3 :]
    return f"{head}\n… ({len(text) - len(head) - len(tail)} characters cut) …\n{tail}"


def fitted_talk(
    talk: Sequence[ChatMessage], question: int, tools: Sequence[ToolSpec], budget: Budget
) -> list[ChatMessage]:
    """Return the talk cut to the budget; `question` is the index of the person's words in it.

    The system prompt, the question and the newest message stay. What goes first is the talk before this order, then
    this order's oldest results, which leave a mark.
    """
    system, before, after = talk[0], list(talk[1:question]), list(talk[question + 1 :])
    asked = shortened(talk[question], budget.question)
    results = [shortened(message, budget.result) if message.role == "tool" else message for message in after]
    room = budget.prompt - size(system) - size_of_tools(tools) - size(asked)
    kept = _newest(before, min(budget.history, room - sum(map(size, results[-2:]))))
    results = _with_old_ones_short(results, room - sum(map(size, kept)))
    gone = len(before) - len(kept)
    mark = [ChatMessage(role="user", content=nudge("left_out", count=gone), is_nudge=True)] if gone else []
    return [system, *mark, *kept, asked, *results]


def _newest(messages: Sequence[ChatMessage], room: int) -> list[ChatMessage]:
    kept: list[ChatMessage] = []
    for message in reversed(messages):
        room -= size(message)
        if room < 0:
            break
        kept.insert(0, message)
    return kept


def _with_old_ones_short(messages: list[ChatMessage], room: int) -> list[ChatMessage]:
    """Reduce old results to their beginnings, oldest first, then drop the oldest pairs of call and result."""
    kept = list(messages)
    for index, message in enumerate(kept[:-1]):
        if sum(map(size, kept)) <= room:
            return kept
        if message.role == "tool":
            kept[index] = shortened(message, _FORGOTTEN)
    gone = 0
    while len(kept) > 2 and sum(map(size, kept)) > room:
        del kept[: 1 if kept[0].role != "assistant" or kept[1].role != "tool" else 2]
        gone += 1
    if kept and sum(map(size, kept)) > room:
        kept[-1] = shortened(kept[-1], max(_FORGOTTEN, room - sum(map(size, kept[:-1]))))
    mark = [ChatMessage(role="user", content=nudge("left_out", count=gone), is_nudge=True)] if gone else []
    return [*mark, *kept]


def split_of(talk: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> Split:
    """Say which part of a prompt fills how much of it."""
    asked = max((at for at, one in enumerate(talk) if one.role == "user" and not one.is_nudge), default=len(talk))
    return Split(
        instructions=sum(map(size, talk[:1])) + size_of_tools(tools),
        history=sum(map(size, talk[1:asked])),
        question=sum(map(size, talk[asked : asked + 1])),
        results=sum(map(size, talk[asked + 1 :])),
    )
