"""Webhook payloads with GitLab's keys and its two kinds of dates (docs: webhook_events)."""

import hashlib
import re
from datetime import datetime
from typing import Any

from bot.sandbox import git_store
from bot.sandbox.ci.children import is_bridge
from bot.sandbox.state import Award, Issue, MergeRequest, Note, Noteable, Pipeline, Project, User, World

Json = dict[str, Any]
_VISIBILITY = {"private": 0, "internal": 10, "public": 20}
_STATES = {"opened": 1, "closed": 2, "merged": 3, "locked": 4}


def hook_date(moment: datetime | None) -> str | None:
    """Return a date as hooks show attributes of a row."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else None


def user(one: User) -> Json:
    """Return the actor."""
    return {
        "id": one.id,
        "name": one.name,
        "username": one.username,
        "avatar_url": hashlib.sha256(one.username.encode()).hexdigest()[:8],
        "email": "[REDACTED]",
    }


def project(world: World, one: Project) -> Json:
    """Return the project."""
    url = f"{world.base_url}/{one.path}"
    return {
        "id": one.id,
        "name": one.name,
        "description": "",
        "web_url": url,
        "avatar_url": None,
        "git_ssh_url": f"git@localhost:{one.path}.git",
        "git_http_url": f"{url}.git",
        "namespace": one.path.rsplit("/", 1)[0],
        "visibility_level": _VISIBILITY[one.visibility],
        "path_with_namespace": one.path,
        "default_branch": one.default_branch,
        "ci_config_path": None,
        "homepage": url,
        "url": f"git@localhost:{one.path}.git",
        "ssh_url": f"git@localhost:{one.path}.git",
        "http_url": f"{url}.git",
    }


def _frame(world: World, kind: str, event: str, actor: User, one: Project) -> Json:
    return {
        "object_kind": kind,
        "event_type": event,
        "user": user(actor),
        "project_id": one.id,
        "project": project(world, one),
        "repository": {"name": one.name, "url": "", "description": "", "homepage": f"{world.base_url}/{one.path}"},
    }


def noteable_url(world: World, one: Noteable) -> str:
    """Return the page of an issue or merge request."""
    folder = "issues" if one.kind == "issue" else "merge_requests"
    return f"{world.base_url}/{one.project.path}/-/{folder}/{one.iid}"


def note(world: World, of: Noteable, one: Note, action: str) -> Json:
    """A comment was written or edited; an edit shows the author as user, whoever edited."""
    hidden = one.is_internal or of.is_confidential
    frame = _frame(world, "note", "confidential_note" if hidden else "note", one.author, of.project)
    kinds = {"issue": "Issue", "merge_request": "MergeRequest"}
    return {
        **frame,
        "object_attributes": {
            "attachment": None,
            "author_id": one.author.id,
            "change_position": None,
            "commit_id": None,
            "created_at": hook_date(one.created_at),
            "discussion_id": one.discussion_id,
            "id": one.id,
            "internal": one.is_internal,
            "line_code": None,
            "note": one.body,
            "noteable_id": of.id,
            "noteable_type": kinds[of.kind],
            "original_position": None,
            "position": None,
            "project_id": of.project.id,
            "resolved_at": None,
            "resolved_by_id": None,
            "resolved_by_push": None,
            "st_diff": None,
            "system": False,
            "type": one.kind,
            "updated_at": hook_date(one.updated_at),
            "updated_by_id": None,
            "description": one.body,
            "url": f"{noteable_url(world, of)}#note_{one.id}",
            "action": action,
        },
        of.kind: noteable(world, of),
    }


def noteable(world: World, one: Noteable) -> Json:
    """Return the issue or merge request inside another event."""
    return merge_request_attributes(world, one) if isinstance(one, MergeRequest) else issue_attributes(world, one)


def issue_attributes(world: World, one: Noteable) -> Json:
    """Return an issue's attributes."""
    return {
        "id": one.id,
        "iid": one.iid,
        "title": one.title,
        "description": one.description,
        "author_id": one.author.id,
        "project_id": one.project.id,
        "state": one.state,
        "state_id": _STATES[one.state],
        "confidential": one.is_confidential,
        "labels": [],
        "assignee_ids": [],
        "created_at": hook_date(one.created_at),
        "updated_at": hook_date(one.updated_at),
        "url": noteable_url(world, one),
        "severity": "unknown",
        "type": "Issue",
    }


def issue(world: World, one: Issue, actor: User, action: str) -> Json:
    """An issue was opened, closed or changed."""
    event = "confidential_issue" if one.is_confidential else "issue"
    attributes = {**issue_attributes(world, one), "action": action}
    frame = _frame(world, "issue", event, actor, one.project)
    del frame["project_id"]  # only notes and reactions have it
    return {**frame, "object_attributes": attributes, "labels": [], "changes": {}, "assignees": []}


def merge_request_attributes(world: World, one: MergeRequest) -> Json:
    """Return a merge request's attributes."""
    sha = git_store.head((one.fork or one.project).git_dir, one.source_branch) or one.last_sha
    place = project(world, one.project)
    return {
        "id": one.id,
        "iid": one.iid,
        "title": one.title,
        "description": one.description,
        "author_id": one.author.id,
        "source_branch": one.source_branch,
        "target_branch": one.target_branch,
        "source_project_id": (one.fork or one.project).id,
        "target_project_id": one.project.id,
        "state": one.state,
        "state_id": _STATES[one.state],
        "draft": is_draft(one.title),
        "work_in_progress": is_draft(one.title),
        "merge_status": "unchecked",
        "detailed_merge_status": "unchecked",
        "merge_commit_sha": one.merge_commit_sha,
        "merge_when_pipeline_succeeds": one.auto_merge_by is not None,
        "merge_user_id": one.merged_by.id if one.merged_by else None,
        "created_at": hook_date(one.created_at),
        "updated_at": hook_date(one.updated_at),
        "last_commit": _commit(world, one.project, sha, one.updated_at) if sha else None,
        "source": place,
        "target": place,
        "url": noteable_url(world, one),
        "labels": [],
        "assignee_ids": [],
        "reviewer_ids": [],
        "blocking_discussions_resolved": True,
    }


def _commit(world: World, of: Project, sha: str, moment: datetime) -> Json:
    info = git_store.commit_info(of.git_dir, sha)
    return {
        "id": sha,
        "message": info["message"],
        "title": info["message"].split("\n")[0],
        "timestamp": moment.isoformat(),
        "url": f"{world.base_url}/{of.path}/-/commit/{sha}",
        "author": {"name": info["author"], "email": "[REDACTED]"},
    }


def _of_pipeline(world: World, one: MergeRequest) -> Json:
    """Return the merge request as the hook of its pipeline names it."""
    names = (
        "id iid title source_branch source_project_id target_branch target_project_id state merge_status "
        "detailed_merge_status url"
    ).split()
    attributes = merge_request_attributes(world, one)
    return {name: attributes[name] for name in names}


_DRAFT = re.compile(r"^(?:draft:|\[draft\]|\(draft\))\s*", re.IGNORECASE)


def is_draft(title: str) -> bool:
    """Tell a draft by its title."""
    return bool(_DRAFT.match(title))


def without_draft(title: str) -> str:
    """Return a title without the mark of a draft."""
    return _DRAFT.sub("", title)


def merge_request(world: World, one: MergeRequest, actor: User, action: str, **extra: Any) -> Json:
    """A merge request changed; `oldrev` only when it was pushed to."""
    attributes = {**merge_request_attributes(world, one), "action": action, **extra}
    frame = _frame(world, "merge_request", "merge_request", actor, one.project)
    del frame["project_id"]  # only notes and reactions have it
    return {**frame, "object_attributes": attributes, "labels": [], "changes": {}, "assignees": [], "reviewers": []}


def emoji(world: World, of: Noteable, on: Note | None, one: Award, kind: str) -> Json:
    """A reaction was given or taken back; it says who, not whether they may anything."""
    types = {"issue": "Issue", "merge_request": "MergeRequest"}
    payload = _frame(world, "emoji", kind, one.user, of.project)
    del payload["repository"]
    payload["object_attributes"] = {
        "user_id": one.user.id,
        "created_at": hook_date(one.created_at),
        "id": one.id,
        "name": one.name,
        "awardable_type": "Note" if on else types[of.kind],
        "awardable_id": on.id if on else of.id,
        "updated_at": hook_date(one.created_at),
        "action": kind,
        "awarded_on_url": noteable_url(world, of) + (f"#note_{on.id}" if on else ""),
    }
    if on is not None:
        payload["note"] = note(world, of, on, "create")["object_attributes"]
    payload[of.kind] = noteable(world, of)
    return payload


def pipeline(world: World, one: Pipeline) -> Json:
    """A pipeline has a new status."""
    request = one.merge_request
    frame = _frame(world, "pipeline", "pipeline", one.user, one.project)
    del frame["event_type"], frame["project_id"], frame["repository"]
    return {
        **frame,
        "object_attributes": {
            "id": one.id,
            "iid": one.iid,
            "name": None,
            "ref": request.source_branch if request else one.ref,
            "tag": False,
            "sha": one.sha,
            "before_sha": "0" * 40,
            "source": one.source,
            "status": one.status,
            "detailed_status": {"success": "passed"}.get(one.status, one.status),
            "stages": one.stages,
            "created_at": hook_date(one.created_at),
            "finished_at": hook_date(one.finished_at),
            "duration": None,
            "queued_duration": None,
            "variables": [],
            "url": f"{world.base_url}/{one.project.path}/-/pipelines/{one.id}",
        },
        "merge_request": _of_pipeline(world, request) if request else None,
        "commit": _commit(world, one.project, one.sha, one.created_at),
        "builds": [
            {
                "id": job.id,
                "stage": job.stage,
                "name": job.name,
                "status": job.status,
                "created_at": hook_date(job.created_at),
                "started_at": hook_date(job.started_at),
                "finished_at": hook_date(job.finished_at),
                "duration": None,
                "queued_duration": None,
                "failure_reason": job.failure_reason,
                "user": user(one.user),
                "artifacts_file": {"filename": None, "size": None},
                "when": job.when,
                "manual": job.when == "manual",
                "allow_failure": job.allow_failure,
                "runner": None,
                "environment": None,
            }
            for job in one.jobs
            if not is_bridge(job)
        ],
    }
