"""The tool loop: limits before each turn, a tool's failure is data, every message handed out as it happens."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bot.agent.arguments import fitted
from bot.agent.budget import Split, budget_for, cut, fitted_talk, split_of
from bot.agent.prompts import nudge
from bot.agent.tool import Tool, legal_now
from bot.domain import ChatMessage, ModelTurn, ToolCall, ToolError, ToolSpec
from bot.llm.chat import StoppedError, TooLongError, Watch

__all__ = ["Answer", "Limits", "Tool", "run_agent"]

_MOST_SAID = 500
_MOST_RESULT = 12_000
_LESS = 0.6
_FAILED = nudge("failed", reason="").rstrip()


class Model(Protocol):
    """What the loop needs of a model."""

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], watch: Watch) -> ModelTurn:
        """Return the next turn."""


@dataclass(frozen=True)
class Limits:
    """How far a model may go for one order. `window` is the model's own, in tokens, as `tokens` of all turns are."""

    turns: int = 8
    seconds: float = 600.0
    tokens: int = 80_000
    identical_calls: int = 2
    repairs: int = 2
    window: int = 8192


@dataclass(frozen=True)
class Answer:
    """What the model said in the end; `stopped_by` names the limit when one was hit.

    `known` is the last result of a tool, to answer from when the model does not. `largest` divides the largest prompt.
    """

    text: str
    turns: int
    stopped_by: str | None = None
    known: str = ""
    is_cut: bool = False
    prompt_tokens: int = 0
    output_tokens: int = 0
    largest: Split = field(default_factory=Split)


def run_agent(
    model: Model,
    messages: Sequence[ChatMessage],
    tools: Mapping[str, Tool],
    limits: Limits,
    on_message: Callable[[ChatMessage], None],
    *,
    earlier: Sequence[ChatMessage] = (),
    watch: Watch | None = None,
) -> Answer:
    """Run until the model answers or a limit is hit; the last of `messages` is the person's question.

    `earlier` is what an interrupted run handed out for the same question: it is taken up where it stood, and what its
    tools did is not done again.
    """
    watch = watch or Watch()
    watch.until = min(watch.until, time.monotonic() + limits.seconds)
    run = _Run(model, list(messages), tools, limits, on_message, watch)
    try:
        return run.resumed(earlier) or run.to_the_end()
    except StoppedError:
        return run.ended("stopped")
    except TooLongError:
        return run.ended("too long")


@dataclass
class _Run:
    model: Model
    talk: list[ChatMessage]
    tools: Mapping[str, Tool]
    limits: Limits
    on_message: Callable[[ChatMessage], None]
    watch: Watch
    turns: int = 0
    repairs: int = 0
    is_silenced: bool = False
    known: str = ""
    share: float = 1.0
    prompt_tokens: int = 0
    output_tokens: int = 0
    largest: Split = field(default_factory=Split)
    last: tuple[int, int] = (0, 0)
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.question = len(self.talk) - 1

    # --- from start to end ---

    def resumed(self, earlier: Sequence[ChatMessage]) -> Answer | None:
        """Take up what was said before; return the answer if it was given already."""
        owed: list[ToolCall] = []
        for message in earlier:
            self.talk.append(message)
            if message.role == "assistant":
                self.turns += 1
                owed = list(message.tool_calls)
                if not owed and message.content.strip():
                    return self.ended(text=message.content)
            elif owed:
                call = owed.pop(0)
                self._times(call)
                self._remember(call, message.content)
        return self._carry_out(owed) if owed else None

    def to_the_end(self) -> Answer:
        """Take turns."""
        while True:
            limit = self._limit()
            if limit is not None:
                return self.ended(limit)
            turn = self._asked()
            self.turns += 1
            end = self._complained(turn) if turn.complaint else self._heard(turn)
            if end is not None:
                return end

    def ended(self, stopped_by: str | None = None, *, text: str = "", is_cut: bool = False) -> Answer:
        """Return the answer with what it cost."""
        return Answer(
            text=text,
            turns=self.turns,
            stopped_by=stopped_by,
            known=self.known,
            is_cut=is_cut,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.output_tokens,
            largest=self.largest,
        )

    def _limit(self) -> str | None:
        if self.turns >= self.limits.turns:
            return "too many turns"
        if self.watch.seconds_left() <= 0:
            return "out of time"
        return "too many tokens" if self.prompt_tokens + self.output_tokens >= self.limits.tokens else None

    # --- asking ---

    def _asked(self) -> ModelTurn:
        """Ask; when the prompt proves too long for the server, once more with less of it."""
        legal = [] if self.is_silenced else [tool.spec for tool in legal_now(self.tools).values()]
        before = self.last
        try:
            turn = self._sent(legal)
        except TooLongError as too_long:
            known = too_long.window / too_long.tokens if too_long.tokens and too_long.window else 1.0
            self.share *= min(_LESS, known * 0.9)
            return self._sent(legal)
        if self.share == 1.0 and (turn.is_prompt_cut or self._lost_some(before)):
            self.share = _LESS
            return self._sent(legal)
        return turn

    def _sent(self, legal: Sequence[ToolSpec]) -> ModelTurn:
        shown = fitted_talk(self.talk, self.question, legal, budget_for(self.limits.window, self.share))
        split = split_of(shown, legal)
        self.largest = max(self.largest, split, key=lambda one: one.total)
        self.watch.repairs = self.repairs
        turn = self.model.chat(shown, legal, self.watch)
        self.prompt_tokens += turn.prompt_tokens or split.total
        self.output_tokens += turn.output_tokens
        self.last = (turn.prompt_tokens, split.total)
        return turn

    def _lost_some(self, before: tuple[int, int]) -> bool:
        """Tell that the server read less than last time although we sent more: it dropped messages, silently.

        Servers before 0.30 count only what they had not in their cache, so a short prompt proves nothing.
        """
        (read, sent), (read_before, sent_before) = self.last, before
        return 0 < read < read_before * _LESS and sent >= sent_before and sent > self.limits.window // 3

    # --- hearing ---

    def _complained(self, turn: ModelTurn) -> Answer | None:
        """Show the model what it wrote and what is wrong with it; a call of nothing stands for it."""
        nothing = ToolCall(name="", arguments={"said": turn.text[:_MOST_SAID]})
        self._say(ChatMessage(role="assistant", content="", tool_calls=(nothing,)))
        self._say(ChatMessage(role="tool", content=turn.complaint, tool_name=""))
        self.repairs += 1
        return self.ended("babbling") if self.repairs > self.limits.repairs else None

    def _heard(self, turn: ModelTurn) -> Answer | None:
        self._say(ChatMessage(role="assistant", content=turn.text, tool_calls=turn.tool_calls))
        if not turn.tool_calls:
            return self._answered(turn)
        self.is_silenced, self.repairs = False, 0
        return self._carry_out(turn.tool_calls, is_recovered=turn.is_recovered)

    def _answered(self, turn: ModelTurn) -> Answer | None:
        if turn.text.strip():
            return self.ended(text=turn.text, is_cut=turn.is_cut)
        if self.is_silenced:
            return self.ended("silent")
        self.is_silenced = True
        self.talk.append(ChatMessage(role="user", content=nudge("said_nothing"), is_nudge=True))
        return None

    def _say(self, message: ChatMessage) -> None:
        self.talk.append(message)
        self.on_message(message)

    # --- tools ---

    def _carry_out(self, calls: Sequence[ToolCall], *, is_recovered: bool = False) -> Answer | None:
        for number, call in enumerate(calls):
            times = self._times(call)
            if times > self.limits.identical_calls:
                return self.ended("going in circles")
            result = self._result(call, times, is_first=number == 0, is_recovered=is_recovered)
            self._say(ChatMessage(role="tool", content=result, tool_name=call.name))
        return None

    def _times(self, call: ToolCall) -> int:
        key = self._key(call)
        self.seen[key] += 1
        return self.seen[key]

    def _key(self, call: ToolCall) -> str:
        return json.dumps([call.name, call.arguments], sort_keys=True, default=str)

    def _result(self, call: ToolCall, times: int, *, is_first: bool, is_recovered: bool) -> str:
        legal = legal_now(self.tools)
        if not call.name:  # an earlier try ended before it could complain
            return nudge("call_again", reason="it could not be read")
        if call.name not in legal:
            word = "not_now" if call.name in self.tools else "unknown_tool"
            return nudge(word, name=call.name, tools=", ".join(legal))
        tool = legal[call.name]
        if times > 1:
            return nudge("repeated")
        if tool.has_effect and (is_recovered or not is_first):
            self.seen[self._key(call)] -= 1  # it may come again, properly
            return nudge("improper" if is_recovered else "skipped")
        return self._called(tool, call)

    def _called(self, tool: Tool, call: ToolCall) -> str:
        try:
            result = tool.call(fitted(tool, call.arguments))
        except ToolError as error:
            return nudge("failed", reason=error)
        self._remember(call, result)
        return cut(result, _MOST_RESULT)

    def _remember(self, call: ToolCall, result: str) -> None:
        """Keep the last result that says something; after a change what was read before may be read again."""
        tool = self.tools.get(call.name)
        if tool is None or result.startswith(_FAILED):
            return
        self.known = result
        if tool.has_effect:
            self.seen = Counter({key: times for key, times in self.seen.items() if key == self._key(call)})
