"""Jobs that the stand-in really runs fetch and write their logs as a runner does."""

from pathlib import Path

import pytest

from bot.sandbox import acts, seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Pipeline
from tests.sandbox.conftest import Place

JOB = "describe:\n  variables:\n    GIT_DEPTH: '{depth}'\n  script:\n    - echo hello\n    - git describe --tags\n"


@pytest.mark.parametrize(
    ("depth", "status", "said"),
    [
        pytest.param("20", "failed", "No names found, cannot describe anything", id="the newest commits only"),
        pytest.param("0", "success", "v1.2-26-g", id="the whole history with its tags"),
    ],
)
def test_a_job_sees_as_much_history_as_a_runner_fetches(tmp_path: Path, depth: str, status: str, said: str) -> None:
    sandbox = Sandbox(tmp_path, run_jobs=True).start()
    try:
        world = sandbox.world
        with world.lock:
            max_ = seed.add_user(world, "max")
            project = seed.add_project(world, "group/app", {"README.md": "x\n"}, {max_: 40})
            seed.add_history(project, max_, tag="v1.2", commits=25)
            change = {"action": "create", "file_path": ".gitlab-ci.yml", "content": JOB.format(depth=depth)}
            acts.push(world, project, max_, "main", [change], "Add CI")
        assert sandbox.wait_until(lambda: bool(project.pipelines and project.pipelines[0].finished_at), 90)
        run: Pipeline = project.pipelines[0]
        (job,) = run.jobs
    finally:
        sandbox.stop()
    assert run.status == status
    assert said in job.trace
    assert "\x1b[32;1m$ git describe --tags\x1b[0;m" in job.trace
    assert "section_start:" in job.trace
    assert str(tmp_path) not in job.trace


PARENT = """\
workflow: {rules: [{if: $CI_COMMIT_BRANCH}]}
unit: {script: [echo ok]}
api: {trigger: {include: [{local: api.yml}], strategy: depend}}
odd: {trigger: {include: [{local: gone.yml}], strategy: depend}, allow_failure: true}
"""
CHILD = "workflow: {rules: [{if: $CI_PIPELINE_SOURCE == 'parent_pipeline'}]}\ntest: {script: [exit 1]}\n"


def test_a_child_pipeline_makes_the_job_red_that_started_it(place: Place) -> None:
    project = place.project
    files = {".gitlab-ci.yml": PARENT, "api.yml": CHILD}
    changes = [{"action": "create", "file_path": path, "content": text} for path, text in files.items()]
    with place.world.lock:
        acts.push(place.world, project, place.people["max"], "main", changes, "Add CI")
    place.sandbox.wait_idle()
    (parent,) = place.api.get("/pipelines").json()
    assert parent["status"] == "failed"
    assert [job["name"] for job in place.api.get(f"/pipelines/{parent['id']}/jobs").json()] == ["unit"]
    bridges = {row["name"]: row for row in place.api.get(f"/pipelines/{parent['id']}/bridges").json()}
    assert (bridges["api"]["status"], bridges["api"]["downstream_pipeline"]["source"]) == ("failed", "parent_pipeline")
    assert bridges["odd"]["failure_reason"] == "downstream_pipeline_creation_failed"
    (child,) = place.api.get("/pipelines", source="parent_pipeline").json()
    assert child["id"] == bridges["api"]["downstream_pipeline"]["id"]
    (job,) = place.api.get(f"/pipelines/{child['id']}/jobs").json()
    assert (job["name"], job["status"]) == ("test", "failed")
