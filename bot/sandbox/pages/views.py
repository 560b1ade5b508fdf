"""Answers the pages and their forms; who one is stands in a cookie, for this is a toy on loopback."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from markupsafe import Markup

from bot.sandbox import acts, git_store, merging, rights
from bot.sandbox.ci import engine
from bot.sandbox.pages import deeds
from bot.sandbox.payloads import is_draft, noteable_url
from bot.sandbox.rest.call import Answer
from bot.sandbox.rights import ApiError
from bot.sandbox.state import Project, User, World

_HERE = Path(__file__).parent
_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_HTML = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY}
_FACES = {
    "thumbsup": "👍",
    "thumbsdown": "👎",
    "eyes": "👀",
    "rocket": "🚀",
    "tada": "🎉",
    "white_check_mark": "✅",
    "heart": "❤️",
    "confused": "😕",
}
_PAGE = re.compile(r"^/(?P<project>.+?)(?:/-/(?P<what>[a-z_]+)(?:/(?P<rest>.+))?)?/?$")


def answer(
    world: World, method: str, path: str, headers: Mapping[str, str], query: dict[str, Any], form: dict[str, Any]
) -> Answer:
    """Answer a page or a form."""
    with world.lock:
        try:
            if method == "POST":
                return _act(world, path, headers, form)
            return _page(world, unquote(path), _me(world, headers), query)
        except ApiError as refusal:
            text = refusal.body.get("message", refusal.body) if isinstance(refusal.body, dict) else refusal.body
            return _html("refusal.html", refusal.status, world=world, me=_me(world, headers), text=text)


def _act(world: World, path: str, headers: Mapping[str, str], form: dict[str, Any]) -> Answer:
    """Carry out a form; forms of other sites are refused."""
    origin = headers.get("Origin")
    if origin not in (None, "null", world.base_url, f"http://{headers.get('Host')}"):
        raise rights.message(403, "403 Forbidden - this form comes from another site")
    back = str(form.get("back") or "/")
    back = back if back.startswith("/") and not back.startswith("//") else "/"
    if path == "/-/as":
        cookie = f"as={form.get('user', '')}; Path=/; SameSite=Lax; HttpOnly"
        return Answer(303, b"", {"Location": back, "Set-Cookie": cookie})
    me = _me(world, headers)
    if me is None:
        raise rights.message(401, "Choose who you are first, at the top of the page.")
    place = deeds.act(world, me, unquote(path), form)
    return Answer(303, b"", {"Location": place or back})


def _me(world: World, headers: Mapping[str, str]) -> User | None:
    chosen = SimpleCookie(headers.get("Cookie", "")).get("as")
    people = [user for user in world.users.values() if not user.is_bot]
    return (world.user_named(chosen.value) if chosen else None) or (people[0] if people else None)


def _page(world: World, path: str, me: User | None, query: dict[str, Any]) -> Answer:
    if path == "/":
        return _html("projects.html", world=world, me=me, projects=_visible(world, me))
    if path == "/-/style.css":
        return Answer(200, (_HERE / "style.css").read_bytes(), {"Content-Type": "text/css; charset=utf-8"})
    found = _PAGE.match(path)
    project = world.project_at(found["project"]) if found else None
    if found is None or project is None or me is None or not rights.may_see(project, me):
        raise rights.message(404, "404: there is no such page, or you may not see it.")
    show = _SHOWN.get(found["what"] or "")
    if show is None:
        raise rights.message(404, "404: the stand-in has no such page.")
    return show(world, project, me, found["rest"] or "")


def _visible(world: World, me: User | None) -> list[Project]:
    return [one for one in world.projects.values() if me is not None and rights.may_see(one, me)]


def _project(world: World, project: Project, me: User, rest: str) -> Answer:
    ref = project.default_branch or "main"
    rows = git_store.tree(project.git_dir, ref, recursive=True) or []
    paths = [row["path"] for row in rows if row["type"] == "blob"]
    return _html("project.html", world=world, me=me, project=project, paths=paths, ref=ref)


def _issue(world: World, project: Project, me: User, rest: str) -> Answer:
    return _noteable(world, acts.find(project, "issue", _number(rest), me), me)


def _request(world: World, project: Project, me: User, rest: str) -> Answer:
    return _noteable(world, acts.find(project, "merge_request", _number(rest), me), me)


def _noteable(world: World, of: Any, me: User) -> Answer:
    notes = [note for note in of.notes if not note.is_internal or rights.level(of.project, me) >= 15]
    known: dict[str, Any] = {"of": of, "notes": notes, "project": of.project}
    if of.kind == "merge_request":
        known |= {
            "diff": git_store.diff(of.project.git_dir, of.target_branch, of.last_sha),
            "run": engine.head_pipeline(of),
            "merge_status": merging.merge_status(of),
            "is_draft": is_draft(of.title),
        }
    return _html("noteable.html", world=world, me=me, **known)


def _pipeline(world: World, project: Project, me: User, rest: str) -> Answer:
    run = next((one for one in project.pipelines if one.id == _number(rest)), None)
    if run is None:
        raise rights.message(404, "404: there is no such pipeline.")
    return _html("pipeline.html", world=world, me=me, project=project, run=run)


def _job(world: World, project: Project, me: User, rest: str) -> Answer:
    for run in project.pipelines:
        for job in run.jobs:
            if job.id == _number(rest):
                return _html("job.html", world=world, me=me, project=project, run=run, job=job)
    raise rights.message(404, "404: there is no such job.")


def _blob(world: World, project: Project, me: User, rest: str) -> Answer:
    ref, _, path = rest.partition("/")
    content = git_store.read(project.git_dir, ref, path)
    if content is None:
        raise rights.message(404, "404: there is no such file.")
    text = content.decode("utf-8", "replace")
    return _html("blob.html", world=world, me=me, project=project, path=path, text=text)


_SHOWN: dict[str, Callable[[World, Project, User, str], Answer]] = {
    "": _project,
    "issues": _issue,
    "merge_requests": _request,
    "pipelines": _pipeline,
    "jobs": _job,
    "blob": _blob,
}


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


@cache
def _pages() -> Environment:
    pages = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True, trim_blocks=True)
    markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
    pages.filters["markdown"] = lambda text: Markup(markdown.render(text))
    pages.filters["face"] = lambda name: _FACES.get(name, f":{name}:")
    pages.globals["url"] = noteable_url
    return pages


def _html(template: str, status: int = 200, **known: Any) -> Answer:
    page = _pages().get_template(template).render(faces=_FACES, **known)
    return Answer(status, page.encode(), _HTML)
