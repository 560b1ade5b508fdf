"""Stories of projects whose settings leave no room for a draft: told before anything is made."""

import pytest

from bot.sandbox import git_store
from bot.sandbox.faults import DeliveryFault
from tests.world.town import PYTHON, Story, Town


def nothing_was_made(story: Story) -> bool:
    return (git_store.branches(story.project.git_dir), story.project.merge_requests) == (["main"], [])


def test_a_pipeline_that_gitlab_reads_from_elsewhere_gets_no_file_that_never_runs(town: Town) -> None:
    story = town.story({**PYTHON, "ci/main.yml": "unit:\n  script: [make]\n"})
    story.project.ci_config_path = "ci/main.yml"
    answer = story.ask("@pipewright generate")
    assert "reads this project's pipeline from `ci/main.yml`" in answer
    assert nothing_was_made(story)


@pytest.mark.parametrize(
    ("what", "told"), [("builds", "CI/CD is switched off"), ("merge_requests", "merge requests are switched off")]
)
def test_what_a_draft_needs_and_is_switched_off_is_named(story: Story, what: str, told: str) -> None:
    story.project.off = (what,)  # type: ignore[assignment]
    answer = story.ask("@pipewright generate")
    assert told in answer
    assert "*Settings › General › Visibility" in answer
    assert nothing_was_made(story)


@pytest.mark.parametrize("words", ["status", "explain", "status main", "generate"])
def test_where_ci_is_switched_off_every_order_is_told_so(story: Story, words: str) -> None:
    story.project.off = ("builds",)
    answer = story.ask(f"@pipewright {words}")
    assert "CI/CD is switched off" in answer
    assert "scope `api`" not in answer, "the bot's role and token are fine"


@pytest.mark.parametrize("branch", ["a..b", "feature^", "x:y", "every*"])
def test_what_can_be_no_branch_is_told_like_one_that_is_not_there(story: Story, branch: str) -> None:
    assert "there is no branch" in story.ask(f'@pipewright status "{branch}"')


def test_where_pipelines_must_succeed_one_that_waits_for_a_hand_is_not_said_to_run(story: Story) -> None:
    story.project.only_merge_when_green = True
    request = story.drafted()
    story.project.pipelines[-1].status = "manual"
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert "its pipeline is still running." not in story.answer(request)
    assert "somebody has to start" in story.answer(request)


def test_after_a_fast_forward_only_the_target_branchs_own_pipeline_is_the_one_after_the_merge(story: Story) -> None:
    story.project.merge_method = "ff"
    request = story.drafted()
    issue = story.project.issues[0]
    with story.jobs_held():
        story.react(request)
        story.until(lambda: "Merged" in story.answers(issue)[0].body)
        asked = story.comment(issue, "@pipewright status")
        story.until(lambda: bool(asked.awards) and asked.awards[-1].name == "white_check_mark")
        assert "on `main` passed" not in story.answer(issue)
        assert "on `main` passed" not in story.answers(issue)[0].body
    story.settle()
    assert "on `main` passed ✅" in story.answers(issue)[0].body
    assert story.head("main") == request.last_sha


def test_after_a_fast_forward_the_drafts_pipeline_is_not_taken_for_that_of_the_target_branch(story: Story) -> None:
    story.project.merge_method = "ff"
    request = story.drafted()
    issue = story.project.issues[0]
    story.world.makes_pipelines = False
    try:
        story.react(request)
        story.settle()
    finally:
        story.world.makes_pipelines = True
    assert request.state == "merged"
    assert "on `main` passed" not in story.ask("@pipewright status", of=issue)
    assert "on `main` passed" not in story.answers(issue)[0].body


def test_a_late_word_of_the_drafts_pipeline_is_no_word_of_the_target_branchs(story: Story) -> None:
    story.project.merge_method = "ff"
    try:
        with story.jobs_held():
            request = story.approved_while_running()
            story.world.makes_pipelines = False
            story.sandbox.faults.add(DeliveryFault("pipeline", "late", seconds=1.0))
        story.settle()
    finally:
        story.world.makes_pipelines = True
    assert request.state == "merged"
    told = story.answers(story.project.issues[0])[0].body
    assert "of the draft passed ✅" in told
    assert "on `main` passed" not in told


def test_a_draft_that_does_not_stand_on_the_target_is_said_to_need_a_rebase(story: Story) -> None:
    story.project.merge_method = "ff"
    request = story.drafted()
    story.push("main", "other.txt", "x", by=story.maintainer)
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert "wants it rebased onto the target branch" in story.answer(request)
