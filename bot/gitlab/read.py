"""Turns GitLab's JSON into values."""

from datetime import datetime
from typing import Any

from bot.domain import Included, Noteable, Person, ProjectRef
from bot.gitlab.values import (
    AwardEmoji,
    Commit,
    Given,
    Hook,
    HookEvent,
    Job,
    MergeRequest,
    Note,
    OwnToken,
    Pipeline,
    Project,
    Todo,
)

Json = dict[str, Any]

HOOK_EVENTS = (
    "note_events",
    "confidential_note_events",
    "issues_events",
    "confidential_issues_events",
    "merge_requests_events",
    "pipeline_events",
    "emoji_events",
)


# Settings of a project that are shown only where the tier has them (docs: api/projects).
_OF_TIER = {"only_allow_merge_if_all_status_checks_passed": "ultimate", "merge_pipelines_enabled": "premium"}


def person(json: Json) -> Person:
    """Read a user."""
    return Person(id=json["id"], username=json["username"])


def project(json: Json) -> Project:
    """Read a project."""
    return Project(
        id=json["id"],
        path=json["path_with_namespace"],
        default_branch=json.get("default_branch"),
        web_url=json["web_url"],
        is_empty=bool(json.get("empty_repo")),
        visibility=json.get("visibility", "private"),
        is_archived=bool(json.get("archived")),
        own_level=_own_level(json.get("permissions") or {}),
        has_merge_train=bool(json.get("merge_trains_enabled")),
        ci_path=json.get("ci_config_path") or "",
        has_ci=json.get("builds_access_level") != "disabled",
        has_merge_requests=json.get("merge_requests_access_level") != "disabled",
        tier=next((tier for key, tier in _OF_TIER.items() if key in json), ""),
    )


def _own_level(permissions: Json) -> int | None:
    """Return our role by membership in the project or its groups; shares with other groups are not told here."""
    told = [permissions.get(name) for name in ("project_access", "group_access")]
    levels = [int(one["access_level"]) for one in told if one]
    return max(levels, default=None)


def note(json: Json) -> Note:
    """Read a note."""
    return Note(
        id=json["id"],
        author=person(json["author"]),
        body=json.get("body") or "",
        is_system=bool(json.get("system")),
        is_internal=bool(json.get("internal") or json.get("confidential")),
        created_at=json.get("created_at") or "",
        is_touched=json.get("updated_at") != json.get("created_at"),
    )


def award(json: Json) -> AwardEmoji:
    """Read a reaction."""
    return AwardEmoji(
        id=json["id"], name=json["name"], author=person(json["user"]), created_at=_moment(json.get("created_at"))
    )


def given(json: Json) -> Given:
    """Read one of the approvals that stand."""
    return Given(person=person(json["user"]), at=_moment(json.get("approved_at")))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def todo(json: Json) -> Todo:
    """Read an entry of a to-do list about an issue or a merge request."""
    target, project = json["target"], json["project"]
    page = str(target["web_url"])
    return Todo(
        id=json["id"],
        author=person(json["author"]),
        project=ProjectRef(id=project["id"], path=project["path_with_namespace"], web_url=page.partition("/-/")[0]),
        noteable=Noteable(kind="issue" if json["target_type"] == "Issue" else "merge_request", iid=target["iid"]),
        noteable_id=target["id"],
        noteable_created_at=target["created_at"],
        noteable_author=person(target["author"]),
        title=target["title"],
        description=target.get("description") or "",
        is_confidential=bool(target.get("confidential")),
        is_of_description="#note_" not in str(json.get("target_url")),
    )


def pipeline(json: Json) -> Pipeline:
    """Read a pipeline."""
    return Pipeline(
        id=json["id"],
        status=json["status"],
        ref=json["ref"],
        sha=json["sha"],
        web_url=json.get("web_url") or "",
        project_id=json.get("project_id"),
        yaml_errors=json.get("yaml_errors"),
        created_at=_moment(json.get("created_at")),
        started_at=_moment(json.get("started_at")),
    )


def job(json: Json) -> Job:
    """Read a job."""
    return Job(
        id=json["id"],
        name=json["name"],
        stage=json["stage"],
        status=json["status"],
        web_url=json.get("web_url") or "",
        failure_reason=json.get("failure_reason"),
        may_fail=bool(json.get("allow_failure")),
        pipeline_id=(json.get("pipeline") or {}).get("id"),
        tags=tuple(map(str, json.get("tag_list") or ())),
        seconds=float(json.get("duration") or 0.0),
    )


def merge_request(json: Json) -> MergeRequest:
    """Read a merge request; after a fast-forward the head itself is what was merged.

    Until there is a pipeline of a new head, GitLab shows that of an earlier one, which says nothing of it.
    """
    merged = json.get("merge_commit_sha") or json.get("squash_commit_sha")
    is_merged = json["state"] == "merged"
    run = json.get("head_pipeline") or json.get("pipeline")
    return MergeRequest(
        iid=json["iid"],
        title=json["title"],
        state=json["state"],
        is_draft=bool(json.get("draft", json.get("work_in_progress"))),
        sha=json.get("sha") or "",
        source_branch=json["source_branch"],
        target_branch=json["target_branch"],
        detailed_merge_status=json.get("detailed_merge_status") or json.get("merge_status") or "unchecked",
        web_url=json["web_url"],
        author=person(json["author"]),
        pipeline=pipeline(run) if run and run["sha"] == json.get("sha") else None,
        merged_sha=(merged or json.get("sha")) if is_merged else None,
        may_merge=bool((json.get("user") or {}).get("can_merge", True)),
        is_armed=bool(json.get("merge_when_pipeline_succeeds")),
    )


def merged_result(json: Json) -> Pipeline | None:
    """Read the pipeline of a merge request that runs on its merge into the target, a commit of its own."""
    run = json.get("head_pipeline") or {}
    is_one = run.get("ref") in [f"refs/merge-requests/{json['iid']}/{kind}" for kind in ("merge", "train")]
    return pipeline(run) if is_one else None


def included(json: Json) -> Included:
    """Read a file that took part in a configuration."""
    location, kind = str(json.get("location") or ""), str(json.get("type") or "")
    project = str((json.get("extra") or {}).get("project") or "")
    return Included(kind=kind, location=location.lstrip("/") if kind == "file" else location, project=project)


def commit(json: Json) -> Commit:
    """Read a commit."""
    return Commit(sha=str(json["id"]), parents=tuple(json.get("parent_ids") or ()))


def own_token(json: Json) -> OwnToken:
    """Read the token in use."""
    last = json.get("expires_at")
    return OwnToken(
        scopes=tuple(json.get("scopes") or ()), expires_on=datetime.fromisoformat(last).date() if last else None
    )


def hook(json: Json) -> Hook:
    """Read a webhook."""
    return Hook(
        id=json["id"],
        url=json["url"],
        alert_status=json.get("alert_status") or "executable",
        events=tuple(name for name in HOOK_EVENTS if json.get(name)),
        has_signing_token=bool(json.get("signing_token_present")),
    )


def hook_event(json: Json) -> HookEvent:
    """Read a delivery of a webhook."""
    at = json.get("created_at")
    return HookEvent(status=str(json.get("response_status") or ""), at=datetime.fromisoformat(at) if at else None)
