"""Merge requests, their approvals and the merge with its ladder of refusals."""

from bot.sandbox import acts, git_store, merging, rights
from bot.sandbox.ci.children import SOURCE
from bot.sandbox.rest import shapes
from bot.sandbox.rest.call import Answer, Call, checked_description, checked_title, paged
from bot.sandbox.rights import ApiError, level, message
from bot.sandbox.state import MergeRequest, now


def _shown(call: Call, one: MergeRequest, status: int = 200) -> Answer:
    return Answer(status, shapes.merge_request(call.world, one, call.user))


def show(call: Call) -> Answer:
    """Show a merge request; each reading brings the check in the background a step further."""
    one = call.merge_request
    answer = _shown(call, one)
    one.unsettled_reads = max(one.unsettled_reads - 1, 0)
    return answer


def listing(call: Call) -> Answer:
    """List merge requests, the newest first."""
    if "merge_requests" in call.project.off:
        raise message(403, "403 Forbidden")
    wanted = {name: call.text(name) for name in ("source_branch", "target_branch", "state")}
    if wanted["state"] == "all":
        wanted["state"] = None
    rows = [
        one
        for one in reversed(call.project.merge_requests)
        if all(value is None or getattr(one, name) == value for name, value in wanted.items())
    ]
    return paged(call, rows, lambda one: shapes.merge_request_basic(call.world, one))


def create(call: Call) -> Answer:
    """Open a merge request; the answer still says that it is being prepared."""
    call.require("title", "source_branch", "target_branch")
    call.need_level(30)
    call.need_open()
    source, target = str(call.params["source_branch"]), str(call.params["target_branch"])
    title = checked_title(call)
    for name, branch in (("Source", source), ("Target", target)):
        if git_store.head(call.project.git_dir, branch) is None:
            raise message(400, {f"{name.lower()}_branch": [f'"{branch}" does not exist']})
    if source == target:
        raise message(422, ["You can't use same project/branch for source and target"])
    opened = acts.open_merge_request(
        call.world,
        call.project,
        call.user,
        source=source,
        target=target,
        title=title,
        description=checked_description(call) or "",
    )
    opened.remove_source_branch = call.flag("remove_source_branch")
    return _shown(call, opened, 201)


def update(call: Call) -> Answer:
    """Change a merge request; its author and Developers may."""
    one = call.merge_request
    names = ("title", "description", "state_event", "target_branch", "remove_source_branch")
    if not any(name in call.params for name in names):
        raise ApiError(400, {"error": f"{', '.join(names)} are missing, at least one parameter must be provided"})
    if level(one.project, call.user) < 30 and one.author.id != call.user.id:
        raise message(403, "403 Forbidden")
    call.need_open()
    title = checked_title(call) if "title" in call.params else None
    acts.update_merge_request(call.world, one, call.user, title=title, description=checked_description(call))
    if call.text("state_event") in ("close", "reopen"):
        acts.set_state(call.world, one, call.user, str(call.params["state_event"]))
    return _shown(call, one)


def merge(call: Call) -> Answer:
    """Merge, or arm the merge for when the pipeline passes."""
    one = call.merge_request
    if call.flag("should_remove_source_branch"):
        one.remove_source_branch = True
    # The name changed in 17.11; both versions ignore what they do not know.
    knows_new = call.world.is_since(17, 11)
    when_green = (knows_new and call.flag("auto_merge")) or call.flag("merge_when_pipeline_succeeds")
    merging.merge(call.world, one, call.user, sha=call.text("sha"), when_green=when_green)
    return _shown(call, one)


def cancel_auto_merge(call: Call) -> Answer:
    """Disarm a merge; what the service says is the answer, a failure too, with 201 (lib/api/merge_requests.rb)."""
    one = call.merge_request
    if one.author is not call.user and not rights.may_merge(one.project, call.user, one.target_branch):
        raise message(401, "401 Unauthorized")
    if one.auto_merge_by is None:
        told = {"message": "Can't cancel the automatic merge", "status": "error", "http_status": 406}
        return Answer(201, told)
    one.auto_merge_by, one.updated_at = None, now()
    return Answer(201, {"status": "success"})


def approvals(call: Call) -> Answer:
    """Show who approved."""
    return Answer(200, shapes.approvals(call.world, call.merge_request, call.user))


def approve(call: Call) -> Answer:
    """Approve; `sha` must be the head when it is given."""
    one, sha = call.merge_request, call.text("sha")
    call.need_level(30)
    if sha is not None and sha != git_store.head(one.project.git_dir, one.source_branch):
        raise message(409, "SHA does not match HEAD of source branch")
    acts.approve(call.world, one, call.user)
    return Answer(201, shapes.approvals(call.world, one, call.user))


def unapprove(call: Call) -> Answer:
    """Take an approval back."""
    acts.unapprove(call.world, call.merge_request, call.user)
    return Answer(201, shapes.approvals(call.world, call.merge_request, call.user))


def pipelines(call: Call) -> Answer:
    """List a merge request's pipelines."""
    one = call.merge_request
    own = [run for run in reversed(one.project.pipelines) if run.source != SOURCE]
    rows = [run for run in own if run.merge_request is one or run.ref == one.source_branch]
    return paged(call, rows, lambda run: shapes.pipeline_basic(call.world, run))


def versions(call: Call) -> Answer:
    """List the heads that a merge request has had, newest first (docs: api/merge_requests, diff versions)."""
    one = call.merge_request
    base = git_store.head(one.project.git_dir, one.target_branch)
    rows = list(enumerate(one.versions, start=1))[::-1]
    return paged(
        call,
        rows,
        lambda row: {
            "id": one.id * 1000 + row[0],
            "head_commit_sha": row[1][0],
            "base_commit_sha": base,
            "start_commit_sha": base,
            "created_at": shapes.date(row[1][1]),
            "merge_request_id": one.id,
            "state": "collected",
            "real_size": "1",
        },
    )
