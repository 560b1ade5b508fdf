"""The model's window: what fits is shown whole, what does not is cut visibly, the person's words never go."""

from hypothesis import given
from hypothesis import strategies as st

from bot.agent.budget import budget_for, fitted_talk, size, split_of, tokens
from bot.domain import ChatMessage, ToolCall

SYSTEM = ChatMessage(role="system", content="You are Pipewright.")
QUESTION = ChatMessage(role="user", content="Which files are there?")
BUDGET = budget_for(8192)


def user(content: str) -> ChatMessage:
    return ChatMessage(role="user", content=content)


def told(content: str) -> ChatMessage:
    return ChatMessage(role="tool", content=content, tool_name="list_files")


def called(number: int = 0) -> ChatMessage:
    call = ToolCall(name="list_files", arguments={"folder": str(number)})
    return ChatMessage(role="assistant", content="", tool_calls=(call,))


def test_what_fits_is_shown_whole() -> None:
    talk = [SYSTEM, user("a"), QUESTION, called(), told("b")]
    assert fitted_talk(talk, 2, (), BUDGET) == talk


def test_the_oldest_talk_is_left_out_first_and_said_so() -> None:
    talk = [SYSTEM, user("old " * 1_500), user("newer " * 500), QUESTION, called(), told("x" * 3_000)]
    system, mark, *rest = fitted_talk(talk, 3, (), BUDGET)
    assert system == SYSTEM
    assert mark.content.startswith("(1 earlier messages are left out here")
    assert rest == talk[2:]


def test_the_question_outlives_the_results_and_old_results_shrink_before_they_go() -> None:
    results = [one for number in range(6) for one in (called(number), told(str(number) * 5_000))]
    shown = fitted_talk([SYSTEM, user("before"), QUESTION, *results], 2, (), BUDGET)
    assert QUESTION in shown
    assert shown[-1] == results[-1]
    assert "characters cut" in shown[shown.index(called(0)) + 1].content
    assert sum(map(size, shown)) <= BUDGET.prompt


def test_a_question_of_a_megabyte_keeps_its_beginning_and_its_end() -> None:
    shown = fitted_talk([SYSTEM, user("begin " + "x" * 1_000_000 + " end")], 1, (), BUDGET)
    assert shown[1].content.startswith("begin")
    assert shown[1].content.endswith("end")
    assert "characters cut" in shown[1].content


def test_words_that_are_not_ascii_cost_more() -> None:
    assert tokens("你好" * 100) > tokens("ab" * 100)


_TEXTS = st.text(max_size=40).map(lambda text: text * 200)
_MESSAGES = st.lists(st.builds(user, _TEXTS) | st.builds(told, _TEXTS) | st.just(called()), max_size=12)


@given(
    before=st.lists(st.builds(user, _TEXTS), max_size=8),
    after=_MESSAGES,
    question=_TEXTS,
    window=st.sampled_from([4096, 8192, 32768]),
)
def test_every_talk_fits_its_window_and_keeps_its_question(
    before: list[ChatMessage], after: list[ChatMessage], question: str, window: int
) -> None:
    budget = budget_for(window)
    shown = fitted_talk([SYSTEM, *before, user("Q" + question), *after], len(before) + 1, (), budget)
    assert sum(map(size, shown)) <= budget.prompt + 2 * 30
    assert shown[0] == SYSTEM
    assert sum(one.content.startswith("Q") and not one.is_nudge for one in shown) >= 1


def test_a_prompt_is_told_by_its_parts() -> None:
    split = split_of([SYSTEM, user("before"), QUESTION, called(), told("b" * 350)], ())
    assert (split.instructions > 0, split.history > 0, split.question > 0) == (True, True, True)
    assert split.results > 100
    assert split.total == split.instructions + split.history + split.question + split.results
