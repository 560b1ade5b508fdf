"""/oauth/authorize: a page that asks who one is, and sends the browser back with a code or a refusal."""

import secrets
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader

from bot.sandbox.oauth.records import SCOPES, Application, Code, register
from bot.sandbox.rest.call import Answer
from bot.sandbox.state import World

_KEPT = ("client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method")
_DENIED = "The resource owner or authorization server denied the request."


def ask(world: World, query: Mapping[str, Any]) -> Answer:
    """Show the page, or what is wrong with the request."""
    problem = _problem(world, query)
    if problem is not None:
        return _page("refused.html", 401 if problem.startswith("Client") else 400, problem=problem)
    people = [user for user in world.users.values() if not user.is_bot and user.state == "active"]
    fields = {name: query[name] for name in _KEPT if query.get(name)}
    address = urlsplit(str(query["redirect_uri"]))
    return _page(
        "consent.html",
        people=people,
        fields=fields,
        scopes=_scopes(query),
        leads_to=f"{address.scheme}://{address.netloc}",
    )


def decide(world: World, form: Mapping[str, Any]) -> Answer:
    """Send the browser back: with a code for who was chosen, or with the refusal."""
    problem = _problem(world, form)
    user = world.user_named(str(form.get("user") or ""))
    if form.get("_method") == "delete" and problem is None:
        return _back(form, {"error": "access_denied", "error_description": _DENIED})
    if problem is not None or user is None or user.state != "active":
        return _page("refused.html", 400, problem=problem or "There is no such account, or it is blocked.")
    code = Code(
        secrets.token_hex(32),
        _application(world, form),
        user,
        str(form["redirect_uri"]),
        _scopes(form),
        challenge=str(form["code_challenge"]) if form.get("code_challenge") else None,
        challenge_method=str(form.get("code_challenge_method") or "plain"),
    )
    register(world).codes[code.value] = code
    return _back(form, {"code": code.value})


def _back(form: Mapping[str, Any], answer: dict[str, str]) -> Answer:
    state = {"state": str(form["state"])} if form.get("state") else {}
    return Answer(302, b"", {"Location": f"{form['redirect_uri']}?{urlencode(answer | state)}"})


def _application(world: World, asked: Mapping[str, Any]) -> Application:
    return register(world).applications[str(asked["client_id"])]


def _problem(world: World, asked: Mapping[str, Any]) -> str | None:
    """Say what GitLab shows instead of the page; it sends nobody back for these."""
    application = register(world).applications.get(str(asked.get("client_id") or ""))
    if application is None:
        return "Client authentication failed due to unknown client."
    if asked.get("redirect_uri") not in application.redirect_uris:
        return "The redirect URI included is not valid."
    if asked.get("response_type") != "code":
        return "The authorization server does not support this response type."
    if not set(_scopes(asked)) <= set(application.scopes) & set(SCOPES):
        return "The requested scope is invalid, unknown, or malformed."
    if asked.get("code_challenge_method") not in (None, "", "plain", "S256"):
        return "The code challenge method must be plain or S256."
    return None


def _scopes(asked: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(asked.get("scope") or "api").split())


@cache
def _pages() -> Environment:
    folder = Path(__file__).parent / "templates"
    return Environment(loader=FileSystemLoader(folder), autoescape=True, trim_blocks=True)


def _page(template: str, status: int = 200, **known: Any) -> Answer:
    """The form leads away: browsers want the policy to name where a form's answer sends them."""
    policy = f"default-src 'none'; style-src 'self'; form-action 'self' {known.get('leads_to', '')}; base-uri 'none'"
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
    }
    return Answer(status, _pages().get_template(template).render(**known).encode(), headers)
