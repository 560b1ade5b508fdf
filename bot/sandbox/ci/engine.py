"""Makes pipelines of pushes and merge requests and takes their jobs through their states.

Jobs are simulated unless the world runs them: then their scripts run in a scratch clone, without the image and
the services they ask for, and the log says so.
"""

import os
import re
import shlex
import subprocess
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from bot.sandbox import git_store, hooks, payloads
from bot.sandbox.ci.children import NO_PROJECT, NOT_MADE, SOURCE, child_of, configuration, is_bridge, waits
from bot.sandbox.ci.config import Config, needs_of, read_config
from bot.sandbox.ci.includes import Elsewhere
from bot.sandbox.ci.lint import missing_needs, rule_errors, selected
from bot.sandbox.state import Job, MergeRequest, Outcome, Pipeline, Project, User, World, now

DONE = frozenset({"success", "failed", "canceled", "skipped"})
# app/models/concerns/ci/has_status.rb
UNDER_WAY = frozenset({"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running"})
_JOB_TIMEOUT_SECONDS = 900
_DEFAULT_DEPTH = "20"  # of new projects (doc/ci/pipelines/settings.md#limit-the-number-of-changes-fetched-during-clone)


def on_push(world: World, project: Project, branch: str, sha: str, user: User) -> None:
    """Make the branch pipeline of a push, if the configuration wants one."""
    open_requests = [one.iid for one in project.merge_requests if one.state == "opened" and one.source_branch == branch]
    variables = {
        "CI_PIPELINE_SOURCE": "push",
        "CI_COMMIT_BRANCH": branch,
        "CI_COMMIT_REF_NAME": branch,
        **({"CI_OPEN_MERGE_REQUESTS": f"{project.path}!{open_requests[0]}"} if open_requests else {}),
    }
    _create(world, Pipeline(0, 0, project, user, branch, sha, "push"), variables)


def on_merge_request(world: World, request: MergeRequest, user: User) -> None:
    """Make the merge-request pipeline of a new or newly pushed merge request, if the configuration wants one.

    That of a fork runs in the fork, whose runners are no concern here.
    """
    if request.fork is not None:
        return
    sha = git_store.head(request.project.git_dir, request.source_branch)
    if sha is None or sha == git_store.head(request.project.git_dir, request.target_branch):
        return  # a merge request without commits has no pipeline
    variables = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": str(request.iid),
        "CI_MERGE_REQUEST_TITLE": request.title,
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": request.source_branch,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": request.target_branch,
        "CI_COMMIT_REF_NAME": request.source_branch,
    }
    ref = f"refs/merge-requests/{request.iid}/head"
    planned = Pipeline(0, 0, request.project, user, ref, sha, "merge_request_event", merge_request=request)
    _create(world, _of_merged_result(planned) if request.project.has_merged_results else planned, variables)


def _of_merged_result(planned: Pipeline) -> Pipeline:
    """Let it run on the merge of the head into the target; with conflicts it stays as it is."""
    request, head = planned.merge_request, planned.sha
    assert request is not None  # planned for one
    ref = f"refs/merge-requests/{request.iid}/merge"
    merged = git_store.merge_to_ref(planned.project.git_dir, head, request.target_branch, ref, planned.user)
    return replace(planned, ref=ref, sha=merged, source_sha=head) if merged else planned


def _create(world: World, pipeline: Pipeline, variables: dict[str, str]) -> None:
    project, sha = pipeline.project, pipeline.sha
    text = _text(project, sha, project.ci_config_path or ".gitlab-ci.yml")
    if text is None or not world.makes_pipelines or "builds" in project.off:
        return
    known = {**variables, "CI_COMMIT_SHA": sha, "CI_DEFAULT_BRANCH": project.default_branch or ""}
    errors = _fill(world, pipeline, text, known)
    if not pipeline.jobs and not errors:
        return
    _add(world, pipeline)
    if errors:
        pipeline.yaml_errors = "; ".join(errors)
        _set(world, pipeline, "failed")
        return
    start(world, pipeline, known)


def _fill(world: World, pipeline: Pipeline, text: str, known: dict[str, str]) -> list[str]:
    """Give a pipeline the jobs of a configuration; return what is wrong with it."""
    project, sha = pipeline.project, pipeline.sha
    config = read_config(text, lambda path: _text(project, sha, path), elsewhere(world, pipeline.user))
    errors = config.errors or rule_errors(config)
    paths = [entry["path"] for entry in git_store.tree(project.git_dir, sha, recursive=True) or []]
    chosen = {} if errors else selected(config, known, paths)
    errors = errors or missing_needs(config, chosen)
    if not errors:
        pipeline.jobs = _jobs(world, config, chosen)
        pipeline.stages = [stage for stage in config.stages if any(job.stage == stage for job in pipeline.jobs)]
    return errors


def _add(world: World, pipeline: Pipeline) -> None:
    pipeline.id, pipeline.iid = world.next_id(), len(pipeline.project.pipelines) + 1
    pipeline.project.pipelines.append(pipeline)


def elsewhere(world: World, user: User) -> Elsewhere:
    """Return what an account may include from outside of a project."""

    def of_project(path: str, ref: str | None, file: str) -> str | None:
        found = world.project_at(path)
        if found is None or not (found.visibility != "private" or found.members.get(user.id, 0) >= 20):
            return None
        return _text(found, ref or found.default_branch or "HEAD", file)

    return Elsewhere(project=of_project, remote=world.remote_files.get)


def _text(project: Project, sha: str, path: str) -> str | None:
    found = git_store.read(project.git_dir, sha, path)
    return found.decode("utf-8", "replace") if found is not None else None


def _jobs(world: World, config: Config, chosen: dict[str, str]) -> list[Job]:
    jobs = []
    for name, when in chosen.items():
        body = config.jobs[name]
        if config.variables:
            body = {**body, "variables": {**config.variables, **(body.get("variables") or {})}}
        may_fail = body.get("allow_failure", when == "manual" and "rules" not in body)
        job = Job(world.next_id(), name, str(body.get("stage", "test")), body, when=when, allow_failure=bool(may_fail))
        job.needs = [need for need in needs_of(body) or [] if need in chosen] if "needs" in body else None
        jobs.append(job)
    return sorted(jobs, key=lambda job: config.stages.index(job.stage))


def start(world: World, pipeline: Pipeline, variables: dict[str, str]) -> None:
    """Run a pipeline's jobs in the background."""
    _set(world, pipeline, "pending")
    world.in_background(lambda: _run(world, pipeline, variables))


def _run(world: World, pipeline: Pipeline, variables: dict[str, str]) -> None:
    with world.lock:
        _set(world, pipeline, "running")
    while pipeline.status == "running":
        with world.lock:
            ready = [job for job in pipeline.jobs if job.status == "created" and _is_ready(pipeline, job)]
            waiting = [job for job in ready if job.when == "manual"]
            for job in waiting:
                job.status = "manual"
            ready = [job for job in ready if job not in waiting]
            for job in [job for job in ready if not _has_runner(pipeline.project, job)]:
                job.status = "pending"
                ready.remove(job)
            if not ready:
                _finish(world, pipeline)
                return
        runs = [threading.Thread(target=_run_job, args=(world, pipeline, job, variables)) for job in ready]
        for run in runs:
            run.start()
        for run in runs:
            run.join()


def _has_runner(project: Project, job: Job) -> bool:
    tags = set(map(str, job.config.get("tags") or ()))
    return is_bridge(job) or any(one.takes(tags) for one in project.runners)


def _is_ready(pipeline: Pipeline, job: Job) -> bool:
    before = _before(pipeline, job)
    if any(other.status in ("created", "running", "pending") for other in before):
        return False
    failed = any(other.status in ("failed", "canceled", "skipped") and not other.allow_failure for other in before)
    if failed is (job.when == "on_failure") or job.when == "always":
        return True
    job.status = "skipped"
    return False


def _before(pipeline: Pipeline, job: Job) -> list[Job]:
    if job.needs is not None:
        return [other for other in pipeline.jobs if other.name in job.needs]
    order = pipeline.stages
    return [other for other in pipeline.jobs if order.index(other.stage) < order.index(job.stage)]


def _run_job(world: World, pipeline: Pipeline, job: Job, variables: dict[str, str]) -> None:
    with world.lock:
        job.status, job.started_at = "running", now()
    if is_bridge(job):
        _start_child(world, pipeline, job, variables)
        return
    lines = [*_lines(job.config.get("before_script")), *_lines(job.config.get("script"))]
    outcome = _really(pipeline, job, lines, variables) if world.run_jobs else _simulated(world, pipeline, job, lines)
    with world.lock:
        if job.status == "canceled":
            return
        job.status = "failed" if outcome.failure_reason else "success"
        job.finished_at, job.trace, job.failure_reason = now(), outcome.trace, outcome.failure_reason


def _start_child(world: World, parent: Pipeline, job: Job, variables: dict[str, str]) -> None:
    text, child = configuration(job), child_of(parent)
    known = {**variables, "CI_PIPELINE_SOURCE": child.source}
    with world.lock:
        errors = [NO_PROJECT] if text is None else _fill(world, child, text, known)
        if errors or not child.jobs:
            job.status, job.finished_at = "failed", now()
            job.failure_reason = NO_PROJECT if text is None else NOT_MADE
            return
        _add(world, child)
        job.child = child
    if not waits(job):
        start(world, child, known)
    else:
        _run(world, child, known)
    with world.lock:
        job.status, job.finished_at = child.status if waits(job) else "success", now()


def _lines(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        return []
    return [line for item in value for line in _lines(item)]


def _simulated(world: World, pipeline: Pipeline, job: Job, lines: list[str]) -> Outcome:
    time.sleep(world.job_seconds)
    world.jobs_may_end.wait(_JOB_TIMEOUT_SECONDS)
    written = world.play_job(pipeline, job)
    if written is not None:
        return written
    shown = "\n".join(f"$ {line}" for line in lines)
    ok = not any(line.strip() in ("exit 1", "false") for line in lines)
    end = "Job succeeded" if ok else "ERROR: Job failed: exit code 1"
    trace = f"This job was simulated by the stand-in: nothing ran. It holds\n{shown}\n{end}\n"
    return Outcome(trace, None if ok else "script_failure")


def _really(pipeline: Pipeline, job: Job, lines: list[str], variables: dict[str, str]) -> Outcome:
    """Run the scripts with a clean environment in a scratch clone of the commit."""
    own = {str(key): str(value) for key, value in (job.config.get("variables") or {}).items()}
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "project"
        fetched = _fetch(pipeline, clone, own.get("GIT_DEPTH", _DEFAULT_DEPTH))
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "HOME": folder,
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_PROJECT_DIR": str(clone),
            "CI_JOB_NAME": job.name,
            **variables,
        }
        environment |= {name: _expanded(value, environment) for name, value in own.items()}
        try:
            done = subprocess.run(
                ["bash", "-c", _script(lines)],
                cwd=clone,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=_JOB_TIMEOUT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Outcome(
                fetched + "ERROR: Job failed: execution took longer than 15m0s seconds\n", "job_execution_timeout"
            )
    output = done.stdout.decode("utf-8", "replace").replace(folder, "/builds")
    trace = f"{_head(job)}{fetched}{_section('step_script', output)}"
    if done.returncode == 0:
        return Outcome(f"{trace}\x1b[32;1mJob succeeded\x1b[0;m\n")
    return Outcome(f"{trace}\x1b[31;1mERROR: Job failed: exit code {done.returncode}\x1b[0;m\n", "script_failure")


def _expanded(value: str, known: dict[str, str]) -> str:
    """Replace variables in the value of another; those that are not known become nothing, as in GitLab."""
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda found: known.get(found[1] or found[2], ""), value)


def _fetch(pipeline: Pipeline, clone: Path, depth: str) -> str:
    """Fetch as a runner does: the newest commits only, and only the tags among them."""
    shallow = ["--depth", depth, "--no-tags"] if depth != "0" else ["--tags"]
    calls = (["init", "-q"], ["fetch", "-q", *shallow, pipeline.project.git_dir.as_uri(), pipeline.sha])
    for call in (*calls, ["checkout", "-q", "--detach", pipeline.sha]):
        clone.mkdir(exist_ok=True)
        subprocess.run(["git", *call], cwd=clone, check=True, timeout=120, capture_output=True)
    how = f"Fetching changes with git depth set to {depth}...\n" if depth != "0" else "Fetching changes...\n"
    return _section(
        "get_sources", f"{how}Checking out {pipeline.sha[:8]} as detached HEAD (ref is {pipeline.ref})...\n"
    )


def _script(lines: list[str]) -> str:
    """Show each line before it runs, as a runner does."""
    shown = []
    for line in lines:
        first, *more = line.strip().split("\n")
        head = f"{first} # collapsed multi-line command" if more else first
        shown.append(f"printf '\\033[32;1m%s\\033[0;m\\n' {shlex.quote('$ ' + head)}\n{line}")
    return "\n".join(["set -eo pipefail", *shown])


def _head(job: Job) -> str:
    return (
        "\x1b[0KRunning in the stand-in's own shell\x1b[0;m\n"
        f"The image {job.config.get('image')!r} and services are not provided.\n"
    )


def _section(name: str, text: str) -> str:
    stamp, end = int(time.time()), "\r\x1b[0K"
    return f"section_start:{stamp}:{name}{end}{text}section_end:{stamp}:{name}{end}"


def _finish(world: World, pipeline: Pipeline) -> None:
    if any(job.status == "pending" for job in pipeline.jobs):  # no runner takes it: it waits until it is cancelled
        has_run = any(job.started_at for job in pipeline.jobs)
        _set(world, pipeline, "running" if has_run else "pending")
        return
    bad = any(job.status in ("failed", "canceled") and not job.allow_failure for job in pipeline.jobs)
    blocked = any(job.status == "manual" and not job.allow_failure for job in pipeline.jobs)
    pipeline.finished_at = now()
    _set(world, pipeline, "failed" if bad else "manual" if blocked else "success")
    for hook in world.after_pipeline if pipeline.source != SOURCE else ():
        hook(pipeline)


def _set(world: World, pipeline: Pipeline, status: str) -> None:
    pipeline.status, pipeline.updated_at = status, now()
    hooks.emit(world, pipeline.project, "pipeline", payloads.pipeline(world, pipeline))


def retry(world: World, pipeline: Pipeline) -> None:
    """Run failed, cancelled and skipped jobs again, as new jobs; what went well is left as it is."""
    if not any(job.status in ("failed", "canceled") for job in pipeline.jobs):
        return
    for job in pipeline.jobs:
        if job.status in ("failed", "canceled", "skipped"):
            job.id, job.status, job.trace, job.failure_reason = world.next_id(), "created", "", None
    start(world, pipeline, {})


def cancel(world: World, pipeline: Pipeline) -> None:
    """Stop what has not finished."""
    if pipeline.status in DONE:
        return
    for job in pipeline.jobs:
        if job.status not in DONE:
            job.status = "canceled"
        if job.child is not None:
            cancel(world, job.child)
    _set(world, pipeline, "canceled")


def head_pipeline(request: MergeRequest) -> Pipeline | None:
    """Return the newest pipeline of a merge request's head."""
    sha = git_store.head(request.project.git_dir, request.source_branch) or request.last_sha
    runs = [run for run in request.project.pipelines if (run.source_sha or run.sha) == sha and _belongs(run, request)]
    return runs[-1] if runs else None


def last_head_pipeline(request: MergeRequest) -> Pipeline | None:
    """Return the pipeline that the API shows: the newest there is, and that of an earlier head until a new one is made.

    `merge_requests.head_pipeline_id` is renewed in the background when a pipeline is made, and never emptied.
    """
    runs = [run for run in (request.fork or request.project).pipelines if _belongs(run, request)]
    return head_pipeline(request) or (runs[-1] if runs else None)


def _belongs(run: Pipeline, request: MergeRequest) -> bool:
    return run.source != SOURCE and (run.merge_request is request or run.ref == request.source_branch)
