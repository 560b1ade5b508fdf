"""Several hosts used in turn, and what is known of each: who answers next, who rests, who has the model."""

import threading

import pytest

from bot.domain import ChatMessage, UnreachableError
from bot.llm.chat import StoppedError, TooLongError, Watch
from bot.llm.host import Breaker, Timing
from bot.llm.ollama import Asking, OllamaModel
from tests.llm.talk import HELLO, SYSTEM
from tests.world.scripted_ollama import MODEL, C, E, F, ScriptedOllama, Stream
from tests.world.wire import HUNG_UP, WireServer
from tests.world.wire import Wire as Bytes


def model(*urls: str, name: str = MODEL) -> OllamaModel:
    timing = Timing(connect=5.0, first=20.0, gap=20.0)
    return OllamaModel(urls, name, Asking(mode="native"), timing=timing, sleep=lambda _: None)


def failing(one: OllamaModel) -> str:
    with pytest.raises(UnreachableError) as silent:
        one.chat([SYSTEM, HELLO], ())
    assert (silent.value.part, silent.value.effect_possible) == ("Ollama", False)
    return str(silent.value)


def test_the_next_host_answers_at_once_and_is_asked_again(ollama: ScriptedOllama, wires: WireServer) -> None:
    """The conversation stays where it is cached."""
    wires.script = [Bytes(500, '{"error":"something new"}')]
    ollama.say("Hi.", "Hi again.")
    both, watch = model(wires.url, ollama.url), Watch()
    assert both.chat([SYSTEM, HELLO], (), watch).text == "Hi."
    asked = len(wires.asked)
    assert both.chat([SYSTEM, HELLO], (), watch).text == "Hi again."
    assert (watch.host, len(wires.asked)) == (ollama.url, asked)


def test_a_host_without_the_model_is_passed_over(ollama: ScriptedOllama) -> None:
    other = ScriptedOllama(models=["something:else"]).start()
    ollama.say("Hi.", "Hi.", "Hi.")
    both = model(other.url, ollama.url)
    assert [both.chat([SYSTEM, HELLO], ()).text for _ in range(3)] == ["Hi."] * 3
    assert both.is_up()
    assert both.silent_hosts() == 1
    other.stop()


def test_a_host_that_dies_in_the_midst_of_its_answer_is_told_and_another_answers(ollama: ScriptedOllama) -> None:
    dying = ScriptedOllama(models=["llama3.1:8b"]).start()
    dying.say(Stream([C("It is"), C(" gre")], ends="reset"))
    ollama.say("It is green.", "It is green.")
    both = model(ollama.url, dying.url)
    assert both.silent_hosts() == 0
    assert both.chat([SYSTEM, HELLO], ()).text == "It is green."
    assert len(dying.requests) == 1
    dying.stop()
    assert (both.silent_hosts(), both.is_up()) == (1, True)
    assert both.chat([SYSTEM, HELLO], ()).text == "It is green."


def test_new_orders_take_turns_among_the_hosts(ollama: ScriptedOllama) -> None:
    other = ScriptedOllama(models=["llama3.1:8b"]).start()
    both = model(ollama.url, other.url)
    for _ in range(4):
        both.chat([SYSTEM, HELLO], ())
    assert (len(ollama.requests), len(other.requests)) == (2, 2)
    other.stop()


def test_two_orders_are_answered_at_once_on_two_hosts(ollama: ScriptedOllama) -> None:
    other = ScriptedOllama(models=["llama3.1:8b"]).start()
    slow = Stream([C("One."), 0.5, F()])
    ollama.say(slow)
    other.say(slow)
    both, waits = model(ollama.url, other.url), list[str]()
    asking = [
        threading.Thread(
            target=lambda: both.chat([SYSTEM, HELLO], (), Watch(on_waiting=lambda: waits.append("waited")))
        )
        for _ in range(2)
    ]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert (len(ollama.requests), len(other.requests), waits) == (1, 1, [])
    other.stop()


def test_a_host_that_failed_thrice_is_left_alone_while_it_does_not_answer(wires: WireServer) -> None:
    wires.script = [HUNG_UP]
    one = model(wires.url)
    for _ in range(2):
        failing(one)
    asked = len(wires.asked)
    assert "failed several times" in failing(one)
    assert [call.path for call in wires.asked[asked:]] == ["/api/version"], "only a quick look whether it is well"


def test_a_host_that_is_well_again_is_asked_again(ollama: ScriptedOllama) -> None:
    one = model(ollama.url)
    ollama.say(*[E(500, "ill")] * 4, "Well again.")
    for _ in range(2):
        failing(one)
    assert one.chat([SYSTEM, HELLO], ()).text == "Well again."


def test_the_breaker_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker(after=3)
    for _ in range(2):
        breaker.failed(for_good=False)
    breaker.worked()
    breaker.failed(for_good=False)
    assert not breaker.is_open
    breaker.failed(for_good=True)
    assert breaker.is_open


def test_whoever_hangs_up_in_the_middle_stops_the_generation(ollama: ScriptedOllama) -> None:
    heard: list[str] = []
    ollama.say(Stream([C("One, "), C("two, "), C("three.")], ends="silent"))
    with pytest.raises(StoppedError):
        model(ollama.url).chat([SYSTEM, HELLO], (), Watch(on_text=heard.append, is_stopped=lambda: bool(heard)))
    assert heard == ["One, "]


@pytest.mark.parametrize(
    ("name", "is_up"),
    [("llama3.1:8b", True), ("LLAMA3.1:8b", True), ("llama3.1", False), ("qwen3:8b", True), ("gemma3:4b", False)],
)
def test_up_means_that_a_host_has_the_model(ollama: ScriptedOllama, name: str, is_up: bool) -> None:
    assert model(ollama.url, name=name).is_up() is is_up


@pytest.mark.parametrize("body", ["", "[]", "7", '{"models":[{}]}', "<html></html>"])
def test_another_server_is_not_up(wires: WireServer, body: str) -> None:
    wires.script = [Bytes(200, body)]
    assert not model(wires.url).is_up()


def test_what_does_not_fit_into_the_window_is_refused_with_the_counts(ollama: ScriptedOllama) -> None:
    long = ChatMessage(role="user", content="word " * 8_000)
    with pytest.raises(TooLongError) as refused:
        model(ollama.url).chat([SYSTEM, long], ())
    assert (refused.value.tokens > 8192, refused.value.window) == (True, 8192)
    assert len(ollama.refused) == 1
