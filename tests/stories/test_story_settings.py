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
