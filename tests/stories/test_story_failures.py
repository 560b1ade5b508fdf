"""Stories of large and nested pipelines: whichever job made one red is named."""

from collections.abc import Iterator

import pytest

from bot.sandbox.state import Job, Outcome, Pipeline
from tests.world.town import PYTHON, Story, Town

BROKEN = Outcome("$ pytest\nFAILED tests/test_x.py::test_one\nERROR: Job failed: exit code 1\n", "script_failure")


@pytest.fixture(autouse=True)
def broken_job(town: Town) -> Iterator[None]:
    """Let every job of that name fail."""

    def played(_pipeline: Pipeline, job: Job) -> Outcome | None:
        return BROKEN if job.name == "broken" else None

    town.sandbox.world.play_job = played
    yield
    town.sandbox.world.play_job = lambda _pipeline, _job: None


def red_main(town: Town, files: dict[str, str], pipeline: str) -> Story:
    story = town.story({**PYTHON, **files})
    story.push("main", ".gitlab-ci.yml", pipeline, by=story.maintainer)
    story.settle()
    assert story.project.pipelines[0].status == "failed"
    return story


def test_the_job_that_failed_before_a_hundred_others_is_named(town: Town) -> None:
    others = "".join(f"job {number}:\n  needs: []\n  script: [make]\n" for number in range(120))
    story = red_main(town, {}, f"broken:\n  stage: build\n  script: [make]\n{others}")
    for words in ("explain main", "explain broken", "status main"):
        assert "`broken`" in story.ask(f"@pipewright {words}"), words
