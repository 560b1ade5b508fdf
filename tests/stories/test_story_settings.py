"""Stories of projects whose settings leave no room for a draft: told before anything is made."""

import pytest

from bot.sandbox import git_store
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
