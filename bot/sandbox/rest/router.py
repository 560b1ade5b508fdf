"""Finds what answers a path, checks the token, and turns refusals into GitLab's bodies."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from bot.sandbox.rest import merge_requests, noteables, people, pipelines, repository, todos, webhooks
from bot.sandbox.rest.call import Answer, Call
from bot.sandbox.rights import ApiError
from bot.sandbox.state import Token, World, now

Handler = Callable[[Call], Answer]
_P = "/projects/:project"
_MR = _P + "/merge_requests/:iid"
_ANY = _P + "/:kind(issues|merge_requests)/:iid"
_GRAPHQL = "/api/graphql"
_RUN = _P + "/pipelines/:pipeline"

_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/user", people.me),
    ("GET", "/version", people.version),
    ("GET", "/metadata", people.version),
    ("GET", "/personal_access_tokens/self", people.own_token),
    ("GET", "/users/:user", people.user),
    ("GET", "/application/settings", people.application_settings),
    ("GET", "/todos", todos.listing),
    ("POST", "/todos/:todo/mark_as_done", todos.done),
    ("GET", _P, people.project),
    ("GET", _P + "/members/all", people.members),
    ("GET", _P + "/members/all/:user", people.member),
    ("GET", _P + "/protected_branches", people.protected_branches),
    ("GET", _P + "/protected_branches/:branch", people.protected_branch),
    ("GET", _P + "/repository/tree", repository.tree),
    ("GET", _P + "/repository/files/:path/raw", repository.raw_file),
    ("GET", _P + "/repository/files/:path", repository.file),
    ("GET", _P + "/repository/branches/:branch", repository.branch),
    ("POST", _P + "/repository/branches", repository.create_branch),
    ("DELETE", _P + "/repository/branches/:branch", repository.delete_branch),
    ("POST", _P + "/repository/commits", repository.commit),
    ("GET", _P + "/repository/commits/:sha", repository.show_commit),
    ("POST", _P + "/ci/lint", repository.lint),
    ("POST", _P + "/issues", noteables.create_issue),
    ("GET", _P + "/issues/:iid", noteables.issue),
    ("GET", _ANY + "/notes", noteables.notes),
    ("POST", _ANY + "/notes", noteables.create_note),
    ("GET", _ANY + "/notes/:note", noteables.note),
    ("PUT", _ANY + "/notes/:note", noteables.edit_note),
    ("DELETE", _ANY + "/notes/:note", noteables.delete_note),
    ("GET", _ANY + "/discussions", noteables.discussions),
    ("POST", _ANY + "/discussions/:discussion/notes", noteables.reply),
    ("GET", _ANY + "/award_emoji", noteables.awards),
    ("POST", _ANY + "/award_emoji", noteables.create_award),
    ("DELETE", _ANY + "/award_emoji/:award", noteables.delete_award),
    ("GET", _ANY + "/notes/:note/award_emoji", noteables.awards),
    ("POST", _ANY + "/notes/:note/award_emoji", noteables.create_award),
    ("DELETE", _ANY + "/notes/:note/award_emoji/:award", noteables.delete_award),
    ("GET", _P + "/merge_requests", merge_requests.listing),
    ("POST", _P + "/merge_requests", merge_requests.create),
    ("GET", _MR, merge_requests.show),
    ("PUT", _MR, merge_requests.update),
    ("PUT", _MR + "/merge", merge_requests.merge),
    ("POST", _MR + "/cancel_merge_when_pipeline_succeeds", merge_requests.cancel_auto_merge),
    ("GET", _MR + "/approvals", merge_requests.approvals),
    ("POST", _MR + "/approve", merge_requests.approve),
    ("POST", _MR + "/unapprove", merge_requests.unapprove),
    ("GET", _MR + "/versions", merge_requests.versions),
    ("GET", _MR + "/pipelines", merge_requests.pipelines),
    ("GET", _P + "/pipelines", pipelines.listing),
    ("GET", _RUN, pipelines.show),
    ("GET", _RUN + "/jobs", pipelines.jobs),
    ("GET", _RUN + "/bridges", pipelines.bridges),
    ("POST", _RUN + "/retry", pipelines.retry),
    ("POST", _RUN + "/cancel", pipelines.cancel),
    ("GET", _P + "/jobs/:job", pipelines.job),
    ("GET", _P + "/jobs/:job/trace", pipelines.trace),
    ("GET", _P + "/runners", pipelines.runners),
    ("GET", "/projects", webhooks.projects),
    ("GET", "/groups/:group", webhooks.group),
    ("GET", "/groups/:group/projects", webhooks.projects),
    *(
        (verb, place + "/hooks" + rest, handler)
        for place in (_P, "/groups/:group")
        for verb, rest, handler in (
            ("GET", "", webhooks.listing),
            ("POST", "", webhooks.create),
            ("PUT", "/:hook", webhooks.edit),
            ("DELETE", "/:hook", webhooks.delete),
            ("GET", "/:hook/events", webhooks.events),
        )
    ),
)


def _pattern(route: str) -> re.Pattern[str]:
    """One part of a path never holds a slash: a path or branch in it must come encoded, as GitLab wants it."""
    named = re.sub(r":(\w+)\(([^)]*)\)", r"(?P<\1>\2)", route)
    return re.compile(re.sub(r":(\w+)", r"(?P<\1>[^/]+)", named) + "$")


_TABLE = tuple((method, _pattern(route), handler) for method, route, handler in _ROUTES)


def answer(world: World, method: str, path: str, headers: Mapping[str, str], params: dict[str, Any]) -> Answer:
    """Answer a request; `path` comes after `/api/v4` and is still encoded. The world is locked meanwhile."""
    with world.lock:
        for hears in tuple(world.before_call):
            hears(method, path)
        try:
            return _answer(world, method, path, headers, params)
        except ApiError as refusal:
            return Answer(refusal.status, _refused_by_graphql(refusal) if path == _GRAPHQL else refusal.body)


def _refused_by_graphql(refusal: ApiError) -> dict[str, Any]:
    """Return the body of a refusal in GraphQL's own form (app/controllers/graphql_controller.rb)."""
    text = "Invalid token" if refusal.status == 401 else "API not accessible for user"
    return {"errors": [{"message": text}]}


def _answer(world: World, method: str, path: str, headers: Mapping[str, str], params: dict[str, Any]) -> Answer:
    token = _token(world, headers)
    _check_scope(token, method, path)
    if path == _GRAPHQL:
        return repository.graphql(Call(world, token, path, {}, params))
    known = [(verb, match, handler) for verb, pattern, handler in _TABLE if (match := pattern.match(path))]
    for verb, match, handler in known:
        if verb == method:
            ids = {name: unquote(value) for name, value in match.groupdict().items()}
            return handler(Call(world, token, path, ids, params))
    if known:
        raise ApiError(405, {"error": "405 Not Allowed"})
    world.unknown_routes.append(f"{method} {path}")
    raise ApiError(404, {"error": "404 Not Found"})


def _token(world: World, headers: Mapping[str, str]) -> Token:
    bearer = headers.get("Authorization", "")
    private = headers.get("PRIVATE-TOKEN")
    token = world.tokens.get(private or bearer.removeprefix("Bearer "))
    if token is None or (private and token.is_oauth):
        raise ApiError(401, {"message": "401 Unauthorized"})
    if token.is_revoked:
        raise _invalid("Token was revoked. You have to re-authorize from the user.")
    if token.expires_at is not None and token.expires_at <= now():
        raise _invalid("Token is expired. You can either do re-authorization or token refresh.")
    if token.user.state != "active":
        raise ApiError(403, {"message": "403 Forbidden - Your account has been blocked."})
    return token


def _invalid(description: str) -> ApiError:
    return ApiError(401, {"error": "invalid_token", "error_description": description})


def _check_scope(token: Token, method: str, path: str) -> None:
    reads = method == "GET" or path == _GRAPHQL
    enough = {"api", "read_api"} if reads else {"api"}
    if path == "/personal_access_tokens/self" or enough & set(token.scopes):
        return
    body = {
        "error": "insufficient_scope",
        "error_description": "The request requires higher privileges than provided by the access token.",
        "scope": "api read_api" if reads else "api",
    }
    raise ApiError(403, body)
