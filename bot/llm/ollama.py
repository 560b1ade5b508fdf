"""A model served by Ollama, in either way of asking for tools, on any of several hosts."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import ollama

from bot.domain import ChatMessage, ModelTurn, ToolCall, ToolSpec, UnreachableError
from bot.llm import constrained, native
from bot.llm.clean import cleaned, without_thoughts

NUM_CTX = 8192
_OPTIONS = {"num_ctx": NUM_CTX, "temperature": 0, "seed": 7, "num_predict": 1500}
_KEEP_ALIVE = "30m"
_COLD_LOAD_SECONDS = 300.0
_REST_SECONDS = 30.0

_FAULTS = (ollama.ResponseError, ollama.RequestError, httpx.HTTPError, ConnectionError, ValueError)
# Said under status 500, yet it is the model that babbled, not the host that failed.
_MODEL_BABBLED = ("parsing tool call", "invalid tool call arguments", "token repeat limit")


class OllamaModel:
    """Talks with one model. Options are the same in every call: another num_ctx would reload the model."""

    def __init__(
        self,
        urls: Sequence[str],
        model: str,
        *,
        mode: str,
        read_seconds: float = _COLD_LOAD_SECONDS,
        connect_seconds: float = 2.0,
    ) -> None:
        self.name = model
        self.mode = mode
        timeout = httpx.Timeout(30.0, connect=connect_seconds, read=read_seconds)
        # trust_env off: a proxy of the environment must never see the conversation.
        self._hosts = [_Host(url, ollama.Client(host=url, timeout=timeout, trust_env=False)) for url in urls]
        self._quick = httpx.Timeout(connect_seconds)

    def is_up(self) -> bool:
        """Tell whether any host has the model."""
        return any(host.has_model(self.name, self._quick) for host in self._hosts)

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> ModelTurn:
        """Return the next turn, from the first host that answers."""
        request = self._request([_cleaned(message) for message in messages], tools)
        started = time.monotonic()
        last: Exception | None = None
        for host in sorted(self._hosts, key=lambda host: host.rests_until > time.monotonic()):
            try:
                return self._read(host.ask(request), tools, started)
            except _FAULTS as error:
                if any(sign in str(error) for sign in _MODEL_BABBLED):
                    return ModelTurn(text="", tool_calls=(native.no_call(str(error)),))
                host.rests_until = time.monotonic() + _REST_SECONDS
                last = error
        raise UnreachableError("Ollama", self._why(last)) from last

    def _why(self, error: Exception | None) -> str:
        if isinstance(error, ollama.ResponseError) and error.status_code == 404 and error.error.startswith("model "):
            return f"it has no model {self.name!r}. Run: ollama pull {self.name}"
        return f"{type(error).__name__}: {str(error)[:200]}"

    def _request(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self.name,
            "options": _OPTIONS,
            "keep_alive": _KEEP_ALIVE,
            "think": False,
            "stream": False,
        }
        if self.mode == "native":
            return request | {"messages": native.to_wire(messages), "tools": native.tools_to_wire(tools)}
        request["messages"] = constrained.to_wire(messages, tools)
        return request | ({"format": constrained.schema_for(tools)} if tools else {})

    def _read(self, answer: ollama.ChatResponse, tools: Sequence[ToolSpec], started: float) -> ModelTurn:
        turn = self._turn(answer, tools)
        return ModelTurn(
            text=turn.text,
            tool_calls=turn.tool_calls,
            prompt_tokens=answer.prompt_eval_count or 0,
            output_tokens=answer.eval_count or 0,
            seconds=time.monotonic() - started,
        )

    def _turn(self, answer: ollama.ChatResponse, tools: Sequence[ToolSpec]) -> ModelTurn:
        text = without_thoughts(answer.message.content or "")
        if self.mode == "native":
            calls = tuple(
                ToolCall(name=call.function.name, arguments=dict(call.function.arguments))
                for call in answer.message.tool_calls or ()
            )
            return ModelTurn(text=text, tool_calls=calls or native.calls_in_text(text, tools))
        if not tools:
            return ModelTurn(text=text)
        try:
            return constrained.read_action(text, tools)
        except (ValueError, json.JSONDecodeError):
            # Not an action after all: the loop tells the model, for babble is data, not a fault of the host.
            return ModelTurn(text="", tool_calls=(native.no_call(text),))


class _Host:
    """One Ollama; after a fault it comes last for a while."""

    def __init__(self, url: str, client: ollama.Client) -> None:
        self.url = url
        self.client = client
        self.rests_until = 0.0

    def ask(self, request: Mapping[str, Any]) -> ollama.ChatResponse:
        """Return a whole answer; raises one of `_FAULTS`."""
        try:
            answer: ollama.ChatResponse = self.client.chat(**request)
        except AttributeError as error:  # the client trips over an error body that is JSON but no object
            raise ConnectionError("an error that is no object") from error
        if not answer.done or answer.done_reason == "load":
            raise ConnectionError("the answer was cut off")
        return answer

    def has_model(self, model: str, timeout: httpx.Timeout) -> bool:
        try:
            answer = httpx.get(f"{self.url}/api/tags", timeout=timeout, trust_env=False)
            names = {entry["name"].lower() for entry in answer.json()["models"]}
        except (httpx.HTTPError, ValueError, KeyError, TypeError):
            return False
        wanted = model.lower() if ":" in model else f"{model.lower()}:latest"
        return wanted in names


def _cleaned(message: ChatMessage) -> ChatMessage:
    return ChatMessage(
        role=message.role,
        content=cleaned(message.content),
        tool_calls=message.tool_calls,
        tool_name=message.tool_name,
    )
