"""Webhooks of projects and of groups, and the groups themselves."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode, urlsplit

from bot.sandbox.rest import hook_shapes, shapes
from bot.sandbox.rest.call import Answer, Call, paged
from bot.sandbox.rights import ApiError, level, message
from bot.sandbox.state import Group, Hook, Project

_FLAGS = (
    "push_events issues_events confidential_issues_events merge_requests_events note_events confidential_note_events "
    "pipeline_events emoji_events job_events"
).split()
_MOST_EVENTS = 20


def group(call: Call) -> Answer:
    """Show a group."""
    one = _group(call)
    return Answer(200, {"id": one.id, "full_path": one.path, "path": one.path.rsplit("/", 1)[-1]})


def projects(call: Call) -> Answer:
    """List projects the asker has a role in: all, or those of a group and its subgroups."""
    inside = _group(call) if "group" in call.ids else None
    needed = int(call.text("min_access_level") or 10)
    rows = [
        one
        for one in call.world.projects.values()
        if level(one, call.user) >= needed
        and (inside is None or _lists(inside, one.path, whole=call.flag("include_subgroups")))
        and (call.text("archived") is None or one.is_archived == call.flag("archived"))
    ]

    def shape(one: Project) -> dict[str, Any]:
        is_simple = call.flag("simple")
        return shapes.project_simple(call.world, one) if is_simple else shapes.project(call.world, one, call.user)

    if inside is None and call.text("pagination") == "keyset":
        return _after(call, sorted(rows, key=lambda one: one.id), shape)
    return paged(call, rows, shape)


def _after(call: Call, rows: list[Project], shape: Callable[[Project], dict[str, Any]]) -> Answer:
    """Return the projects after an id; only `Link` leads on (docs: api/rest, keyset-based pagination)."""
    if call.text("order_by") != "id":
        raise ApiError(405, {"error": "Keyset pagination is not yet available for this type of request"})
    after, size = int(call.text("id_after") or 0), min(int(call.text("per_page") or 20), 100)
    found = [one for one in rows if one.id > after]
    headers = {}
    if len(found) > size:
        asked = urlencode({**call.params, "per_page": size, "id_after": found[size - 1].id})
        headers["Link"] = f'<{call.world.base_url}/api/v4{call.path}?{asked}>; rel="next"'
    return Answer(200, [shape(one) for one in found[:size]], headers)


def _lists(inside: Group, path: str, *, whole: bool) -> bool:
    start = inside.path.lower() + "/"
    return path.lower().startswith(start) and (whole or "/" not in path[len(start) :])


def _group(call: Call) -> Group:
    found = call.world.group_at(call.ids["group"])
    if found is None or not found.members.get(call.user.id):
        raise message(404, "404 Group Not Found")
    return found


def _place(call: Call) -> tuple[list[Hook], dict[str, int]]:
    """Return the webhooks of the path's project or group; a group's are a paid feature, for its Owners."""
    if "group" not in call.ids:
        call.need_level(40)
        return call.project.hooks, {"project_id": call.project.id}
    one = _group(call)
    if not call.world.has_paid_plan or one.members[call.user.id] < 50:
        raise message(403, "403 Forbidden")
    return one.hooks, {"group_id": one.id}


def listing(call: Call) -> Answer:
    """List webhooks."""
    hooks, owner = _place(call)
    return paged(call, hooks, lambda hook: hook_shapes.hook(hook, owner))


def create(call: Call) -> Answer:
    """Add a webhook."""
    hooks, owner = _place(call)
    call.require("url")
    _check_address(call, str(call.params["url"]))
    hook = Hook(call.world.next_id(), str(call.params["url"]))
    hook.flags = {"push_events": True}
    _set(call, hook)
    hooks.append(hook)
    return Answer(201, hook_shapes.hook(hook, owner))


def edit(call: Call) -> Answer:
    """Change a webhook."""
    hooks, owner = _place(call)
    hook = _found(call, hooks)
    _set(call, hook)
    return Answer(200, hook_shapes.hook(hook, owner))


def delete(call: Call) -> Answer:
    """Remove a webhook."""
    hooks, _ = _place(call)
    hooks.remove(_found(call, hooks))
    return Answer(204)


def events(call: Call) -> Answer:
    """List what was delivered lately, the newest first (lib/api/hooks/events.rb, GitLab 17.3 and newer)."""
    if not call.world.is_since(17, 3):
        raise ApiError(404, {"error": "404 Not Found"})
    hooks, _ = _place(call)
    hook = _found(call, hooks)
    if int(call.text("per_page") or 20) > _MOST_EVENTS:
        raise ApiError(400, {"error": "per_page does not have a valid value"})
    return paged(call, hook.deliveries[::-1], lambda one: hook_shapes.delivery(hook, one))


def _check_address(call: Call, url: str) -> None:
    """Refuse local networks unless an administrator allows them (Admin, Settings, Network, Outbound requests).

    What is wrong with an address only the pages say (lib/api/helpers/web_hooks_helpers.rb).
    """
    address = urlsplit(url)
    is_refused = address.scheme not in ("http", "https") or not address.hostname
    if is_refused or (not call.world.allows_local_hooks and _is_local(address.hostname or "")):
        raise ApiError(422, {"error": "Invalid url given"})


def _is_local(host: str) -> bool:
    return host == "localhost" or (host[0].isdigit() and ip_address(host).is_private)


def _found(call: Call, hooks: list[Hook]) -> Hook:
    wanted = call.number("hook")
    found = next((hook for hook in hooks if hook.id == wanted), None)
    if found is None:
        raise message(404, "404 Not found")
    return found


def _set(call: Call, hook: Hook) -> None:
    _check_address(call, call.text("url") or hook.url)
    address = call.text("url") or hook.url
    if address != hook.url:
        hook.token = None  # what was told to one address is not told to another
    hook.url = address
    hook.token = call.text("token") or hook.token
    if call.world.knows_signing:
        hook.signing_token = call.text("signing_token") or hook.signing_token
    hook.flags |= {name: call.flag(name) for name in _FLAGS if name in call.params}
