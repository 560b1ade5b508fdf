"""Stories of a large monorepo: a draft with child pipelines, followed, explained and changed like any other."""

import pytest
import yaml

from bot.ci.children import MANY_UNITS
from bot.sandbox import git_store
from bot.sandbox.state import Job, Outcome, Pipeline
from tests.world.town import Story, Town

FILES = {
    path: text
    for number in range(MANY_UNITS)
    for path, text in {
        f"services/s{number}/go.mod": f"module example.com/s{number}\n\ngo 1.26\n",
        f"services/s{number}/main.go": "package main\n\nfunc main() {}\n",
        f"services/s{number}/main_test.go": 'package main\n\nimport "testing"\n\nfunc TestOne(t *testing.T) {}\n',
    }.items()
}
BROKEN = Outcome("$ go test ./...\n--- FAIL: TestOne (0.00s)\nFAIL\nERROR: Job failed: exit code 1\n", "script_failure")

NO_HEADER = Outcome(
    "$ go test ./...\na.go:3:10: fatal error: libpq-fe.h: No such file or directory\nERROR: Job failed: exit code 1\n",
    "script_failure",
)


@pytest.fixture
def monorepo(town: Town) -> Story:
    return town.story(FILES)


def test_a_large_monorepo_gets_a_draft_with_a_child_pipeline_for_each_part(monorepo: Story) -> None:
    request = monorepo.drafted()
    starters = yaml.safe_load(monorepo.file(".gitlab-ci.yml"))
    assert starters["s3"]["trigger"]["include"] == [{"local": "services/s3/.gitlab-ci.yml"}]
    assert yaml.safe_load(monorepo.file("services/s3/.gitlab-ci.yml"))["test"]["stage"] == "test"
    assert "`test` of `services/s3/.gitlab-ci.yml`" in request.description
    sources = [run.source for run in monorepo.project.pipelines]
    assert sources.count("merge_request_event") == 1
    assert sources.count("parent_pipeline") == MANY_UNITS
    assert "passed" in monorepo.answer(monorepo.project.issues[0])


def test_a_commit_message_calls_nobody_whom_a_folder_is_named_like(town: Town) -> None:
    story = town.story({path.replace("/s3/", "/@all/"): text for path, text in FILES.items()})
    request = story.drafted()
    message = git_store.commit_info(story.project.git_dir, story.head(request.source_branch))["message"]
    assert "services/all/.gitlab-ci.yml" in message


def test_a_job_that_fails_in_a_child_is_named_and_explained(monorepo: Story) -> None:
    def played(pipeline: Pipeline, job: Job) -> Outcome | None:
        is_it = pipeline.project is monorepo.project and "s3" in str(job.config.get("before_script"))
        return BROKEN if is_it and job.name == "test" else None

    monorepo.world.play_job = played
    try:
        monorepo.drafted()
    finally:
        monorepo.world.play_job = lambda _pipeline, _job: None
    issue = monorepo.project.issues[0]
    assert "s3:test" in monorepo.ask("@pipewright status", of=issue)
    assert "s3:test" in monorepo.ask("@pipewright explain", of=issue)


def test_a_job_that_fails_in_a_child_is_repaired_there(monorepo: Story) -> None:
    """GitLab gives a bridge no log: the cause stands in the child's job, and so does the mend."""

    def played(pipeline: Pipeline, job: Job) -> Outcome | None:
        setup = str(job.config.get("before_script"))
        is_it = pipeline.project is monorepo.project and "s3" in setup and job.name == "test"
        return NO_HEADER if is_it and "libpq-dev" not in setup else None

    monorepo.world.play_job = played
    try:
        request = monorepo.drafted()
        branch = request.source_branch
    finally:
        monorepo.world.play_job = lambda _pipeline, _job: None
    first, second = dict.fromkeys(run.sha for run in monorepo.project.pipelines)
    ends = [(run.sha, run.status) for run in monorepo.project.pipelines if run.source == "merge_request_event"]
    assert ends == [(first, "failed"), (second, "success")]
    assert "libpq-dev" in monorepo.file("services/s3/.gitlab-ci.yml", branch)
    assert "libpq-dev" not in monorepo.file("services/s2/.gitlab-ci.yml", branch)
    assert "libpq-dev" not in monorepo.file(".gitlab-ci.yml", branch)
    answer = monorepo.answer(monorepo.project.issues[0])
    assert f"I changed: `Install libpq-dev for test in services/s3/.gitlab-ci.yml` (`{second[:8]}`)" in answer


def test_merging_it_is_like_merging_any_other_draft(monorepo: Story) -> None:
    request = monorepo.drafted()
    monorepo.react(request)
    monorepo.settle()
    assert request.state == "merged"
    assert "services/s3/.gitlab-ci.yml" in monorepo.file(".gitlab-ci.yml", "main")
