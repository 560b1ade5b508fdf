"""What an account does to the world: the one way there, for the REST API, the pages and the stories alike."""

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox import git_store, hooks, merging, payloads, quick_actions, todos
from bot.sandbox.ci import engine
from bot.sandbox.rights import ApiError, level, may_see_noteable, message
from bot.sandbox.state import (
    Award,
    Issue,
    MergeRequest,
    Note,
    Noteable,
    NoteableKind,
    Project,
    User,
    World,
    now,
)


def open_issue(
    world: World, project: Project, user: User, title: str, description: str, *, is_confidential: bool = False
) -> Issue:
    """Open an issue."""
    text, commands = quick_actions.extract(description)
    issue = Issue(world.next_id(), len(project.issues) + 1, project, user, title, text, is_confidential=is_confidential)
    project.issues.append(issue)
    todos.on_mention(world, issue, user, text)
    _emit_issue(world, issue, user, "open")
    for name, argument in commands:
        _carry_out(world, issue, user, name, argument)
    return issue


def _emit_issue(world: World, issue: Issue, user: User, action: str) -> None:
    event = "confidential_issue" if issue.is_confidential else "issue"
    hooks.emit(world, issue.project, event, payloads.issue(world, issue, user, action))


def comment(
    world: World,
    of: Noteable,
    user: User,
    body: str,
    *,
    is_internal: bool = False,
    discussion_id: str | None = None,
) -> Note | dict[str, Any]:
    """Write a note; commands are cut out and carried out, and a note of nothing else is not kept."""
    text, commands = quick_actions.extract(body)
    summary = [_carry_out(world, of, user, name, argument) for name, argument in commands]
    if commands and not text.strip():
        return {"commands_changes": {}, "summary": summary}
    parent = next((note for note in of.notes if note.discussion_id == discussion_id), None)
    if parent is not None:
        parent.kind = "DiscussionNote"  # an answer makes a thread of a comment that stood alone
    note = Note(
        world.next_id(),
        user,
        text,
        discussion_id or _discussion_id(),
        kind="DiscussionNote" if discussion_id else None,
        is_internal=is_internal or bool(parent and parent.is_internal),
    )
    of.notes.append(note)
    todos.on_act(world, of, user)
    todos.on_mention(world, of, user, text, note)
    _emit_note(world, of, note, "create")
    return note


def _discussion_id() -> str:
    return hashlib.sha1(uuid.uuid4().bytes, usedforsecurity=False).hexdigest()


def edit(world: World, of: Noteable, note: Note, body: str, *, by: User | None = None) -> None:
    """Change a note's text; when only commands are left the note is gone."""
    editor = by or note.author
    text, commands = quick_actions.extract(body)
    for name, argument in commands:
        _carry_out(world, of, editor, name, argument)
    if commands and not text.strip():
        of.notes.remove(note)
        return
    before, note.body, note.updated_at = note.body, text, now()
    if before != text:
        note.edited_at = note.updated_at
        todos.on_act(world, of, editor)
        todos.on_mention(world, of, editor, text, note, before=before)
        _emit_note(world, of, note, "update")


def describe(world: World, issue: Issue, user: User, description: str) -> None:
    """Change a description; whoever may change the issue may, not its author alone."""
    before, issue.description, issue.updated_at = issue.description, description, now()
    todos.on_mention(world, issue, user, description, before=before)
    _emit_issue(world, issue, user, "update")


def _emit_note(world: World, of: Noteable, note: Note, action: str) -> None:
    hidden = note.is_internal or of.is_confidential
    event = "confidential_note" if hidden else "note"
    hooks.emit(world, of.project, event, payloads.note(world, of, note, action))


def _carry_out(world: World, of: Noteable, user: User, name: str, argument: str) -> str:
    refused = f"Could not apply {name} command."
    if name == "approve" and isinstance(of, MergeRequest):
        try:
            approve(world, of, user)
        except ApiError:
            return refused
        return "Approved the current merge request."
    if not _may_change(of, user):
        return refused
    if name in ("close", "reopen"):
        set_state(world, of, user, name)
        return f"{name.capitalize()}d this."
    if name == "title" and argument:
        _retitle(world, of, user, argument)
        return "Changed the title."
    if name in ("ready", "draft") and isinstance(of, MergeRequest) and payloads.is_draft(of.title) is (name == "ready"):
        bare = payloads.without_draft(of.title)
        _retitle(world, of, user, bare if name == "ready" else f"Draft: {bare}")
        return f"Marked this merge request as {name}."
    return refused


def _may_change(of: Noteable, user: User) -> bool:
    return level(of.project, user) >= (30 if isinstance(of, MergeRequest) else 15) or of.author.id == user.id


def _retitle(world: World, of: Noteable, user: User, title: str) -> None:
    of.title, of.updated_at = title, now()
    if isinstance(of, MergeRequest):
        hooks.emit(world, of.project, "merge_request", payloads.merge_request(world, of, user, "update"))
        merging.go_on(world, of)
    elif isinstance(of, Issue):
        _emit_issue(world, of, user, "update")


def system_note(world: World, of: Noteable, user: User, text: str) -> None:
    """Let GitLab itself note something; no webhook tells of it."""
    of.notes.append(Note(world.next_id(), user, text, _discussion_id(), is_system=True))


def react(world: World, of: Noteable, note: Note | None, user: User, name: str) -> Award:
    """Award an emoji; twice is refused."""
    awards = note.awards if note else of.awards
    if any(one.user.id == user.id and one.name == name for one in awards):
        raise message(404, "404 Award Emoji Name has already been taken Not Found")
    award = Award(world.next_id(), name, user)
    awards.append(award)
    if note is not None:
        note.updated_at = award.created_at
    todos.on_act(world, of, user)
    hooks.emit(world, of.project, "emoji", payloads.emoji(world, of, note, award, "award"))
    return award


def unreact(world: World, of: Noteable, note: Note | None, award: Award) -> None:
    """Take a reaction back."""
    (note.awards if note else of.awards).remove(award)
    hooks.emit(world, of.project, "emoji", payloads.emoji(world, of, note, award, "revoke"))


def set_state(world: World, of: Noteable, user: User, action: str) -> None:
    """Close or reopen."""
    wanted = "closed" if action == "close" else "opened"
    if of.state in (wanted, "merged"):
        return
    if isinstance(of, MergeRequest) and wanted == "opened":
        _require_only_one(of.project, of.source_branch)
    of.state, of.updated_at = wanted, now()
    if isinstance(of, MergeRequest):
        of.auto_merge_by = None
        hooks.emit(world, of.project, "merge_request", payloads.merge_request(world, of, user, action))
    else:
        assert isinstance(of, Issue)  # there are two kinds
        _emit_issue(world, of, user, action)


def push(
    world: World,
    project: Project,
    user: User,
    branch: str,
    actions: Sequence[Mapping[str, Any]],
    text: str,
    *,
    start: str | None = None,
) -> str:
    """Commit on a branch; merge requests of the branch hear of it and pipelines begin."""
    if project.message_rule is not None and not re.search(project.message_rule, text):
        raise message(400, f"GitLab: Commit message does not follow the pattern '{project.message_rule}'")
    before = git_store.head(project.git_dir, branch)
    sha = git_store.commit(
        project.git_dir, branch=branch, start=before or start, message=text, actions=actions, user=user
    )
    if project.default_branch is None:
        project.default_branch = branch
    requests = [one for one in project.merge_requests if one.state == "opened" and _is_of(one, project, branch)]
    for request in requests:
        request.unsettled_reads, request.auto_merge_by = world.unsettled_reads, None
        request.stands_at(sha)
        event = payloads.merge_request(world, request, user, "update", oldrev=before)
        hooks.emit(world, project, "merge_request", event)
        engine.on_merge_request(world, request, user)
    engine.on_push(world, project, branch, sha, user)
    return sha


def open_merge_request(
    world: World,
    project: Project,
    user: User,
    *,
    source: str,
    target: str,
    title: str,
    description: str,
) -> MergeRequest:
    """Open a merge request; one for a branch at a time."""
    if "merge_requests" in project.off:
        raise message(403, "403 Forbidden")
    _require_only_one(project, source)
    iid = len(project.merge_requests) + 1
    text, commands = quick_actions.extract(description)
    request = MergeRequest(world.next_id(), iid, project, user, title, text)
    request.source_branch, request.target_branch = source, target
    request.unsettled_reads = world.unsettled_reads
    request.stands_at(git_store.head(project.git_dir, source) or "")
    project.merge_requests.append(request)
    todos.on_mention(world, request, user, text)
    hooks.emit(world, project, "merge_request", payloads.merge_request(world, request, user, "open"))
    for name, argument in commands:
        _carry_out(world, request, user, name, argument)
    engine.on_merge_request(world, request, user)
    return request


def _require_only_one(project: Project, source: str) -> None:
    other = [one for one in project.merge_requests if one.state == "opened" and _is_of(one, project, source)]
    if other:
        text = f"Another open merge request already exists for this source branch: !{other[0].iid}"
        raise message(409, [text])


def open_from_fork(world: World, project: Project, fork: Project, user: User, branch: str, title: str) -> MergeRequest:
    """Open a merge request whose branch lies in another project; whoever sees the project may."""
    request = MergeRequest(world.next_id(), len(project.merge_requests) + 1, project, user, title, "")
    request.source_branch, request.target_branch, request.fork = branch, project.default_branch or "main", fork
    request.stands_at(git_store.head(fork.git_dir, branch) or "")
    git_store.fetch(project.git_dir, fork.git_dir, branch, f"refs/merge-requests/{request.iid}/head")
    project.merge_requests.append(request)
    hooks.emit(world, project, "merge_request", payloads.merge_request(world, request, user, "open"))
    return request


def _is_of(request: MergeRequest, project: Project, branch: str) -> bool:
    return (request.fork or request.project) is project and request.source_branch == branch


def approve(world: World, request: MergeRequest, user: User) -> None:
    """Approve; whoever may not, or did already, gets 401."""
    if level(request.project, user) < 30:
        raise message(403, "403 Forbidden")
    if request.state != "opened" or any(one.id == user.id for one, _ in request.approvals):
        raise message(401, "401 Unauthorized")
    request.approvals.append((user, now()))
    system_note(world, request, user, "approved this merge request")
    is_met = len(request.approvals) >= request.project.approvals_needed  # with rules unmet it is "approval"
    event = payloads.merge_request(world, request, user, "approved" if is_met else "approval")
    hooks.emit(world, request.project, "merge_request", event)
    merging.go_on(world, request)


def unapprove(world: World, request: MergeRequest, user: User) -> None:
    """Take an approval back."""
    if all(one.id != user.id for one, _ in request.approvals):
        raise message(404, "404 Not found")
    request.approvals = [(one, at) for one, at in request.approvals if one.id != user.id]
    hooks.emit(world, request.project, "merge_request", payloads.merge_request(world, request, user, "unapproved"))


def find(project: Project, kind: NoteableKind, iid: int, user: User) -> Noteable:
    """Return an issue or merge request that the account may see, or refuse with 404."""
    found = project.noteable(kind, iid)
    if found is None or not may_see_noteable(found, user):
        raise message(404, "404 Not found")
    return found


def update_merge_request(
    world: World, request: MergeRequest, user: User, *, title: str | None, description: str | None
) -> None:
    """Change the title or the description; commands in a description are carried out, not kept."""
    before = (request.title, request.description)
    if title is not None:
        if not title.strip():
            raise message(400, {"title": ["can't be blank"]})
        request.title = title
    if description is not None:
        request.description, commands = quick_actions.extract(description)
        for name, argument in commands:
            _carry_out(world, request, user, name, argument)
    if before == (request.title, request.description):
        return
    request.updated_at = now()
    hooks.emit(world, request.project, "merge_request", payloads.merge_request(world, request, user, "update"))
    merging.go_on(world, request)
