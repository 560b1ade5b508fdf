"""GitLab's entities as JSON (lib/api/entities), with every key the API documents as always there."""

from datetime import datetime
from typing import Any

from bot.sandbox import git_store, merging, rights
from bot.sandbox.ci import engine
from bot.sandbox.payloads import is_draft, noteable_url
from bot.sandbox.state import (
    Award,
    Job,
    MergeRequest,
    Note,
    Noteable,
    Pipeline,
    Project,
    Protection,
    Token,
    User,
    World,
)

Json = dict[str, Any]
TYPES = {"issue": "Issue", "merge_request": "MergeRequest"}
# What the deprecated `merge_status` says.
_OLD_STATUS = {"preparing": "checking", "checking": "checking", "conflict": "cannot_be_merged"}
ROLES = {0: "No one", 30: "Developers + Maintainers", 40: "Maintainers", 50: "Owners"}


def date(moment: datetime | None) -> str | None:
    """Return a date as the API shows it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z" if moment else None


def user(world: World, one: User | None) -> Json | None:
    """Return a user as others see them."""
    if one is None:
        return None
    return {
        "id": one.id,
        "username": one.username,
        "public_email": "",
        "name": one.name,
        "state": one.state,
        "locked": False,
        "avatar_url": None,
        "web_url": f"{world.base_url}/{one.username}",
    }


def account(world: World, one: User) -> Json:
    """Return a user with what only a full view has."""
    shown = user(world, one) or {}
    more = {"created_at": date(datetime.fromisoformat("2026-01-01T00:00:00+00:00")), "bot": one.is_bot, "bio": ""}
    return {**shown, **more}


def token(one: Token, number: int) -> Json:
    """Return a token without its value."""
    return {
        "id": number,
        "name": "token",
        "revoked": False,
        "created_at": date(one.created_at),
        "description": None,
        "scopes": list(one.scopes),
        "user_id": one.user.id,
        "last_used_at": None,
        "active": True,
        "expires_at": one.expires_at.date().isoformat() if one.expires_at else "2027-11-01",
    }


# Settings that only projects of a paid tier show (docs: api/projects).
_PREMIUM = ("merge_pipelines_enabled", "merge_trains_enabled")
_OF_TIERS = {"premium": _PREMIUM, "ultimate": (*_PREMIUM, "only_allow_merge_if_all_status_checks_passed")}


def project_simple(world: World, one: Project) -> Json:
    """Return the little of a project that `simple=true` asks for."""
    url, namespace = f"{world.base_url}/{one.path}", one.path.rsplit("/", 1)[0]
    return {
        "id": one.id,
        "description": None,
        "name": one.name,
        "name_with_namespace": one.path.replace("/", " / "),
        "path": one.name,
        "path_with_namespace": one.path,
        "created_at": date(one.created_at),
        "default_branch": one.default_branch,
        "ssh_url_to_repo": f"git@localhost:{one.path}.git",
        "http_url_to_repo": f"{url}.git",
        "web_url": url,
        "namespace": {"id": 1, "name": namespace, "path": namespace, "kind": "group", "full_path": namespace},
    }


def project(world: World, one: Project, asker: User) -> Json:
    """Return a project."""
    role = rights.level(one, asker)
    is_empty = not git_store.branches(one.git_dir)
    return {
        **project_simple(world, one),
        "default_branch": None if is_empty else one.default_branch,
        "empty_repo": is_empty,
        "archived": one.is_archived,
        "visibility": one.visibility,
        "permissions": {"project_access": {"access_level": role} if role else None, "group_access": None},
        "only_allow_merge_if_pipeline_succeeds": one.only_merge_when_green,
        "merge_method": one.merge_method,
        "squash_option": "default_off",
        "ci_config_path": one.ci_config_path,
        "builds_access_level": "disabled" if "builds" in one.off else "enabled",
        "merge_requests_access_level": "disabled" if "merge_requests" in one.off else "enabled",
        "shared_runners_enabled": True,
        **dict.fromkeys(_OF_TIERS.get(world.tier or "", ()), False),
        **(_paid_settings(one) if world.tier in ("premium", "ultimate") else {}),
    }


def _paid_settings(one: Project) -> Json:
    return {"merge_trains_enabled": one.has_merge_train, "merge_pipelines_enabled": one.has_merged_results}


def member(world: World, one: User, level: int) -> Json:
    """Return a member of a project."""
    shown = user(world, one) or {}
    return {
        **shown,
        "access_level": level,
        "created_at": None,
        "expires_at": None,
        "membership_state": "active",
    }


def note(world: World, of: Noteable, one: Note) -> Json:
    """Return a note."""
    return {
        "id": one.id,
        "type": one.kind,
        "body": one.body,
        "attachment": None,
        "author": user(world, one.author),
        "created_at": date(one.created_at),
        "updated_at": date(one.updated_at),
        "system": one.is_system,
        "noteable_id": of.id,
        "noteable_type": TYPES[of.kind],
        "project_id": of.project.id,
        "resolvable": False,
        "confidential": one.is_internal,
        "internal": one.is_internal,
        "imported": False,
        "imported_from": "none",
        "noteable_iid": of.iid,
        "commands_changes": {},
    }


def award(world: World, of: Noteable, on: Note | None, one: Award) -> Json:
    """Return a reaction."""
    return {
        "id": one.id,
        "name": one.name,
        "user": user(world, one.user),
        "created_at": date(one.created_at),
        "updated_at": date(one.created_at),
        "awardable_id": on.id if on else of.id,
        "awardable_type": "Note" if on else TYPES[of.kind],
        "url": None,
    }


def noteable(world: World, one: Noteable) -> Json:
    """Return what issues and merge requests share."""
    counted = [award for award in one.awards if award.name in ("thumbsup", "thumbsdown")]
    ups = sum(award.name == "thumbsup" for award in counted)
    return {
        "id": one.id,
        "iid": one.iid,
        "project_id": one.project.id,
        "title": one.title,
        "description": one.description,
        "state": one.state,
        "created_at": date(one.created_at),
        "updated_at": date(one.updated_at),
        "closed_at": date(one.updated_at) if one.state == "closed" else None,
        "closed_by": None,
        "labels": [],
        "milestone": None,
        "assignees": [],
        "author": user(world, one.author),
        "assignee": None,
        "user_notes_count": sum(not note.is_system for note in one.notes),
        "upvotes": ups,
        "downvotes": len(counted) - ups,
        "discussion_locked": None,
        "web_url": noteable_url(world, one),
        "time_stats": {
            "time_estimate": 0,
            "total_time_spent": 0,
            "human_time_estimate": None,
            "human_total_time_spent": None,
        },
        "task_completion_status": {"count": 0, "completed_count": 0},
    }


def _references(one: Noteable, sign: str) -> Json:
    short = f"{sign}{one.iid}"
    return {"short": short, "relative": short, "full": f"{one.project.path}{short}"}


def issue(world: World, one: Noteable) -> Json:
    """Return an issue."""
    return {
        **noteable(world, one),
        "confidential": one.is_confidential,
        "due_date": None,
        "issue_type": "issue",
        "type": "ISSUE",
        "severity": "UNKNOWN",
        "references": _references(one, "#"),
    }


def merge_request_basic(world: World, one: MergeRequest) -> Json:
    """Return a merge request, as lists show it."""
    return {**noteable(world, one), **_merge_facts(world, one, merging.merge_status(one), _head(one))}


def _head(one: MergeRequest) -> str:
    head = git_store.head((one.fork or one.project).git_dir, one.source_branch)
    return one.last_sha if one.state == "merged" else head or one.last_sha


def _changes_count(one: MergeRequest) -> str | None:
    """GitLab counts in a text, and says nothing where nothing is changed."""
    if one.fork is not None:
        return "1"
    git_dir, target = one.project.git_dir, one.merged_onto or one.target_branch
    count = len(git_store.changed_files(git_dir, target, _head(one)))
    return str(count) if count else None


def merge_request(world: World, one: MergeRequest, asker: User) -> Json:
    """Return a merge request, as a single reading shows it."""
    run, sha = engine.last_head_pipeline(one), _head(one)
    target = git_store.head(one.project.git_dir, one.target_branch)
    return {
        **merge_request_basic(world, one),
        "subscribed": True,
        "changes_count": _changes_count(one),
        "latest_build_started_at": date(run.created_at) if run else None,
        "latest_build_finished_at": date(run.finished_at) if run else None,
        "first_deployed_to_production_at": None,
        "merge_error": None,
        "first_contribution": False,
        "user": {"can_merge": rights.may_merge(one.project, asker, one.target_branch)},
        "diff_refs": {"base_sha": target, "head_sha": sha, "start_sha": target},
        "pipeline": pipeline_basic(world, run) if run else None,
        "head_pipeline": pipeline(world, run) if run else None,
    }


def _merge_facts(world: World, one: MergeRequest, status: str, sha: str) -> Json:
    draft, merged = is_draft(one.title), one.state == "merged"
    return {
        "merged_by": user(world, one.merged_by),
        "merge_user": user(world, one.merged_by or one.auto_merge_by),
        "merged_at": date(one.updated_at) if merged else None,
        "target_branch": one.target_branch,
        "source_branch": one.source_branch,
        "reviewers": [],
        "source_project_id": (one.fork or one.project).id,
        "target_project_id": one.project.id,
        "draft": draft,
        "work_in_progress": draft,
        "imported": False,
        "imported_from": "none",
        "merge_when_pipeline_succeeds": one.auto_merge_by is not None,
        "merge_status": _OLD_STATUS.get(status, "can_be_merged"),
        "detailed_merge_status": status,
        "sha": sha or None,
        "merge_commit_sha": one.merge_commit_sha,
        "squash_commit_sha": None,
        "should_remove_source_branch": None,
        "force_remove_source_branch": one.remove_source_branch,
        "prepared_at": None if status == "preparing" else date(one.created_at),
        "reference": f"!{one.iid}",
        "references": _references(one, "!"),
        "squash": False,
        "squash_on_merge": False,
        "has_conflicts": status == "conflict",
        "blocking_discussions_resolved": True,
    }


def approvals(world: World, one: MergeRequest, asker: User) -> Json:
    """Return approvals as the free edition shows them."""
    has = any(by.id == asker.id for by, _ in one.approvals)
    return {
        "user_has_approved": has,
        "user_can_approve": not has and rights.level(one.project, asker) >= 30,
        "approved": bool(one.approvals),
        "approved_by": [{"user": user(world, by), "approved_at": date(at)} for by, at in one.approvals],
    }


def pipeline_basic(world: World, one: Pipeline) -> Json:
    """Return a pipeline as lists show it."""
    return {
        "id": one.id,
        "iid": one.iid,
        "project_id": one.project.id,
        "sha": one.sha,
        "ref": one.ref,
        "status": one.status,
        "source": one.source,
        "created_at": date(one.created_at),
        "updated_at": date(one.updated_at),
        "web_url": f"{world.base_url}/{one.project.path}/-/pipelines/{one.id}",
        "name": None,
    }


def pipeline(world: World, one: Pipeline) -> Json:
    """Return a pipeline."""
    label = {"success": "passed"}.get(one.status, one.status)
    took = (one.finished_at - one.created_at).total_seconds() if one.finished_at else None
    return {
        **pipeline_basic(world, one),
        "before_sha": "0" * 40,
        "tag": False,
        "yaml_errors": one.yaml_errors,
        "user": user(world, one.user),
        "started_at": date(one.created_at),
        "finished_at": date(one.finished_at),
        "committed_at": None,
        "duration": None if took is None else int(took),
        "queued_duration": 0,
        "coverage": None,
        "detailed_status": {
            "icon": f"status_{one.status}",
            "text": label,
            "label": label,
            "group": one.status,
            "tooltip": label,
            "has_details": True,
        },
    }


def job(world: World, run: Pipeline, one: Job) -> Json:
    """Return a job; `failure_reason` only when it failed."""
    shown = {
        "id": one.id,
        "status": one.status,
        "stage": one.stage,
        "name": one.name,
        "ref": run.ref,
        "tag": False,
        "coverage": None,
        "allow_failure": one.allow_failure,
        "created_at": date(one.created_at),
        "started_at": date(one.started_at),
        "finished_at": date(one.finished_at),
        "erased_at": None,
        "duration": _seconds(one),
        "queued_duration": None,
        "user": account(world, run.user),
        "commit": commit(world, run.project, run.sha),
        "pipeline": pipeline_basic(world, run),
        "project": {"ci_job_token_scope_enabled": False},
        "web_url": f"{world.base_url}/{run.project.path}/-/jobs/{one.id}",
        "artifacts": [],
        "runner": None,
        "artifacts_expire_at": None,
        "archived": False,
        "tag_list": [str(tag) for tag in one.config.get("tags") or ()],
    }
    return {**shown, **({"failure_reason": one.failure_reason} if one.failure_reason else {})}


def _seconds(one: Job) -> float | None:
    return (one.finished_at - one.started_at).total_seconds() if one.started_at and one.finished_at else None


def bridge(world: World, run: Pipeline, one: Job) -> Json:
    """Return a job that starts another pipeline; it runs on no runner and keeps nothing."""
    unknown = ("artifacts", "runner", "artifacts_expire_at", "tag_list")
    shown = {name: value for name, value in job(world, run, one).items() if name not in unknown}
    return {**shown, "downstream_pipeline": pipeline_basic(world, one.child) if one.child else None}


def commit(world: World, of: Project, sha: str) -> Json:
    """Return a commit."""
    info = git_store.commit_info(of.git_dir, sha)
    when = date(info["date"])
    return {
        "id": sha,
        "short_id": sha[:8],
        "created_at": when,
        "parent_ids": info["parents"],
        "title": info["message"].split("\n")[0],
        "message": info["message"],
        "author_name": info["author"],
        "author_email": info["email"],
        "authored_date": when,
        "committer_name": info["author"],
        "committer_email": info["email"],
        "committed_date": when,
        "trailers": {},
        "web_url": f"{world.base_url}/{of.path}/-/commit/{sha}",
    }


def branch(world: World, of: Project, name: str, sha: str, asker: User) -> Json:
    """Return a branch; `can_push` is for who asks."""
    rules = of.rules_for(name)
    return {
        "name": name,
        "commit": commit(world, of, sha),
        "merged": False,
        "protected": bool(rules),
        "developers_can_push": any(0 < rule.push <= 30 for rule in rules),
        "developers_can_merge": any(0 < rule.merge <= 30 for rule in rules),
        "can_push": rights.may_push(of, asker, name),
        "default": name == of.default_branch,
        "web_url": f"{world.base_url}/{of.path}/-/tree/{name}",
    }


def protection(name: str, rule: Protection) -> Json:
    """Return the rule of a protected branch."""
    return {
        "id": 1,
        "name": name,
        "push_access_levels": [_access(rule.push)],
        "merge_access_levels": [_access(rule.merge), *(_access(40, user_id) for user_id in sorted(rule.mergers))],
        "allow_force_push": False,
        "unprotect_access_levels": [],
    }


def _access(level: int, user_id: int | None = None) -> Json:
    described = {"id": 1, "access_level": level, "access_level_description": ROLES[level]}
    return {**described, "user_id": user_id, "group_id": None}
