"""Webhooks of projects and of groups, and the groups themselves."""

from bot.sandbox.acts import level, message
from bot.sandbox.rest import shapes
from bot.sandbox.rest.call import Answer, Call, paged
from bot.sandbox.state import Group, Hook

_FLAGS = (
    "push_events issues_events confidential_issues_events merge_requests_events note_events confidential_note_events "
    "pipeline_events emoji_events job_events"
).split()


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
    return paged(call, rows, lambda one: shapes.project(call.world, one, call.user))


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
    return paged(call, hooks, lambda hook: shapes.hook(hook, owner))


def create(call: Call) -> Answer:
    """Add a webhook."""
    hooks, owner = _place(call)
    call.require("url")
    hook = Hook(call.world.next_id(), str(call.params["url"]))
    hook.flags = {"push_events": True}
    _set(call, hook)
    hooks.append(hook)
    return Answer(201, shapes.hook(hook, owner))


def edit(call: Call) -> Answer:
    """Change a webhook."""
    hooks, owner = _place(call)
    hook = _found(call, hooks)
    _set(call, hook)
    return Answer(200, shapes.hook(hook, owner))


def delete(call: Call) -> Answer:
    """Remove a webhook."""
    hooks, _ = _place(call)
    hooks.remove(_found(call, hooks))
    return Answer(204)


def _found(call: Call, hooks: list[Hook]) -> Hook:
    wanted = call.number("hook")
    found = next((hook for hook in hooks if hook.id == wanted), None)
    if found is None:
        raise message(404, "404 Not found")
    return found


def _set(call: Call, hook: Hook) -> None:
    hook.url = call.text("url") or hook.url
    hook.token = call.text("token") or hook.token
    if call.world.knows_signing:
        hook.signing_token = call.text("signing_token") or hook.signing_token
    hook.flags |= {name: call.flag(name) for name in _FLAGS if name in call.params}
