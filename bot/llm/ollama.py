"""A model served by Ollama, in either way of asking for tools, on any of several hosts."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import structlog
from msgspec import structs

from bot.domain import ChatMessage, ModelTurn, ToolSpec, UnreachableError
from bot.llm import constrained, native
from bot.llm.chat import StoppedError, TooLongError, Watch
from bot.llm.clean import cleaned, storable, without_thoughts
from bot.llm.faults import Duty, FaultError
from bot.llm.host import Host, Timing
from bot.llm.hosts import Hosts
from bot.llm.partial import SpokenPart
from bot.llm.prompts import nudge
from bot.llm.reading import Heard

log = structlog.get_logger()

WINDOW = 8192
_KEEP_ALIVE = "30m"
_ACTION_TOKENS, _PROSE_TOKENS, _AFTER_BABBLE_TOKENS = 1024, 1500, 400
_MALFORMED_BEFORE_FALL = 2

Mode = Literal["native", "constrained"]
# Hears of each turn: the model, what came of it, seconds, tokens of the prompt and of the answer.
OnTurn = Callable[[str, str, float, int, int], None]
_SIMPLER = {"schema": "json", "json": "none"}


@dataclass(frozen=True)
class Asking:
    """How a model is asked. With `may_fall` one that makes malformed native calls is asked in constrained mode from
    then on. `window` is in tokens.
    """

    mode: Mode
    may_fall: bool = False
    window: int = WINDOW
    is_streaming: bool = True


@dataclass(frozen=True)
class _Way:
    """How one request is made."""

    mode: Mode
    grammar: str
    tokens: int
    says_no_thinking: bool


class OllamaModel:
    """Talks with one model. Load-time options are the same in every call: another num_ctx would reload the model.

    What a server turns out not to know (tools, thinking, grammars) is remembered.
    """

    def __init__(
        self,
        urls: Sequence[str],
        model: str,
        asking: Asking,
        *,
        timing: Timing = Timing(),  # noqa: B008 - frozen
        sleep: Callable[[float], None] = time.sleep,
        on_turn: OnTurn | None = None,
    ) -> None:
        self.name = model
        self._on_turn = on_turn
        self.mode: Mode = asking.mode
        self.window = asking.window
        self._asking = asking
        self._grammar, self._says_no_thinking = "schema", True
        self._malformed = 0
        self._lock = threading.Lock()
        self._hosts = Hosts([Host(url, timing) for url in urls], sleep=sleep)

    def hosts(self) -> Sequence[Host]:
        """Return every host, each to be looked at by itself."""
        return self._hosts.each()

    def is_up(self) -> bool:
        """Tell whether any host has the model."""
        return self._hosts.any_has(self.name)

    def silent_hosts(self) -> int:
        """Return how many hosts do not answer, or lack the model."""
        return sum(not host.has_model(self.name) for host in self._hosts.each())

    def warm_up(self, *, may_fetch: bool = False) -> None:
        """Load the model on every host before anybody waits for it; what fails is logged: commands need no model."""
        for host in self._hosts.each():
            try:
                if may_fetch and not host.has_model(self.name):
                    host.pull(self.name)
            except FaultError as fault:
                log.warning("the model cannot be fetched", host=host.url, detail=fault.detail)
            if host.has_model(self.name):
                loaded = host.warm_up(self.name, {"num_ctx": self.window}, _KEEP_ALIVE)
                log.info("the model is loaded" if loaded else "the model did not load", host=host.url)

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], watch: Watch | None = None) -> ModelTurn:
        """Return the next turn, from the first host that answers; what it cost is told with it."""
        started, result, turn = time.monotonic(), "broken", ModelTurn(text="")
        try:
            turn = self._answer(messages, tools, watch or Watch())
            result = _result_of(turn)
        except UnreachableError:
            result = "unreachable"
            raise
        except TooLongError:
            result = "too long"
            raise
        except StoppedError:
            result = "stopped"
            raise
        finally:
            seconds = time.monotonic() - started
            if self._on_turn is not None:
                self._on_turn(self.name, result, seconds, turn.prompt_tokens, turn.output_tokens)
        return structs.replace(turn, seconds=seconds)

    def _answer(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], watch: Watch) -> ModelTurn:
        clean = [_cleaned(message) for message in messages]
        way = self._way(tools, watch)
        turn = self._turn(clean, tools, way, watch)
        if turn.is_cut and (not turn.text.strip() or turn.complaint):  # the limit cut it before it said anything
            turn = self._turn(clean, tools, replace(way, tokens=way.tokens * 2), watch)
        self._learn(turn, way)
        return turn

    def _way(self, tools: Sequence[ToolSpec], watch: Watch) -> _Way:
        tokens = _ACTION_TOKENS if tools else _PROSE_TOKENS
        return _Way(
            mode=self.mode,
            grammar=self._grammar,
            tokens=_AFTER_BABBLE_TOKENS if watch.repairs else tokens,
            says_no_thinking=self._says_no_thinking,
        )

    def _turn(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], way: _Way, watch: Watch) -> ModelTurn:
        while True:
            try:
                return self._read(self._asked(messages, tools, way, watch), tools, way)
            except FaultError as fault:
                if fault.duty is Duty.BABBLED:
                    return ModelTurn(text="", complaint=self._complaint(way, nudge("babbled")))
                if fault.duty is Duty.TOO_LONG:
                    raise TooLongError(fault.tokens, fault.window) from fault
                way = self._simpler(way, fault)

    def _simpler(self, way: _Way, fault: FaultError) -> _Way:
        """Return a way without what the server does not know, and remember it; raise when there is none."""
        simpler = None
        if fault.duty is Duty.NO_TOOLS and way.mode == "native":
            self.mode = "constrained"
            simpler = replace(way, mode=self.mode)
        elif fault.duty is Duty.NO_THINKING and way.says_no_thinking:
            self._says_no_thinking = False
            simpler = replace(way, says_no_thinking=False)
        elif fault.duty is Duty.NO_GRAMMAR and way.grammar in _SIMPLER:
            self._grammar = _SIMPLER[way.grammar]
            simpler = replace(way, grammar=self._grammar)
        if simpler is None:
            raise fault
        log.info("asking the model in a simpler way", mode=simpler.mode, grammar=simpler.grammar)
        return simpler

    def _asked(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], way: _Way, watch: Watch) -> Heard:
        spoken = SpokenPart()
        is_action = way.mode == "constrained" and bool(tools)

        def hear(heard: Heard, words: str) -> None:
            said = spoken.more(heard.content) if is_action else words
            if said and (is_action or not tools):  # with native tools nobody knows yet whether this is a call
                watch.on_text(storable(said))

        return self._hosts.chat(self._request(messages, tools, way), watch, hear)

    def _request(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], way: _Way) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self.name,
            "options": {"num_ctx": self.window, "temperature": 0, "seed": 7, "num_predict": way.tokens},
            "keep_alive": _KEEP_ALIVE,
            "stream": self._asking.is_streaming,
            "truncate": False,  # better refused than silently cut: then we cut, visibly
        }
        if way.says_no_thinking:
            request["think"] = False
        if way.mode == "native":
            request["messages"] = native.to_wire(messages)
            return request | ({"tools": native.tools_to_wire(tools)} if tools else {})
        request["messages"] = constrained.to_wire(messages, tools)
        formats: dict[str, Any] = {"schema": constrained.schema_for(tools), "json": "json"}
        return request | ({"format": formats[way.grammar]} if tools and way.grammar in formats else {})

    def _read(self, heard: Heard, tools: Sequence[ToolSpec], way: _Way) -> ModelTurn:
        text = without_thoughts(heard.content)
        if not heard.is_done:
            turn = ModelTurn(text="", complaint=self._complaint(way, nudge("babbled")))
        elif way.mode == "native":
            turn = native.read_turn(heard, text, tools)
        else:
            turn = constrained.read_turn(text, tools)
        return ModelTurn(
            text=storable(turn.text),
            tool_calls=tuple(
                structs.replace(call, name=storable(call.name), arguments=storable(call.arguments))
                for call in turn.tool_calls
            ),
            complaint=storable(turn.complaint),
            is_recovered=turn.is_recovered,
            is_cut=heard.done_reason == "length" and not turn.tool_calls,
            is_prompt_cut=heard.prompt_tokens in (self.window // 2 + 2, self.window // 2 + 3),
            prompt_tokens=heard.prompt_tokens,
            output_tokens=heard.output_tokens,
        )

    @staticmethod
    def _complaint(way: _Way, reason: str) -> str:
        return nudge("action_again" if way.mode == "constrained" else "call_again", reason=reason)

    def _learn(self, turn: ModelTurn, way: _Way) -> None:
        """Fall to a way that holds the model tighter, or to none where the server does not hold it at all."""
        with self._lock:
            self._malformed = self._malformed + 1 if _is_malformed(turn, way) else 0
            if self._malformed < _MALFORMED_BEFORE_FALL:
                return
            self._malformed = 0
            if way.mode == "constrained":
                self._grammar = "none"
                log.warning("the server does not hold the model to a schema; the prompt alone asks for it")
            elif self._asking.may_fall:
                self.mode = "constrained"
                log.warning("the model's calls are malformed; asking for action objects from now on", model=self.name)


def _is_malformed(turn: ModelTurn, way: _Way) -> bool:
    """Under a grammar only words that are no object at all show that nobody enforces it."""
    if way.mode == "native":
        return bool(turn.complaint) or turn.is_recovered
    is_object = turn.text.lstrip().startswith("{")
    return way.grammar != "none" and bool(turn.complaint and turn.text.strip()) and not (turn.is_cut or is_object)


def _result_of(turn: ModelTurn) -> str:
    if turn.complaint:
        return "malformed"
    if turn.tool_calls:
        return "called"
    return "cut" if turn.is_cut else "said"


def _cleaned(message: ChatMessage) -> ChatMessage:
    return structs.replace(message, content=cleaned(message.content))
