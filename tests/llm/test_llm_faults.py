"""What the client makes of an Ollama that refuses, is cut off or falls silent, and of several hosts."""

import json
import socket

import pytest

from bot.domain import UnreachableError
from bot.llm.ollama import OllamaModel
from tests.llm.talk import HELLO, SYSTEM, TOOLS
from tests.world.scripted_ollama import MODEL, ScriptedOllama, Wire
from tests.world.wire import HUNG_UP, SILENT, WireServer
from tests.world.wire import Wire as Bytes

OTHER = "qwen3:8b"


def model(*urls: str, name: str = MODEL, read_seconds: float = 10.0) -> OllamaModel:
    return OllamaModel(urls, name, mode="native", read_seconds=read_seconds, connect_seconds=5.0)


def failing(one: OllamaModel) -> str:
    with pytest.raises(UnreachableError) as silent:
        one.chat([SYSTEM, HELLO], TOOLS)
    assert (silent.value.part, silent.value.effect_possible) == ("Ollama", False)
    return str(silent.value)


def answer(content: str, **changes: object) -> str:
    known = {"model": MODEL, "created_at": "2026-08-21T18:48:22Z", "done": True, "done_reason": "stop"}
    return json.dumps(known | {"message": {"role": "assistant", "content": content}} | changes)


def test_a_model_that_is_not_there_is_told_with_the_command_that_fetches_it(ollama: ScriptedOllama) -> None:
    assert "ollama pull gemma3:4b" in failing(model(ollama.url, name="gemma3:4b"))


FAULTS = [
    pytest.param(Bytes(500, '{"error":"model runner has unexpectedly stopped"}'), "unexpectedly stopped", id="500"),
    pytest.param(Bytes(503, '{"error":"server busy, please try again."}'), "server busy", id="503"),
    pytest.param(Bytes(400, '{"error":"\\"x\\" does not support chat"}'), "does not support chat", id="400"),
    pytest.param(Bytes(403, ""), "ResponseError", id="403 without a word"),
    pytest.param(Bytes(404, "404 page not found"), "page not found", id="another server"),
    pytest.param(Bytes(502, "502"), "no object", id="a bare number as error"),
    pytest.param(Bytes(502, "null"), "no object", id="null as error"),
    pytest.param(Bytes(200, "<html>sign in</html>"), "JSONDecodeError", id="a web page"),
    pytest.param(Bytes(200, '{"error":"x"}'), "ValidationError", id="an error under 200"),
    pytest.param(Bytes(200, answer("Hel", done=False)), "cut off", id="an answer that did not end"),
    pytest.param(Bytes(200, answer("", done_reason="load")), "cut off", id="a load without an answer"),
    pytest.param(Bytes(200, answer("Hello"), sent=30), "RemoteProtocolError", id="a body cut off"),
    pytest.param(Bytes(307, "", {"Location": "/api/chat"}), "TooManyRedirects", id="a loop of redirects"),
    pytest.param(HUNG_UP, "RemoteProtocolError", id="the connection dropped"),
]


@pytest.mark.parametrize(("wire", "words"), FAULTS)
def test_a_fault_is_silence_with_its_reason(wires: WireServer, wire: Bytes, words: str) -> None:
    wires.script = [wire]
    assert words in failing(model(wires.url))


def test_a_model_that_takes_too_long_is_silence(wires: WireServer) -> None:
    wires.script = [SILENT]
    assert "ReadTimeout" in failing(model(wires.url, read_seconds=0.2))


def test_where_nobody_listens_is_silence_and_not_up() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        one = model(f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert "ConnectionError" in failing(one)
        assert not one.is_up()


@pytest.mark.parametrize(
    "error",
    [
        "error parsing tool call: raw='{\"a\"}]', err=invalid character ']' after top-level value",
        'llama-server returned invalid tool call arguments for "read_file": unexpected end of JSON input',
        "prediction aborted, token repeat limit reached",
    ],
)
def test_babble_that_ollama_cannot_read_is_the_models_fault_not_the_hosts(ollama: ScriptedOllama, error: str) -> None:
    ollama.say(Wire(500, json.dumps({"error": error})))
    (called,) = model(ollama.url).chat([SYSTEM, HELLO], TOOLS).tool_calls
    assert called.name == ""
    assert error[:20] in str(called.arguments["said"])


def test_the_next_host_answers_and_the_failed_one_rests(ollama: ScriptedOllama, wires: WireServer) -> None:
    wires.script = [Bytes(500, '{"error":"out of memory"}')]
    ollama.say("Hi.", "Hi again.")
    both = model(wires.url, ollama.url)
    assert both.chat([SYSTEM, HELLO], TOOLS).text == "Hi."
    assert both.chat([SYSTEM, HELLO], TOOLS).text == "Hi again."
    assert len(wires.asked) == 1


def test_a_rested_host_is_asked_when_no_other_answers(ollama: ScriptedOllama, wires: WireServer) -> None:
    wires.script = [Bytes(500, '{"error":"out of memory"}')]
    both = model(wires.url, ollama.url)
    ollama.say(Wire(500, '{"error":"also ill"}'), "Well again.")
    assert "also ill" in failing(both)
    assert both.chat([SYSTEM, HELLO], TOOLS).text == "Well again."


@pytest.mark.parametrize(
    ("name", "is_up"),
    [("llama3.1:8b", True), ("LLAMA3.1:8b", True), ("llama3.1", False), ("qwen3:8b", True), ("gemma3:4b", False)],
)
def test_up_means_that_a_host_has_the_model(ollama: ScriptedOllama, name: str, is_up: bool) -> None:
    assert model(ollama.url, name=name).is_up() is is_up


@pytest.mark.parametrize("body", ["", "[]", '{"models":null}', '{"models":[{}]}', "<html></html>"])
def test_another_server_is_not_up(wires: WireServer, body: str) -> None:
    wires.script = [Bytes(200, body)]
    assert not model(wires.url).is_up()
