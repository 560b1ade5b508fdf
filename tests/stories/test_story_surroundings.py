"""Stories of what surrounds a project: its runners, its own rules about them, the edition and tier of GitLab."""

import pytest
import yaml

from bot.sandbox.state import Runner
from tests.world.town import PYTHON, Story, Town

SERVER = {**PYTHON, "Dockerfile": "FROM python:3.13-slim\nCOPY . .\nUSER 10001\n"}


def drafted(story: Story, words: str = "generate") -> dict[str, object]:
    story.drafted(f"@pipewright {words}")
    written = yaml.safe_load(story.file(".gitlab-ci.yml"))
    assert isinstance(written, dict)
    return written


def test_where_every_runner_wants_a_tag_the_jobs_get_one(story: Story) -> None:
    story.project.runners = [
        Runner(scope="project", tags=("ours",), takes_untagged=False),
        Runner(scope="instance", is_paused=True),
        Runner(scope="instance", status="OFFLINE"),
    ]
    assert drafted(story)["default"]["tags"] == ["ours"]  # type: ignore[index]
    assert "jobs are tagged ours" in story.request.description


def test_an_account_that_may_not_see_the_runners_proposes_without_tags(town: Town) -> None:
    story = town.story(bot_level=30)
    story.project.runners = [Runner(scope="project", tags=("ours",), takes_untagged=False)]
    assert "tags" not in drafted(story)["default"]  # type: ignore[operator]


def test_runners_that_start_no_images_are_told(story: Story) -> None:
    story.project.runners = [Runner(scope="project", executor="shell")]
    drafted(story)
    assert "start no images" in story.request.description


@pytest.mark.parametrize(("rules", "service"), [("{}", None), ("{privileged: true, tags: [big]}", "docker:29-dind")])
def test_docker_builds_the_image_only_where_the_project_says_so(rules: str, service: str | None, town: Town) -> None:
    story = town.story({**SERVER, ".pipewright.yml": f"runners: {rules}\n"})
    jobs = drafted(story)
    job = jobs["container-image"]
    assert isinstance(job, dict)
    assert [each["name"] for each in job.get("services", [])] == ([service] if service else [])
    assert ("big" in str(jobs["default"])) is bool(service)


def test_rules_that_are_not_understood_refuse(town: Town) -> None:
    story = town.story({**SERVER, ".pipewright.yml": "runners: {priviledged: true}\n"})
    answer = story.ask("@pipewright generate")
    assert "`.pipewright.yml` on the default branch is not valid" in answer
    assert story.project.merge_requests == []


@pytest.mark.parametrize(
    ("tier", "is_offered"), [(None, False), ("free", False), ("premium", False), ("ultimate", True)]
)
def test_dependency_scanning_is_offered_where_gitlab_has_it(tier: str | None, is_offered: bool, story: Story) -> None:
    before, story.world.tier = story.world.tier, tier
    try:
        written = drafted(story, "generate with dependency scanning")
    finally:
        story.world.tier = before
    assert ("include" in written) is is_offered
    assert ("needs GitLab Ultimate" in story.request.description) is not is_offered
