"""The merge of a merge request: what holds it up, how it is refused, armed and done."""

from bot.sandbox import git_store, hooks, payloads
from bot.sandbox.ci import engine
from bot.sandbox.rights import may_merge, message
from bot.sandbox.state import MergeRequest, Pipeline, User, World, now


def merge_status(request: MergeRequest) -> str:
    """Return `detailed_merge_status` as far as it is worked out."""
    if request.state == "opened" and request.unsettled_reads:
        return "preparing" if request.unsettled_reads > 1 else "checking"
    return _settled_status(request)


def _settled_status(request: MergeRequest) -> str:
    if request.state != "opened":
        return "not_open"
    if payloads.is_draft(request.title):
        return "draft_status"
    if len(request.approvals) < request.project.approvals_needed:
        return "not_approved"
    if request.fork is not None:
        return "mergeable"
    if not git_store.is_ahead(request.project.git_dir, request.source_branch, request.target_branch):
        return "commits_status"
    if git_store.has_conflicts(request.project.git_dir, request.source_branch, request.target_branch):
        return "conflict"
    if request.project.merge_method == "ff" and not _is_on_top(request):
        return "need_rebase"
    return _pipeline_status(request)


def _is_on_top(request: MergeRequest) -> bool:
    return git_store.is_on_top(request.project.git_dir, request.source_branch, request.target_branch)


def _pipeline_status(request: MergeRequest) -> str:
    if not request.project.only_merge_when_green:
        return "mergeable"
    run = engine.head_pipeline(request)
    if run is not None and run.status not in engine.DONE:  # one that waits for a hand is not done either
        return "ci_still_running"
    return "mergeable" if run is not None and run.status == "success" else "ci_must_pass"


_REFUSED = ("ci_must_pass", "conflict", "commits_status", "need_rebase", "not_approved")
# What an armed merge waits for since 17.7 (app/services/auto_merge/merge_when_checks_pass_service.rb).
_WAITED_FOR = ("draft_status", "not_approved", "ci_must_pass", "ci_still_running")


def merge(world: World, request: MergeRequest, user: User, *, sha: str | None, when_green: bool) -> None:
    """Merge, or arm the merge; the refusals come in GitLab's order (lib/api/merge_requests.rb)."""
    if not may_merge(request.project, user, request.target_branch):
        raise message(401, "401 Unauthorized")
    run = engine.head_pipeline(request)
    waits = when_green and world.is_since(17, 7) and _settled_status(request) in _WAITED_FOR
    if not waits:
        _require_mergeable(request, run, when_green=when_green)
    head = git_store.head(request.project.git_dir, request.source_branch)
    if sha is not None and sha != head:
        raise message(409, f"SHA does not match HEAD of source branch: {head}")
    if waits or (when_green and (_is_running(run) or request.project.has_merge_train)):
        request.auto_merge_by = user
        if not waits and not _is_running(run):
            world.in_background(lambda: _leave_train(world, request, user))
        return
    complete_merge(world, request, user)


def _is_running(run: Pipeline | None) -> bool:
    return run is not None and run.status in engine.UNDER_WAY


def _require_mergeable(request: MergeRequest, run: Pipeline | None, *, when_green: bool) -> None:
    if request.state != "opened" or payloads.is_draft(request.title):
        raise message(405, "405 Method Not Allowed")
    if when_green and not _is_running(run) and (run is None or run.status != "success"):
        raise message(405, "405 Method Not Allowed")
    status = merge_status(request)
    if request.fork is not None or status in _REFUSED or (status == "ci_still_running" and not when_green):
        raise message(405, "405 Method Not Allowed")
    if status in ("preparing", "checking"):
        raise message(422, "Branch cannot be merged")


def go_on(world: World, request: MergeRequest) -> None:
    """Complete an armed merge once nothing holds it up any more."""
    by, run = request.auto_merge_by, engine.head_pipeline(request)
    if by is not None and (run is None or run.status == "success") and _settled_status(request) == "mergeable":
        complete_merge(world, request, by)


def _leave_train(world: World, request: MergeRequest, user: User) -> None:
    """The pipeline of the train has passed."""
    with world.lock:
        if request.auto_merge_by is user and request.state == "opened":
            request.project.trains += 1
            complete_merge(world, request, user)


def complete_merge(world: World, request: MergeRequest, user: User) -> None:
    """Really merge."""
    project = request.project
    onto = git_store.head(project.git_dir, request.target_branch)
    sha = _forwarded(request) if project.merge_method == "ff" else _merge_commit(request, user)
    request.last_sha = git_store.head(project.git_dir, request.source_branch) or request.last_sha
    request.state, request.merged_by, request.merged_onto = "merged", user, onto
    request.merge_commit_sha = sha if project.merge_method == "merge" else None
    request.updated_at, request.auto_merge_by = now(), None
    if request.remove_source_branch:
        git_store.delete_branch(project.git_dir, request.source_branch)
    hooks.emit(world, project, "merge_request", payloads.merge_request(world, request, user, "merge"))
    engine.on_push(world, project, request.target_branch, sha, user)


def _merge_commit(request: MergeRequest, user: User) -> str:
    try:
        return git_store.merge(
            request.project.git_dir,
            source=request.source_branch,
            target=request.target_branch,
            message=f"Merge branch '{request.source_branch}' into '{request.target_branch}'\n\n{request.title}",
            user=user,
        )
    except git_store.GitError as error:
        raise message(422, str(error)) from error


def _forwarded(request: MergeRequest) -> str:
    """Let the target branch stand where the source branch does: there is no merge commit."""
    head = git_store.head(request.project.git_dir, request.source_branch)
    if head is None or not _is_on_top(request):
        raise message(422, "Branch cannot be merged")
    git_store.move_branch(request.project.git_dir, request.target_branch, head)
    return head


def after_pipeline(world: World, pipeline: Pipeline) -> None:
    """Complete an armed merge once the pipeline passed."""
    for request in pipeline.project.merge_requests:
        if engine.head_pipeline(request) is pipeline:
            go_on(world, request)
