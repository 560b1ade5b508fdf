"""Reads what GitLab delivers: is it authentic, and which of a few facts does it state.

Payloads: docs.gitlab.com/user/project/integrations/webhook_events. Nothing here does I/O, and no payload,
however odd, raises: what is not understood is None, "ignore".
"""

import base64
import binascii
import hmac
import re
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any, Literal, cast

from bot.domain import (
    Event,
    Mention,
    MergeRequestAction,
    MergeRequestChanged,
    Noteable,
    Person,
    PipelineChanged,
    ProjectRef,
    Reaction,
)
from bot.domain.places import mention_of

SIGNATURE_TOLERANCE_SECONDS = 300.0
_OTHER_BOTS = re.compile(r"^(?:(?:project|group)_\d+_bot(?:_[0-9a-f]+)?|service_account_.+|ghost|GitLab-.*)$", re.I)
# With approval rules unmet GitLab says "approval" for the same act (webhook_events, merge request events).
_ACTIONS: dict[str, MergeRequestAction] = {
    "close": "close",
    "reopen": "reopen",
    "update": "update",
    "merge": "merge",
    "approved": "approved",
    "approval": "approved",
    "unapproved": "unapproved",
    "unapproval": "unapproved",
}
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

Json = Mapping[str, Any]


def is_authentic(
    headers: Mapping[str, str], body: bytes, *, secret: str | None, signing_token: str | None, now: float
) -> bool:
    """Check a delivery in constant time; header names are lower case.

    A signature (GitLab 19.0, Standard Webhooks) that is present must verify and be at most five minutes old;
    the plain token counts only where there is no signature.
    """
    signature = headers.get("webhook-signature")
    if signature is not None and signing_token:
        return _is_signed(headers, body, signature, signing_token, now)
    token = headers.get("x-gitlab-token")
    if token is None or not secret:
        return False
    return hmac.compare_digest(token.encode(), secret.encode())


def _is_signed(headers: Mapping[str, str], body: bytes, signature: str, signing_token: str, now: float) -> bool:
    identity, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not re.fullmatch(r"\d{1,12}", timestamp) or abs(now - int(timestamp)) > SIGNATURE_TOLERANCE_SECONDS:
        return False
    try:
        key = base64.b64decode(signing_token.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return False
    expected = _signature(key, f"{identity}.{timestamp}.".encode() + body)
    candidates = [part.removeprefix("v1,") for part in signature.split() if part.startswith("v1,")]
    return any(hmac.compare_digest(expected, candidate.encode()) for candidate in candidates)


def signed(body: bytes, signing_token: str, *, name: str, now: int) -> dict[str, str]:
    """Return the headers with which GitLab would sign a delivery of this name; a token that is none signs nothing."""
    try:
        key = base64.b64decode(signing_token.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return {}
    signature = _signature(key, f"{name}.{now}.".encode() + body).decode()
    return {"webhook-id": name, "webhook-timestamp": str(now), "webhook-signature": f"v1,{signature}"}


def _signature(key: bytes, text: bytes) -> bytes:
    return base64.b64encode(hmac.digest(key, text, "sha256"))


def read_webhook(payload: object, *, bot: Person, mention_names: Collection[str]) -> Event | None:
    """Return the fact a payload states, or None when it is none of ours."""
    if not isinstance(payload, dict):
        return None
    project, author, kind = _project(payload), _author(payload), payload.get("object_kind")
    if project is None:
        return None
    if kind == "pipeline":
        return _pipeline(payload, project)
    if author is None or (kind != "merge_request" and not is_heard(author, bot)):
        return None
    return _act_of_a_person(payload, kind, project, author, mention_names)


def _act_of_a_person(
    payload: Json, kind: object, project: ProjectRef, author: Person, mention_names: Collection[str]
) -> Event | None:
    match kind:
        case "note":
            return _note(payload, project, author, mention_names)
        case "issue":
            return _description(payload, project, author, mention_names)
        case "emoji":
            return _emoji(payload, project, author)
        case "merge_request":
            return _merge_request(payload, project, author)
        case _:
            return None


def mentions(text: str, names: Collection[str]) -> bool:
    """Tell whether a text names one of `names` with an @; whether it does so in a quote is judged later."""
    return bool(names) and bool(_mention_of(tuple(names)).search(text))


@cache
def _mention_of(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(mention_of(names), re.IGNORECASE)


def is_heard(author: Person, bot: Person) -> bool:
    """Tell whether somebody's words and reactions count at all: the bot's own don't, nor other bots'."""
    return author.id != bot.id and not _OTHER_BOTS.match(author.username)


def _note(payload: Json, project: ProjectRef, author: Person, names: Collection[str]) -> Mention | None:
    """An edited note carries its author as user, not the editor, so edits give no orders."""
    note = _object(payload, "object_attributes")
    text, noteable = note.get("note"), _noteable(payload)
    if noteable is None or not isinstance(text, str) or not _is_int(note.get("id")):
        return None
    if note.get("system") or note.get("action", "create") != "create" or not mentions(text, names):
        return None
    threaded = note.get("type") in ("DiscussionNote", "DiffNote") and isinstance(note.get("discussion_id"), str)
    parent = _object(payload, noteable.kind)
    return Mention(
        project=project,
        noteable=noteable,
        author=author,
        text=text,
        note_id=note["id"],
        discussion_id=note["discussion_id"] if threaded else None,
        is_internal=bool(note.get("internal") or note.get("confidential") or _is_confidential(payload, parent)),
        noteable_title=_text(parent.get("title")),
    )


def _is_confidential(payload: Json, noteable: Json) -> bool:
    return str(payload.get("event_type", "")).startswith("confidential_") or bool(noteable.get("confidential"))


def _description(payload: Json, project: ProjectRef, author: Person, names: Collection[str]) -> Mention | None:
    issue = _object(payload, "object_attributes")
    text = issue.get("description")
    if not _is_int(issue.get("iid")) or not isinstance(text, str) or not mentions(text, names):
        return None
    if issue.get("action") != "open" or issue.get("author_id", author.id) != author.id:
        return None
    return Mention(
        project=project,
        noteable=Noteable(kind="issue", iid=issue["iid"]),
        author=author,
        text=text,
        is_internal=_is_confidential(payload, issue),
        noteable_title=_text(issue.get("title")),
    )


def _emoji(payload: Json, project: ProjectRef, author: Person) -> Reaction | None:
    award, noteable = _object(payload, "object_attributes"), _noteable(payload)
    if noteable is None or not isinstance(award.get("name"), str):
        return None
    kind, on = payload.get("event_type"), award.get("awardable_type")
    if kind not in ("award", "revoke") or on not in ("Note", "Issue", "MergeRequest"):
        return None
    note_id = award.get("awardable_id") if on == "Note" else None
    if on == "Note" and not _is_int(note_id):
        return None
    return Reaction(
        project=project,
        noteable=noteable,
        author=author,
        emoji=award["name"],
        is_award=kind == "award",
        note_id=note_id,
    )


def _merge_request(payload: Json, project: ProjectRef, author: Person) -> MergeRequestChanged | None:
    request = _object(payload, "object_attributes")
    action, oldrev = _ACTIONS.get(_text(request.get("action"))), _sha(request.get("oldrev"))
    if action is None or not _is_int(request.get("iid")) or (action == "update" and oldrev is None):
        return None
    return MergeRequestChanged(
        project=project,
        iid=request["iid"],
        action=action,
        author=author,
        source_branch=_text(request.get("source_branch")),
        head_sha=_sha(_object(request, "last_commit").get("id")),
        oldrev=oldrev,
    )


_CHILD = "parent_pipeline"


def _pipeline(payload: Json, project: ProjectRef) -> PipelineChanged | None:
    run = _object(payload, "object_attributes")
    sha, status = _sha(run.get("sha")), run.get("status")
    # A child's state shows in its parent's, and its own must not be taken for that of the commit.
    if not _is_int(run.get("id")) or sha is None or not isinstance(status, str) or run.get("source") == _CHILD:
        return None
    iid = _object(payload, "merge_request").get("iid")
    return PipelineChanged(
        project=project,
        pipeline_id=run["id"],
        ref=_text(run.get("ref")),
        sha=sha,
        status=status,
        merge_request_iid=cast(int, iid) if _is_int(iid) else None,
    )


def _noteable(payload: Json) -> Noteable | None:
    kinds: tuple[Literal["issue"], Literal["merge_request"]] = ("issue", "merge_request")
    for kind in kinds:
        iid = _object(payload, kind).get("iid")
        if _is_int(iid):
            return Noteable(kind=kind, iid=cast(int, iid))
    return None


def _project(payload: Json) -> ProjectRef | None:
    project = _object(payload, "project")
    path = project.get("path_with_namespace")
    if not _is_int(project.get("id")) or not isinstance(path, str):
        return None
    return ProjectRef(id=project["id"], path=path, web_url=_text(project.get("web_url")))


def _author(payload: Json) -> Person | None:
    user = _object(payload, "user")
    if not _is_int(user.get("id")) or not isinstance(user.get("username"), str):
        return None
    return Person(id=user["id"], username=user["username"])


def _object(container: Json, key: str) -> Json:
    value = container.get(key)
    return value if isinstance(value, dict) else {}


def _is_int(value: object) -> bool:
    """Ids fit into 64 bits and count from 1; anything else is not GitLab's."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _sha(value: object) -> str | None:
    return value if isinstance(value, str) and _SHA.fullmatch(value) else None
