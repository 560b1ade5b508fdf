"""Pipelines, jobs and logs."""

from typing import Any

from bot.sandbox import rights
from bot.sandbox.ci import engine
from bot.sandbox.ci.children import SOURCE, is_bridge
from bot.sandbox.rest import shapes
from bot.sandbox.rest.call import Answer, Call, paged
from bot.sandbox.rights import message
from bot.sandbox.state import Job, Pipeline, Runner


def listing(call: Call) -> Answer:
    """List pipelines, the newest first; children only when they are asked for."""
    wanted = {name: call.text(name) for name in ("ref", "sha", "status", "source")}
    rows = [
        run
        for run in reversed(call.runs.pipelines)
        if all(value is None or getattr(run, name) == value for name, value in wanted.items())
        and (run.source != SOURCE or wanted["source"] == SOURCE)
    ]
    return paged(call, rows, lambda run: shapes.pipeline_basic(call.world, run))


def show(call: Call) -> Answer:
    """Show a pipeline."""
    return Answer(200, shapes.pipeline(call.world, call.pipeline))


def jobs(call: Call) -> Answer:
    """List a pipeline's jobs, the newest first, without those that start other pipelines."""
    return paged(call, _scoped(call, are_bridges=False), lambda job: shapes.job(call.world, call.pipeline, job))


def bridges(call: Call) -> Answer:
    """List the jobs of a pipeline that start other ones."""
    return paged(call, _scoped(call, are_bridges=True), lambda job: shapes.bridge(call.world, call.pipeline, job))


def _scoped(call: Call, *, are_bridges: bool) -> list[Job]:
    scope = call.params.get("scope")
    wanted = [scope] if isinstance(scope, str) else scope
    rows = sorted(call.pipeline.jobs, key=lambda job: job.id, reverse=True)
    return [job for job in rows if is_bridge(job) is are_bridges and (not wanted or job.status in wanted)]


def _need_right_to_update(call: Call) -> None:
    """On a protected branch only whoever may push or merge there runs or stops something (ci/pipeline_policy.rb)."""
    call.need_level(30)
    if not rights.may_run(call.project, call.user, call.pipeline.ref):
        raise message(403, "403 Forbidden")


def retry(call: Call) -> Answer:
    """Run failed jobs again."""
    _need_right_to_update(call)
    engine.retry(call.world, call.pipeline)
    return Answer(201, shapes.pipeline(call.world, call.pipeline))


def cancel(call: Call) -> Answer:
    """Stop a pipeline."""
    _need_right_to_update(call)
    engine.cancel(call.world, call.pipeline)
    return Answer(200, shapes.pipeline(call.world, call.pipeline))


def _job(call: Call) -> tuple[Pipeline, Job]:
    wanted = call.number("job")
    for run in call.runs.pipelines:
        for job in run.jobs:
            if job.id == wanted and not is_bridge(job):
                return run, job
    raise message(404, "404 Not found")


def job(call: Call) -> Answer:
    """Show a job."""
    return Answer(200, shapes.job(call.world, *_job(call)))


def trace(call: Call) -> Answer:
    """Show a job's log as plain text."""
    return Answer(200, _job(call)[1].trace.encode(), {"Content-Type": "text/plain"})


def runners(call: Call) -> Answer:
    """List a project's runners; `tag_list` keeps those that have all these tags."""
    call.need_level(40)
    wanted = {tag for tag in (call.text("tag_list") or "").split(",") if tag}
    status = (call.text("status") or "").upper()
    rows = [
        (number, one)
        for number, one in enumerate(call.project.runners, 1)
        if (one.has_any_tag or wanted <= set(one.tags)) and status in ("", one.status)
    ]
    return paged(call, rows, lambda row: _runner(*row))


def _runner(number: int, one: Runner) -> dict[str, Any]:
    """Return a runner as lists show it, without its tags."""
    return {
        "id": number,
        "description": f"runner {number}",
        "ip_address": "",
        "active": not one.is_paused,
        "paused": one.is_paused,
        "is_shared": one.scope == "instance",
        "runner_type": f"{one.scope}_type",
        "name": None,
        "online": one.status == "ONLINE",
        "status": one.status.lower(),
    }
