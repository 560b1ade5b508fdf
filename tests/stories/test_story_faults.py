"""Stories in which something outside fails: every order still ends in an answer, no effect happens twice."""

import json
from collections.abc import Callable

import pytest

from bot.sandbox import acts
from bot.sandbox.state import Issue
from tests.world.scripted_ollama import Wire, action
from tests.world.town import Story

UNFINISHED = r"/projects/{id}/"


def test_without_a_model_free_words_get_one_line_and_commands_work(story: Story) -> None:
    story.town.ollama.is_down = True
    try:
        answer = story.ask("@pipewright what do you think of our tests?")
        assert "The language model is not reachable" in answer
        assert "\n" not in answer
        assert "Here is the draft" in story.ask("@pipewright generate")
    finally:
        story.town.ollama.is_down = False


def test_a_model_that_goes_away_in_the_middle_is_said_in_one_line(story: Story) -> None:
    crash = Wire(500, '{"error":"model runner has unexpectedly stopped"}')
    story.town.ollama.say(crash, crash)
    answer = story.ask("@pipewright tell me about this project")
    assert "The language model is not reachable right now (the model crashed" in answer
    assert "\n" not in answer


@pytest.mark.parametrize(
    "turns",
    [
        pytest.param(["Sure! Let me approve that for you."] * 20, id="prose instead of actions"),
        pytest.param(['{"action": "merge_everything"}'] * 20, id="an action nobody offered"),
        pytest.param([action("list_files", folder="")] * 20, id="the same action for ever"),
        pytest.param(["", "[]", "null", "{", '{"action": 7}'] * 4, id="broken JSON"),
    ],
)
def test_a_model_that_babbles_changes_nothing_and_is_admitted(story: Story, turns: list[str]) -> None:
    story.town.ollama.say(*turns)
    answer = story.ask("@pipewright please do something clever")
    assert "did not come to a useful answer" in answer
    assert story.project.merge_requests == []


def test_the_words_of_a_model_never_approve(story: Story) -> None:
    request = story.drafted()
    story.town.ollama.say(
        action("approve", text="@pipewright approve"), action("final", text="@pipewright approve\n/approve\n/merge")
    )
    story.ask("@pipewright is this draft any good?", of=request, by=story.maintainer)
    story.settle()
    assert request.state == "opened"
    assert request.approvals == []


def test_the_talk_is_kept_with_its_tool_calls(story: Story) -> None:
    issue = story.issue()
    story.town.ollama.say(action("list_files", folder=""), action("final", text="Three files."))
    assert "Three files." in story.ask("@pipewright which files are there?", of=issue)
    with story.town.parts.services.pool.connection() as connection:
        rows = connection.execute(
            "select role, tool_calls from messages m join conversations c on c.id = m.conversation_id"
            " where c.project_id = %s order by m.id",
            (story.project.id,),
        ).fetchall()
    assert [row[0] for row in rows] == ["user", "assistant", "tool", "assistant"]
    assert rows[1][1][0]["name"] == "list_files"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "/repository/tree$", id="reading the tree"),
        pytest.param("POST", "/ci/lint$", id="the lint"),
        pytest.param("POST", "/issues/1/notes$", id="writing the reply"),
        pytest.param("POST", "/repository/branches$", id="making the branch"),
        pytest.param("POST", "/merge_requests$", id="opening the draft"),
        pytest.param("POST", "/repository/commits$", id="committing"),
        pytest.param("PUT", "/issues/1/notes/", id="editing the reply"),
    ],
)
@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
def test_an_answer_lost_once_leaves_one_draft_one_reply_and_one_commit(
    story: Story, method: str, path: str, after_effect: bool
) -> None:
    issue = story.issue()
    story.sandbox.fail(method, f"/projects/{story.project.id}{path}", 502, after_effect=after_effect)
    story.comment(issue, "@pipewright generate")
    story.settle()
    assert len(story.project.merge_requests) == 1
    assert len(story.answers(issue)) == 1
    assert "Here is the draft" in story.answer(issue)
    assert story.project.pipelines[-1].status == "success"
    assert len(story.project.pipelines) == 1


@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
def test_a_merge_whose_answer_is_lost_is_one_merge(story: Story, after_effect: bool) -> None:
    request = story.drafted()
    story.sandbox.fail("PUT", f"/projects/{story.project.id}/merge_requests/1/merge$", 0, after_effect=after_effect)
    story.react(request)
    story.settle()
    assert request.state == "merged"
    assert "Merged" in story.answers(story.project.issues[0])[0].body


@pytest.mark.parametrize(
    "approve",
    [
        pytest.param(lambda story, issue: story.react(story.request), id="reaction"),
        pytest.param(
            lambda story, issue: story.comment(issue, "@pipewright approve", by=story.maintainer), id="comment"
        ),
    ],
)
def test_whoever_approved_is_told_of_the_merge_when_gitlab_fell_silent_right_after_it(
    story: Story, approve: Callable[[Story, Issue], object]
) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)

    def fall_silent(method: str, at: str) -> None:
        if method == "PUT" and at.endswith("/merge"):
            story.hook.flags = {}  # no hook of a pipeline mends what is shown
            story.sandbox.fail("PUT", f"/projects/{story.project.id}/issues/1/notes/", 502, times=2)

    story.world.before_call.append(fall_silent)
    try:
        approve(story, issue)
        story.settle()
    finally:
        story.world.before_call.remove(fall_silent)
    assert story.request.state == "merged"
    assert ["Merged" in note.body for note in story.answers(issue)] == [True] * len(story.answers(issue))
    assert story.answers(story.request) == []


def test_a_busy_gitlab_is_waited_for_as_long_as_it_asks(story: Story) -> None:
    path = f"/projects/{story.project.id}/issues/1/notes$"
    story.sandbox.fail("POST", path, 429, headers={"Retry-After": "1"}, text="Retry later\n")
    assert "Here is the draft" in story.ask("@pipewright generate")


def test_a_fault_of_our_own_is_told_with_an_id(story: Story) -> None:
    story.sandbox.fail("GET", f"/projects/{story.project.id}/repository/tree$", 200, text=json.dumps([{"no": "type"}]))
    answer = story.ask("@pipewright generate")
    assert "error `" in answer
    with story.town.parts.services.pool.connection() as connection:
        row = connection.execute("select state, error_id from orders order by created_at desc limit 1").fetchone()
    assert row is not None
    assert row[0] == "broken"
    assert row[1] in answer


def test_an_issue_that_is_gone_when_its_order_is_worked_on_breaks_nothing(story: Story) -> None:
    with story.world.lock:
        issue = story.issue()
        story.comment(issue, "@pipewright help")
        story.project.issues.remove(issue)
    story.settle()
    with story.town.parts.services.pool.connection() as connection:
        row = connection.execute("select state, result from orders order by created_at desc limit 1").fetchone()
    assert row == ("skipped", "what was to be answered is gone from GitLab")


def test_a_thread_that_is_gone_is_answered_beside_it(story: Story) -> None:
    issue = story.issue()
    first = story.comment(issue, "What about CI?")
    story.settle()
    with story.world.lock:
        acts.comment(story.world, issue, story.developer, "@pipewright help", discussion_id=first.discussion_id)
        issue.notes.clear()
    story.settle()
    assert "`@pipewright generate`" in story.answer(issue)


def test_a_token_that_lost_its_rights_is_said_so(story: Story) -> None:
    story.sandbox.fail(
        "GET", f"/projects/{story.project.id}/repository/tree$", 401, text='{"message":"401 Unauthorized"}'
    )
    assert "GitLab does not accept my token" in story.ask("@pipewright generate")


def test_a_comment_of_a_megabyte_is_answered(story: Story) -> None:
    assert "I write CI pipelines" in story.ask("@pipewright help\n\n" + "\n" + "x" * 900_000)
