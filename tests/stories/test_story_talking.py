"""Stories of free conversation: small talk, progress, what is shown of an answer, and a talk that was interrupted."""

import pytest

from bot.store import messages
from tests.world.scripted_ollama import action
from tests.world.town import PYTHON, Story, Town


def stored(story: Story) -> list[messages.Message]:
    with story.town.parts.services.pool.connection() as connection:
        row = connection.execute("select id from conversations where project_id = %s", (story.project.id,)).fetchone()
        assert row is not None
        return messages.for_conversation(connection, row[0])


def test_small_talk_gets_a_sentence_and_no_tool_is_offered(story: Story) -> None:
    story.town.ollama.say("Hello! How can I help?")
    assert story.ask("@pipewright hello there!") == "Hello! How can I help?"
    (request,) = story.town.ollama.requests
    assert "format" not in request
    assert "generate_pipeline" not in str(request["messages"])
    assert story.project.merge_requests == []


def test_an_answer_says_folded_how_it_came_about(story: Story) -> None:
    story.town.ollama.say(action("read_file", path="pyproject.toml"), action("final", text="It needs Python 3.11."))
    answer = story.ask("@pipewright which python does it need?")
    assert answer.startswith("It needs Python 3.11.\n\n<details>")
    assert "`llama3.1:8b`, 2 turns" in answer
    assert "- read `pyproject.toml`" in answer


def test_one_note_is_edited_through_its_stages_and_the_order_is_marked(story: Story) -> None:
    issue = story.issue()
    order = story.comment(issue, "@pipewright which files are there?")
    story.town.ollama.say(action("list_files", folder=""), action("final", text="Three files."))
    story.settle()
    assert len(story.answers(issue)) == 1
    assert [award.name for award in order.awards] == ["eyes", "white_check_mark"]


def test_more_than_the_models_window_holds_is_never_sent(town: Town) -> None:
    lines = "".join(f"{number} a line of a file that is far too long for the model\n" for number in range(9_000))
    story = town.story({**PYTHON, "LONG.md": lines})
    town.ollama.say(
        action("read_file", path="LONG.md"),
        action("list_files", folder=""),
        action("read_file", path="pyproject.toml"),
        action("final", text="It is long."),
    )
    assert "It is long." in story.ask("@pipewright what does LONG.md say? " + "please " * 800)
    assert town.ollama.script == []
    assert town.ollama.refused == []


@pytest.mark.parametrize("words", ["@pipewright approve", "@pipewright is it red?"])
def test_an_order_that_came_to_nothing_is_marked_so(story: Story, words: str) -> None:
    issue = story.issue()
    story.town.ollama.say("", "", "", "")
    order = story.comment(issue, words, by=story.guest)
    story.settle()
    assert [award.name for award in order.awards] == ["eyes", "x"]


def test_the_model_cannot_talk_a_red_pipeline_green(story: Story) -> None:
    story.drafted()
    with story.world.lock:
        story.project.pipelines[-1].status = "failed"
    branch = story.request.source_branch
    story.town.ollama.say(action("check_pipeline_status", branch=branch), action("final", text="Your pipeline passed!"))
    answer = story.ask("@pipewright how is the pipeline of the draft doing?")
    assert "failed ❌" in answer
    assert "passed" not in answer


def test_a_talk_interrupted_in_a_tool_goes_on_where_it_stood(story: Story) -> None:
    """GitLab goes away while the second tool works: the model is not asked again for what it said before."""
    story.sandbox.fail("GET", f"/projects/{story.project.id}/repository/files/", 503, times=4)
    story.town.ollama.say(
        action("list_files", folder=""), action("read_file", path="pyproject.toml"), action("final", text="All read.")
    )
    assert "All read." in story.ask("@pipewright what does it need?")
    assert len(story.town.ollama.requests) == 3
    assert [row.role for row in stored(story)] == ["user", "assistant", "tool", "assistant", "tool", "assistant"]


def test_an_order_interrupted_while_it_opens_its_draft_opens_one(story: Story) -> None:
    """GitLab takes the commit and loses its answer so often that the order is tried again."""
    path = f"/projects/{story.project.id}/merge_requests$"
    story.sandbox.fail("POST", path, 502, after_effect=True)
    story.sandbox.fail("GET", path, 503, times=8)
    story.town.ollama.say(
        action("generate_pipeline"), action("commit_pipeline"), action("final", text="The draft is open.")
    )
    answer = story.ask("@pipewright please do what the project needs")
    assert "The draft is open." in answer
    assert "Here is the draft" in answer
    assert len(story.project.merge_requests) == 1
    assert len(story.town.ollama.requests) == 3
    assert len(story.project.pipelines) == 1


SWALLOWING = {
    "too long": "word " * 20_000,
    "an open fence": "I wrote:\n\n```yaml\ntest:\n  script: [pytest]",
    "an open fence in a list": "1. so\n2. ```yaml\n   test:",
    "an open fold": "<details><summary>More</summary>\n\nIt has one job.",
}


@pytest.mark.parametrize("what", SWALLOWING)
def test_no_words_of_the_model_swallow_the_draft_below_them(story: Story, what: str) -> None:
    story.town.ollama.say(
        action("generate_pipeline"), action("commit_pipeline"), action("final", text=SWALLOWING[what])
    )
    above, found, _ = story.ask("@pipewright please do what the project needs").partition("Here is the draft")
    assert found
    assert above.count("```") in (0, 2)
    assert above.count("<details>") == above.count("</details>")
