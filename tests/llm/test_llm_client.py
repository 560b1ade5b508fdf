"""The client of the model on cassettes: a talk in both ways, and what it asks before one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from vcr.cassette import Cassette

from bot.domain import ToolCall, UnreachableError
from bot.llm.ollama import Asking, OllamaModel
from tests.llm.talk import ASKED, HELLO, SYSTEM, TOLD, TOOLS, URL
from tests.world.cassettes import IS_RECORDING, cassette, sent
from tests.world.scripted_ollama import MODEL, ScriptedOllama, action

SHOWN = "http://ollama.example.test:11434"
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"function": {"name": "generate_pipeline", "arguments": {"repo_url": URL}}}],
}
TALKS: dict[str, list[str | dict[str, Any]]] = {
    "native": [CALL, "The draft is on its way."],
    "constrained": [
        action("generate_pipeline", repo_url=URL, branch=""),
        action("final", text="The draft is on its way."),
    ],
}


@dataclass
class Recorded:
    """A way to open a model, and its cassette."""

    open: Callable[[str], OllamaModel]
    tape: Cassette

    def calls(self) -> list[tuple[str, str, Any]]:
        return sent(self.tape, below=SHOWN)


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> Iterator[Recorded]:
    """The model on the cassette named like the test."""
    name = request.node.name.removeprefix("test_")
    script = next((talk for mode, talk in TALKS.items() if mode in name), [])
    ollama = ScriptedOllama(script=list(script)).start() if IS_RECORDING else None
    real = ollama.url if ollama else SHOWN
    with cassette(f"ollama/{name}", real=real, shown=SHOWN) as tape:
        yield Recorded(lambda mode: OllamaModel([real], MODEL, Asking(mode=mode)), tape)
    if ollama:
        ollama.stop()


def talk(model: OllamaModel) -> tuple[tuple[ToolCall, ...], str]:
    asked = model.chat([SYSTEM, HELLO], TOOLS)
    return asked.tool_calls, model.chat([SYSTEM, HELLO, ASKED, TOLD], TOOLS).text


WISHED = (ToolCall(name="generate_pipeline", arguments={"repo_url": URL}),)


def test_a_native_talk(recorded: Recorded) -> None:
    assert talk(recorded.open("native")) == (WISHED, "The draft is on its way.")
    assert [(method, path) for method, path, _ in recorded.calls()] == [("POST", "/api/chat")] * 2
    assert all(body["tools"] and "format" not in body for _, _, body in recorded.calls())


def test_a_constrained_talk(recorded: Recorded) -> None:
    assert talk(recorded.open("constrained")) == (WISHED, "The draft is on its way.")
    assert [(method, path) for method, path, _ in recorded.calls()] == [("POST", "/api/chat")] * 2
    assert all(body["format"] and "tools" not in body for _, _, body in recorded.calls())


def test_a_model_is_looked_for_in_the_list_of_its_host(recorded: Recorded) -> None:
    assert recorded.open("native").is_up()
    assert recorded.calls() == [("GET", "/api/tags", None)]


def test_a_missing_model_is_named(recorded: Recorded) -> None:
    missing = recorded.open("native")
    missing.name = "gemma3:4b"
    with pytest.raises(UnreachableError, match="ollama pull gemma3:4b"):
        missing.chat([SYSTEM, HELLO], TOOLS)
