"""What a listener hears of an answer while it is written, and what it never hears."""

import json

import pytest

from bot.llm.chat import Watch
from bot.llm.ollama import Asking, OllamaModel
from bot.llm.partial import SpokenPart
from tests.llm.talk import HELLO, SYSTEM, TOOLS
from tests.world.scripted_ollama import MODEL, C, F, ScriptedOllama, Stream, action

WORDS = 'Grüße: "so" \\ und\nweiter 😀 – 你好'


@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_words_for_the_person_come_out_of_an_action_as_it_is_written(ascii_only: bool) -> None:
    written = json.dumps(
        {"a_reason": 'say "text": "no"', "action": "final", "branch": "", "text": WORDS}, ensure_ascii=ascii_only
    )
    spoken = SpokenPart()
    parts = [spoken.more(written[:length]) for length in range(len(written) + 1)]
    assert "".join(parts) == WORDS
    assert sum(bool(part) for part in parts) > 20, "they come as they are written, not at the end"


def test_other_actions_say_nothing() -> None:
    spoken = SpokenPart()
    assert spoken.more(json.dumps({"a_reason": "x", "action": "read_file", "path": "a", "text": "hidden"})) == ""


@pytest.mark.parametrize("mode", ["native", "constrained"])
def test_an_answer_without_tools_is_heard_piece_by_piece(ollama: ScriptedOllama, mode: str) -> None:
    heard: list[str] = []
    ollama.say(Stream([C("One "), C("two."), F()]))
    model = OllamaModel([ollama.url], MODEL, Asking(mode="native" if mode == "native" else "constrained"))
    assert model.chat([SYSTEM, HELLO], (), Watch(on_text=heard.append)).text == "One two."
    assert heard == ["One ", "two."]


def test_of_an_action_only_the_answer_is_heard(ollama: ScriptedOllama) -> None:
    heard: list[str] = []
    written = action("final", text="One two three four five.")
    ollama.say(Stream([*(C(written[at : at + 5]) for at in range(0, len(written), 5)), F()]))
    model = OllamaModel([ollama.url], MODEL, Asking(mode="constrained"))
    assert model.chat([SYSTEM, HELLO], TOOLS, Watch(on_text=heard.append)).text == "".join(heard)
    assert len(heard) > 1


def test_of_a_native_turn_with_tools_nothing_is_heard_for_it_may_be_a_call(ollama: ScriptedOllama) -> None:
    heard: list[str] = []
    ollama.say('{"name": "generate_pipeline", "parameters": {}}')
    OllamaModel([ollama.url], MODEL, Asking(mode="native")).chat([SYSTEM, HELLO], TOOLS, Watch(on_text=heard.append))
    assert heard == []
