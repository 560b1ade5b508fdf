"""What the forms of the pages do; each goes the way the API goes."""

import re
from typing import Any

from bot.sandbox import acts, rights
from bot.sandbox.payloads import noteable_url
from bot.sandbox.state import MergeRequest, Noteable, NoteableKind, Project, User, World

_PLACE = re.compile(
    r"^/(?P<project>.+)/-/(?P<kind>issues|merge_requests)/(?P<iid>\d+)/(?P<deed>comment|react|approve|unapprove|state)$"
)
_NEW = re.compile(r"^/(?P<project>.+)/-/issues$")


def act(world: World, me: User, path: str, form: dict[str, Any]) -> str | None:
    """Carry out a form and return the page to go to."""
    new = _NEW.match(path)
    if new:
        return _open_issue(world, _project(world, me, new["project"]), me, form)
    found = _PLACE.match(path)
    if found is None:
        raise rights.message(404, "404: the stand-in has no such form.")
    kind: NoteableKind = "issue" if found["kind"] == "issues" else "merge_request"
    of = acts.find(_project(world, me, found["project"]), kind, int(found["iid"]), me)
    _DEEDS[found["deed"]](world, of, me, form)
    return noteable_url(world, of).removeprefix(world.base_url)


def _project(world: World, me: User, path: str) -> Project:
    found = world.project_at(path)
    if found is None or not rights.may_see(found, me):
        raise rights.message(404, "404: there is no such project.")
    return found


def _open_issue(world: World, project: Project, me: User, form: dict[str, Any]) -> str:
    title = str(form.get("title") or "").strip()
    if not title:
        raise rights.message(400, "An issue needs a title.")
    opened = acts.open_issue(
        world, project, me, title, str(form.get("description") or ""), is_confidential=bool(form.get("confidential"))
    )
    return noteable_url(world, opened).removeprefix(world.base_url)


def _comment(world: World, of: Noteable, me: User, form: dict[str, Any]) -> None:
    body = str(form.get("body") or "").replace("\r\n", "\n")
    if not body.strip():
        raise rights.message(400, "A comment needs words.")
    acts.comment(world, of, me, body, is_internal=bool(form.get("internal")))


def _react(world: World, of: Noteable, me: User, form: dict[str, Any]) -> None:
    note = next((one for one in of.notes if str(one.id) == form.get("note")), None)
    name = str(form.get("name") or "thumbsup")
    awards = note.awards if note else of.awards
    mine = next((one for one in awards if one.user is me and one.name == name), None)
    if mine is not None:
        acts.unreact(world, of, note, mine)
    else:
        acts.react(world, of, note, me, name)


def _approve(world: World, of: Noteable, me: User, form: dict[str, Any]) -> None:
    if isinstance(of, MergeRequest):
        acts.approve(world, of, me)


def _unapprove(world: World, of: Noteable, me: User, form: dict[str, Any]) -> None:
    if isinstance(of, MergeRequest):
        acts.unapprove(world, of, me)


def _state(world: World, of: Noteable, me: User, form: dict[str, Any]) -> None:
    acts.set_state(world, of, me, "reopen" if of.state == "closed" else "close")


_DEEDS = {"comment": _comment, "react": _react, "approve": _approve, "unapprove": _unapprove, "state": _state}
