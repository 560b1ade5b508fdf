"""Stories of large and nested pipelines: whichever job made one red is named."""

from collections.abc import Iterator

import pytest

from bot.sandbox import acts, seed
from bot.sandbox.state import Job, Outcome, Pipeline
from tests.world.town import PYTHON, Story, Town

BROKEN = Outcome("$ pytest\nFAILED tests/test_x.py::test_one\nERROR: Job failed: exit code 1\n", "script_failure")

INCLUDES = "{}:\n  trigger:\n    include: {}\n    strategy: depend\n"


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


def test_a_job_that_failed_in_the_child_of_a_child_is_named(town: Town) -> None:
    files = {"outer.yml": INCLUDES.format("inner", "inner.yml"), "inner.yml": "broken:\n  script: [make]\n"}
    story = red_main(town, files, INCLUDES.format("outer", "outer.yml"))
    assert "`outer:inner:broken`" in story.ask("@pipewright explain main")
    assert "`outer:inner:broken`" in story.ask("@pipewright status main")


def test_a_job_is_named_whose_pipeline_in_another_project_failed(town: Town) -> None:
    other = red_main(town, {}, "broken:\n  script: [make]\n")
    story = red_main(town, {}, f"deploy:\n  trigger:\n    project: {other.project.path}\n    strategy: depend\n")
    with story.world.lock:
        (job,) = story.project.pipelines[0].jobs
        job.child, job.failure_reason = other.project.pipelines[0], "unknown_failure"
    answer = story.ask("@pipewright explain main")
    assert "**`deploy`: the pipeline it started in another project failed.**" in answer
    assert "`deploy`" in story.ask("@pipewright status main")


def test_after_the_merge_it_is_explained_why_the_target_branch_is_red(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    story.world.play_job = lambda run, _job: BROKEN if run.ref == "main" else None
    story.ask("@pipewright approve", of=issue, by=story.maintainer)
    assert [run.status for run in story.project.pipelines] == ["success", "failed"]
    answer = story.ask("@pipewright why did it fail?", of=issue)
    assert "on `main` failed ❌" in answer
    assert "**`test`: " in answer


def test_of_a_fork_it_is_said_where_its_pipeline_runs(town: Town) -> None:
    story = town.story(visibility="public")
    with story.world.lock:
        fork = seed.add_project(story.world, f"{story.stranger.username}/app", PYTHON, {story.stranger: 50})
        change = {"action": "create", "file_path": ".gitlab-ci.yml", "content": "broken:\n  script: [make]\n"}
        acts.push(story.world, fork, story.stranger, "main", [change], "Add a pipeline")
        request = acts.open_from_fork(story.world, story.project, fork, story.stranger, "main", "Mine")
    story.settle()
    assert fork.pipelines[0].status == "failed"
    answer = story.ask("@pipewright explain", of=request)
    assert f"[pipeline]({story.world.base_url}/{fork.path}/-/pipelines/{fork.pipelines[0].id})" in answer
    assert "runs in the project that it comes from" in answer


TYPO = "test:\n  needs: [biuld]\n  script: [make]\n"
LATER = "stages: [test, build]\ntest:\n  needs: [build]\n  script: [make]\nbuild:\n  stage: build\n  script: [make]\n"
LEFT_OUT = "build:\n  script: [make]\n  rules:\n    - if: $CI_COMMIT_TAG\ntest:\n  needs: [build]\n  script: [make]\n"


@pytest.mark.parametrize(
    ("pipeline", "told"),
    [
        (TYPO, "`test` needs `biuld`, which is not part of this pipeline"),
        (LATER, "`test` needs `build`, which stands in a later stage"),
        (LEFT_OUT, "`test` needs `build`, which is not part of this pipeline"),
    ],
)
def test_a_pipeline_without_jobs_is_explained_by_what_gitlab_says_of_its_needs(
    town: Town, pipeline: str, told: str
) -> None:
    answer = red_main(town, {}, pipeline).ask("@pipewright explain main")
    assert told in answer
    assert ("optional: true" in answer) is (pipeline is LEFT_OUT)


TOKEN = "glpat-" + "Ab3dEf6hIj9kLm2nOp5q"
LOGS_WITH_TOKEN = {
    "behind what resets a terminal": f"$ ./deploy\n\x1b[m\x1b(B{TOKEN} is bad\nERROR: Job failed: exit code 1\n",
    "in the runner's last words": f"$ ./deploy\nno good\nERROR: Job failed: pulling from u:{TOKEN}@registry: no\n",
}


@pytest.mark.parametrize("where", LOGS_WITH_TOKEN)
def test_a_token_in_a_log_reaches_neither_the_note_nor_the_model(town: Town, where: str) -> None:
    town.sandbox.world.play_job = lambda _run, job: Outcome(LOGS_WITH_TOKEN[where], "script_failure")
    story = red_main(town, {}, "deploys:\n  script: [./deploy]\n")
    town.ollama.say("It is no good.")
    answer = story.ask("@pipewright explain main")
    assert "The language model thinks" in answer
    assert "[secret]" in answer
    assert TOKEN not in answer + str(town.ollama.requests)
