"""Stories of running the draft's failed jobs again and of stopping its pipeline, and of when neither is to be done."""

import pytest

from bot.sandbox.state import Issue
from tests.world.town import Story


def drafted_in(story: Story) -> Issue:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    return issue


@pytest.mark.parametrize(
    ("word", "why"), [("retry", "no job of it failed or was stopped"), ("cancel", "it does not run any more")]
)
def test_of_a_green_pipeline_nothing_is_run_again_or_stopped_and_it_says_why(story: Story, word: str, why: str) -> None:
    issue = drafted_in(story)
    answer = story.ask(f"@pipewright {word}", of=issue)
    assert answer.startswith(f"I can't do that: {why}. The [pipeline](")
    assert answer.endswith("of the draft passed ✅.")
    assert [award.name for award in issue.notes[-2].awards] == ["eyes", "x"]
    assert story.project.pipelines[-1].status == "success"


@pytest.mark.parametrize("word", ["retry", "cancel"])
def test_of_a_rejected_draft_it_says_how_to_go_on(story: Story, word: str) -> None:
    issue = drafted_in(story)
    story.ask("@pipewright reject", of=issue)
    assert "The draft is rejected; `@pipewright generate` makes another" in story.ask(f"@pipewright {word}", of=issue)


@pytest.mark.parametrize("word", ["retry", "cancel"])
def test_of_a_merged_draft_it_names_the_pipeline_that_runs_since(story: Story, word: str) -> None:
    issue = drafted_in(story)
    story.ask("@pipewright approve", of=issue, by=story.maintainer)
    answer = story.ask(f"@pipewright {word}", of=issue, by=story.maintainer)
    assert "The draft is merged, and what runs since is yours" in answer
    assert answer.endswith("on `main` passed ✅.")


def test_a_running_pipeline_is_stopped_and_then_run_again(story: Story) -> None:
    issue = story.issue()
    with story.jobs_held():
        story.comment(issue, "@pipewright generate")
        story.until(lambda: bool(story.project.pipelines) and "Here is the draft" in story.answer(issue))
        story.comment(issue, "@pipewright cancel")
        story.until(lambda: "was cancelled" in story.answer(issue))
    story.settle()
    assert story.project.pipelines[-1].status == "canceled"
    assert "waits for a runner" in story.ask("@pipewright retry", of=issue)
    assert story.project.pipelines[-1].status == "success"


@pytest.mark.parametrize("word", ["retry", "cancel"])
def test_an_order_whose_answer_was_lost_says_how_the_pipeline_stands(story: Story, word: str) -> None:
    """The first try has done it when GitLab goes away; the second finds nothing left to do, and that is no refusal."""
    issue = drafted_in(story)
    run = story.project.pipelines[-1]
    with story.world.lock:
        run.status = run.jobs[0].status = "failed" if word == "retry" else "running"
    notes = f"/projects/{story.project.id}/issues/{issue.iid}/notes$"
    story.sandbox.fail("POST", notes, 503, times=1)
    answer = story.ask(f"@pipewright {word}", of=issue)
    assert answer.startswith("The [pipeline](")


def test_a_merged_draft_is_not_closed_but_taken_back_in_gitlab(story: Story) -> None:
    issue = drafted_in(story)
    story.ask("@pipewright approve", of=issue, by=story.maintainer)
    assert "the draft is merged already. *Revert*" in story.ask("@pipewright reject", of=issue, by=story.maintainer)
