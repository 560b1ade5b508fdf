"""The tool loop: what goes back to the model, and where it ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import pytest

from bot.agent.loop import Answer, Limits, Tool, run_agent, trimmed
from bot.domain import ChatMessage, ModelTurn, ToolCall, ToolError, ToolSpec, UnreachableError

SYSTEM = ChatMessage(role="system", content="You are Pipewright.")
QUESTION = ChatMessage(role="user", content="Which files are there?")


@dataclass
class Script:
    """A model whose turns are written beforehand; the last one is said for ever. `heard` is what it was shown."""

    turns: list[ModelTurn]
    heard: list[list[ChatMessage]] = field(default_factory=list)
    offered: list[list[str]] = field(default_factory=list)

    def chat(self, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec]) -> ModelTurn:
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
    def results(self) -> list[str]:
        return [message.content for message in self.messages if message.role == "tool"]


def run(*turns: ModelTurn, tools: dict[str, Tool] = LIST, limits: Limits = Limits()) -> Ended:  # noqa: B008
    model, handed_out = Script(list(turns)), list[ChatMessage]()
    return Ended(run_agent(model, [SYSTEM, QUESTION], tools, limits, handed_out.append), handed_out, model)


def test_an_answer_ends_the_loop() -> None:
    ended = run(says("Hello!"))
    assert ended.answer == Answer(text="Hello!", turns=1)
    assert ended.model.heard == [[SYSTEM, QUESTION]]


def test_a_result_goes_back_to_the_model_with_its_call() -> None:
    ended = run(lists("src"), says("One file."))
    assert ended.answer == Answer(text="One file.", turns=2)
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
        pytest.param(calls(("", {"said": "…"})), LIST, "'' is no tool", id="no action at all"),
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
    assert ended.answer == Answer(text="Sorry.", turns=2)


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
    assert ended.answer == Answer(text="", turns=3, stopped_by="going in circles")
    assert carried_out == [{"folder": "src"}]
    assert "exactly this before" in ended.results[1]


def test_the_same_call_within_one_turn_is_carried_out_once() -> None:
    ended = run(calls(*[("list_files", {"folder": "a"})] * 3), says("Done."))
    assert ended.results[0] == "a.py in a"
    assert ended.answer.stopped_by == "going in circles"


def test_calls_that_lead_nowhere_end_after_the_turns_allowed() -> None:
    ended = run(*(lists(str(number)) for number in range(20)), limits=Limits(turns=4))
    assert ended.answer == Answer(text="", turns=4, stopped_by="too many turns")
    assert len(ended.model.heard) == 4


def test_no_turn_begins_after_the_time_is_up() -> None:
    ended = run(says("Too late."), limits=Limits(seconds=-1))
    assert ended.answer == Answer(text="", turns=0, stopped_by="out of time")
    assert ended.model.heard == []


def test_a_model_that_says_nothing_is_asked_once_more() -> None:
    ended = run(lists("src"), says(" \n"), says("One file."))
    assert ended.answer == Answer(text="One file.", turns=3)
    assert "You said nothing" in ended.model.heard[2][-1].content


def test_a_model_that_stays_silent_is_left_alone() -> None:
    ended = run(says(""))
    assert ended.answer == Answer(text="", turns=2, stopped_by="silent")


def test_a_part_that_does_not_answer_ends_the_loop_for_that_is_not_the_models_fault() -> None:
    def silent(_given: dict[str, object]) -> str:
        raise UnreachableError("GitLab", "502")

    with pytest.raises(UnreachableError):
        run(lists("src"), says("Hm."), tools={"list_files": tool(silent)})


def test_a_long_result_is_cut_visibly() -> None:
    ended = run(lists("src"), says("Long."), tools={"list_files": tool(lambda _: "x" * 100_000)})
    (result,) = ended.results
    assert result.endswith("(cut)")
    assert len(result) < 7_000


# --- the model's window ---


def user(content: str) -> ChatMessage:
    return ChatMessage(role="user", content=content)


def told(content: str) -> ChatMessage:
    return ChatMessage(role="tool", content=content, tool_name="list_files")


def test_what_fits_is_shown_whole() -> None:
    talk = [SYSTEM, user("a"), QUESTION, told("b")]
    assert trimmed(talk) == talk


def test_the_oldest_is_left_out_first_and_said_so() -> None:
    talk = [SYSTEM, user("old" * 3_000), user("newer" * 2_000), QUESTION, told("x" * 6_000)]
    system, mark, *rest = trimmed(talk)
    assert system == SYSTEM
    assert mark.content == "(1 earlier messages are left out here)"
    assert rest == talk[2:]


def test_the_question_outlives_the_results() -> None:
    results = [told(str(number) * 6_000) for number in range(6)]
    shown = trimmed([SYSTEM, user("before"), QUESTION, *results])
    assert QUESTION in shown
    assert shown[-1] == results[-1]
    assert results[0] not in shown
    assert user("before") not in shown


def test_a_question_of_a_megabyte_is_cut_and_stays_within_the_window() -> None:
    model = Script([lists("a"), lists("b"), lists("c"), says("Done.")])
    big = {"list_files": tool(lambda _: "y" * 100_000)}
    run_agent(model, [SYSTEM, user("x" * 1_000_000)], big, Limits(), lambda _: None)
    for heard in model.heard:
        assert sum(len(message.content) for message in heard) < 24_000
        assert any(message.content.startswith("xxx") for message in heard)


def test_the_models_silence_does_not_push_the_question_out() -> None:
    model = Script([lists("a"), lists("b"), says(""), says("Done.")])
    big = {"list_files": tool(lambda _: "y" * 100_000)}
    run_agent(model, [SYSTEM, user("x" * 9_000)], big, Limits(), lambda _: None)
    assert any(message.content.startswith("xxx") for message in model.heard[-1])
