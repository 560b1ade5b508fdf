"""Webhook payloads as GitLab sends them, shortened to what its documentation promises."""

from typing import Any

from bot.domain import Person

BOT = Person(id=99, username="pipewright-bot")
ADA = Person(id=5, username="ada")
NAMES = ("pipewright", BOT.username)
HEAD, BEFORE = "a" * 40, "b" * 40

Json = dict[str, Any]


def _hook(kind: str, event_type: str, attributes: Json, **more: Any) -> Json:
    return {
        "object_kind": kind,
        "event_type": event_type,
        "user": {"id": ADA.id, "username": ADA.username, "name": "Ada", "email": "[REDACTED]"},
        "project": {"id": 7, "path_with_namespace": "team/app", "web_url": "https://gitlab.test/team/app"},
        "object_attributes": attributes,
        **more,
    }


def by(user: Person, payload: Json) -> Json:
    """Return the payload as if this account had acted."""
    return payload | {"user": {"id": user.id, "username": user.username}}


ISSUE: Json = {"id": 301, "iid": 17, "title": "Please add CI", "confidential": False}
REQUEST: Json = {"id": 401, "iid": 3, "title": "Draft: Add CI", "source_branch": "ci"}


def note(
    text: object = "@pipewright generate", *, event_type: str = "note", on: Json | None = None, **changes: Any
) -> Json:
    """A note hook; `on` says what the note hangs on."""
    attributes = {"id": 1244, "note": text, "author_id": ADA.id, "system": False, "internal": False, "type": None}
    attributes |= {"action": "create", "discussion_id": "d15c"}
    return _hook("note", event_type, attributes | changes, **(on or {"issue": ISSUE}))


def issue(text: object = "@pipewright generate", *, event_type: str = "issue", **changes: Any) -> Json:
    """An issue hook."""
    attributes = {**ISSUE, "description": text, "action": "open", "author_id": ADA.id}
    return _hook("issue", event_type, attributes | changes)


def emoji(event_type: str = "award", *, on: Json | None = None, **changes: Any) -> Json:
    """An emoji hook; on note 1245 of the issue unless said otherwise."""
    attributes = {"id": 8, "name": "thumbsup", "awardable_type": "Note", "awardable_id": 1245, "user_id": ADA.id}
    return _hook("emoji", event_type, attributes | changes, **(on or {"note": {"id": 1245}, "issue": ISSUE}))


def merge_request(action: str | None = "approved", **changes: Any) -> Json:
    """A merge request hook."""
    attributes = {**REQUEST, "action": action, "last_commit": {"id": HEAD}}
    return _hook("merge_request", "merge_request", attributes | changes)


def pipeline(**changes: Any) -> Json:
    """A pipeline hook."""
    attributes = {"id": 31, "iid": 3, "ref": "ci", "sha": HEAD, "status": "success", "source": "merge_request_event"}
    return _hook("pipeline", "pipeline", attributes | changes)
