"""The tool loop: what goes back to the model, and where it ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from msgspec import structs

from bot.agent.loop import Answer, Limits, Tool, run_agent
from bot.domain import ChatMessage, ModelTurn, ToolCall, ToolError, ToolSpec, UnreachableError
from bot.llm.chat import Watch

SYSTEM = ChatMessage(role="system", content="You are Pipewright.")
QUESTION = ChatMessage(role="user", content="Which files are there?")


@dataclass
class Script:
    """A model whose turns are written beforehand; the last one is said for ever. `heard` is what it was shown."""

    turns: list[ModelTurn]
    heard: list[list[ChatMessage]] = field(default_factory=list)
    offered: list[list[str]] = field(default_factory=list)

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], watch: Watch) -> ModelTurn:
        self.heard.append(list(messages))
        self.offered.append([tool.name for tool in tools])
        return self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]


def says(text: str) -> ModelTurn:
    return ModelTurn(text=text)


def calls(*wishes: tuple[str, dict[str, object]], text: str = "") -> ModelTurn:
    return ModelTurn(text=text, tool_calls=tuple(ToolCall(name=name, arguments=given) for name, given in wishes))


def lists(folder: object) -> ModelTurn:
    return calls(("list_files", {"folder": folder}))


def tool(act: Callable[[dict[str, object]], str], name: str = "list_files", argument: str = "folder") -> Tool:
    schema: dict[str, object] = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}
    return Tool(spec=ToolSpec(name=name, description="", parameters=schema), call=act)


LIST = {"list_files": tool(lambda given: f"a.py in {given['folder']}")}


@dataclass
class Ended:
    """A run of the loop: its answer, what was handed out, and what the model was shown last."""

    answer: Answer
    messages: list[ChatMessage]
    model: Script

    @property
    def brief(self) -> tuple[str, int, str | None]:
        return self.answer.text, self.answer.turns, self.answer.stopped_by

    @property
    def results(self) -> list[str]:
        return [message.content for message in self.messages if message.role == "tool"]


def run(*turns: ModelTurn, tools: dict[str, Tool] = LIST, limits: Limits = Limits()) -> Ended:  # noqa: B008
    model, handed_out = Script(list(turns)), list[ChatMessage]()
    return Ended(run_agent(model, [SYSTEM, QUESTION], tools, limits, handed_out.append), handed_out, model)


def test_an_answer_ends_the_loop() -> None:
    ended = run(says("Hello!"))
    assert ended.brief == ("Hello!", 1, None)
    assert ended.model.heard == [[SYSTEM, QUESTION]]


def test_a_result_goes_back_to_the_model_with_its_call() -> None:
    ended = run(lists("src"), says("One file."))
    assert ended.brief == ("One file.", 2, None)
    called, result = ended.model.heard[1][2:]
    assert (called.role, called.tool_calls[0].name) == ("assistant", "list_files")
    assert result == ChatMessage(role="tool", content="a.py in src", tool_name="list_files")
    assert [message.role for message in ended.messages] == ["assistant", "tool", "assistant"]


def test_several_calls_of_one_turn_are_answered_in_order() -> None:
    ended = run(calls(("list_files", {"folder": "a"}), ("list_files", {"folder": "b"})), says("Done."))
    assert ended.results == ["a.py in a", "a.py in b"]


def fails(_given: dict[str, object]) -> str:
    raise ToolError("there is nothing below 'src'")


WRONG = "That did not work: the arguments of list_files are wrong: "


@pytest.mark.parametrize(
    ("turn", "tools", "told"),
    [
        pytest.param(calls(("deploy", {})), LIST, "'deploy' is no tool. The tools are: list_files.", id="unknown"),
        pytest.param(calls(("", {"said": "…"})), LIST, "That was no call", id="no action at all"),
        pytest.param(calls(("list_files", {})), LIST, WRONG + "folder is missing", id="missing"),
        pytest.param(lists(7), LIST, WRONG + "folder must be of the type string, not 7", id="a number"),
        pytest.param(lists(None), LIST, WRONG + "folder is missing", id="null"),
        pytest.param(lists({"type": "string"}), LIST, WRONG + "folder must be of the type string", id="the schema"),
        pytest.param(
            lists("src"), {"list_files": tool(fails)}, "That did not work: there is nothing below 'src'", id="refused"
        ),
    ],
)
def test_what_went_wrong_is_told_to_the_model(turn: ModelTurn, tools: dict[str, Tool], told: str) -> None:
    ended = run(turn, says("Sorry."), tools=tools)
    assert ended.results[0].startswith(told)
    assert ended.brief == ("Sorry.", 2, None)


def test_only_what_is_legal_now_is_offered_and_carried_out() -> None:
    done: list[object] = []
    opens = replace(tool(lambda _: str(done.append("opened")), "open", "x"), is_legal=lambda: "listed" in done)
    lists_first = tool(lambda _: str(done.append("listed")))
    wish = calls(("open", {"x": "1"}))
    ended = run(
        wish,
        lists("src"),
        calls(("open", {"x": "2"})),
        says("Done."),
        tools={"open": opens, **{"list_files": lists_first}},
    )
    assert ended.results[0] == "'open' cannot be called now. The tools are: list_files. Or answer the person."
    assert done == ["listed", "opened"]
    assert ended.model.offered == [["list_files"], ["list_files"], ["open", "list_files"], ["open", "list_files"]]


def test_the_same_call_is_carried_out_once_then_corrected_then_ended() -> None:
    carried_out: list[object] = []
    ended = run(lists("src"), tools={"list_files": tool(lambda given: str(carried_out.append(given)))})
    assert ended.brief == ("", 3, "going in circles")
    assert carried_out == [{"folder": "src"}]
    assert "exactly this before" in ended.results[1]


def test_the_same_call_within_one_turn_is_carried_out_once() -> None:
    ended = run(calls(*[("list_files", {"folder": "a"})] * 3), says("Done."))
    assert ended.results[0] == "a.py in a"
    assert ended.answer.stopped_by == "going in circles"


def test_calls_that_lead_nowhere_end_after_the_turns_allowed() -> None:
    ended = run(*(lists(str(number)) for number in range(20)), limits=Limits(turns=4))
    assert ended.brief == ("", 4, "too many turns")
    assert len(ended.model.heard) == 4


def test_no_turn_begins_after_the_time_is_up() -> None:
    ended = run(says("Too late."), limits=Limits(seconds=-1))
    assert ended.brief == ("", 0, "out of time")
    assert ended.model.heard == []


def test_a_model_that_says_nothing_is_asked_once_more() -> None:
    ended = run(lists("src"), says(" \n"), says("One file."))
    assert ended.brief == ("One file.", 3, None)
    assert "You said nothing" in ended.model.heard[2][-1].content
    assert ended.model.offered[2] == [], "without tools it has nothing to do but answer"


def test_a_model_that_stays_silent_is_left_alone() -> None:
    ended = run(says(""))
    assert ended.brief == ("", 2, "silent")


def test_a_part_that_does_not_answer_ends_the_loop_for_that_is_not_the_models_fault() -> None:
    def silent(_given: dict[str, object]) -> str:
        raise UnreachableError("GitLab", "502")

    with pytest.raises(UnreachableError):
        run(lists("src"), says("Hm."), tools={"list_files": tool(silent)})


def test_a_long_result_is_cut_visibly() -> None:
    ended = run(lists("src"), says("Long."), tools={"list_files": tool(lambda _: "x" * 100_000)})
    (result,) = ended.results
    assert "characters cut" in result
    assert len(result) < 13_000


# --- a text that is no call, limits, and an answer without the model ---


def babbles(text: str = "blah") -> ModelTurn:
    return ModelTurn(text=text, complaint="That was no action.")


def test_babble_goes_back_with_a_complaint_twice_and_then_it_is_over() -> None:
    ended = run(babbles("one"), babbles("two"), says("Sorry."))
    assert ended.brief == ("Sorry.", 3, None)
    assert [message.content for message in ended.model.heard[1][2:]] == ["", "That was no action."]
    assert ended.model.heard[1][2].tool_calls == (ToolCall(name="", arguments={"said": "one"}),)
    assert run(babbles()).brief == ("", 3, "babbling")


def test_babble_between_good_turns_is_forgiven() -> None:
    turns = [babbles(), lists("a"), babbles(), lists("b"), babbles(), lists("c"), says("Done.")]
    assert run(*turns).brief == ("Done.", 7, None)


def test_what_is_known_is_handed_out_when_the_model_ends_nowhere() -> None:
    ended = run(lists("src"))
    assert (ended.answer.text, ended.answer.known) == ("", "a.py in src")


def test_all_turns_together_have_a_limit_in_tokens() -> None:
    costly = (structs.replace(lists(str(number)), prompt_tokens=4_000, output_tokens=1_000) for number in range(9))
    assert run(*costly, limits=Limits(tokens=12_000)).brief == ("", 3, "too many tokens")


def test_whoever_does_not_want_the_answer_any_more_gets_none() -> None:
    model = Script([lists("a")])
    watch = Watch(is_stopped=lambda: bool(model.heard))
    assert (
        run_agent(Stopping(model), [SYSTEM, QUESTION], LIST, Limits(), lambda _: None, watch=watch).stopped_by
        == "stopped"
    )


@dataclass
class Stopping:
    """A model that looks whether it is still wanted, as the real one does."""

    model: Script

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec], watch: Watch) -> ModelTurn:
        watch.check()
        return self.model.chat(messages, tools, watch)


# --- an effect ---


@dataclass
class Acting:
    """A tool that changes something; `done` is what it did."""

    done: list[object] = field(default_factory=list)

    def tools(self) -> dict[str, Tool]:
        def act(given: dict[str, object]) -> str:
            self.done.append(given["x"])
            return f"changed {given['x']}"

        return {**LIST, "change": replace(tool(act, "change", "x"), has_effect=True)}


def test_one_turn_changes_one_thing_and_what_was_read_before_may_be_read_again() -> None:
    acting = Acting()
    both = calls(("change", {"x": "1"}), ("change", {"x": "2"}))
    ended = run(lists("src"), both, lists("src"), says("Done."), tools=acting.tools())
    assert acting.done == ["1"]
    assert ended.results == [
        "a.py in src",
        "changed 1",
        "Not carried out, for only one change is made in a turn. Ask again if it is still wanted.",
        "a.py in src",
    ]


def test_a_change_written_as_text_is_not_made_until_it_is_called_properly() -> None:
    acting = Acting()
    wish = calls(("change", {"x": "1"}))
    ended = run(structs.replace(wish, is_recovered=True), wish, says("Done."), tools=acting.tools())
    assert acting.done == ["1"]
    assert "must be a proper call" in ended.results[0]
    assert ended.results[1] == "changed 1"


# --- an interrupted run ---


def test_an_interrupted_run_is_taken_up_at_every_point_and_nothing_is_done_twice() -> None:
    def script() -> list[ModelTurn]:
        return [lists("src"), calls(("change", {"x": "1"})), babbles(), lists("b"), says("Done.")]

    whole = run(*script(), tools=Acting().tools())
    for cut in range(len(whole.messages) + 1):
        earlier = whole.messages[:cut]
        acting, handed_out = Acting(), list[ChatMessage]()
        turns_taken = sum(message.role == "assistant" for message in earlier)
        model = Script(script()[turns_taken:] or [says("never asked")])
        answer = run_agent(model, [SYSTEM, QUESTION], acting.tools(), Limits(), handed_out.append, earlier=earlier)
        assert (answer.text, answer.turns) == ("Done.", 5)
        told = earlier + handed_out
        assert [one.role for one in told] == [one.role for one in whole.messages]
        assert [one for one in told if one.tool_name != ""] == [one for one in whole.messages if one.tool_name != ""]
        assert acting.done == ([] if any(one.content == "changed 1" for one in earlier) else ["1"])


def test_limits_count_what_an_earlier_try_used() -> None:
    whole = run(*(lists(str(number)) for number in range(9)), limits=Limits(turns=4))
    again = run_agent(
        Script([lists("x")]), [SYSTEM, QUESTION], LIST, Limits(turns=4), lambda _: None, earlier=whole.messages
    )
    assert (again.turns, again.stopped_by) == (4, "too many turns")
