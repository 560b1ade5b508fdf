"""The to-do list of the token's account (docs.gitlab.com/api/todos)."""

from bot.sandbox.payloads import noteable_url
from bot.sandbox.rest import shapes
from bot.sandbox.rest.call import Answer, Call, paged
from bot.sandbox.rights import level, may_see, may_see_noteable, message
from bot.sandbox.state import Todo, World


def listing(call: Call) -> Answer:
    """List what waits, newest first."""
    state = call.params.get("state", "pending")
    wanted = [todo for todo in call.world.todos if todo.action == call.params.get("action", todo.action)]
    rows = [todo for todo in reversed(wanted) if todo.state == state and _is_shown(call, todo)]
    return paged(call, rows, lambda todo: _shape(call.world, todo))


def done(call: Call) -> Answer:
    """Take one off the list."""
    wanted = call.number("todo")
    found = next((todo for todo in call.world.todos if todo.id == wanted and todo.user is call.user), None)
    if found is None:
        raise message(404, "404 Not found")
    found.state = "done"
    return Answer(201, _shape(call.world, found))


def _is_shown(call: Call, todo: Todo) -> bool:
    if todo.user is not call.user or not may_see(todo.target.project, call.user):
        return False
    is_hidden = todo.note is not None and todo.note.is_internal and level(todo.target.project, call.user) < 15
    return may_see_noteable(todo.target, call.user) and not is_hidden


def _shape(world: World, one: Todo) -> shapes.Json:
    """Return an entry of a to-do list."""
    of = one.target
    target = shapes.issue(world, of) if of.kind == "issue" else shapes.noteable(world, of)
    namespace, _, name = of.project.path.rpartition("/")
    return {
        "id": one.id,
        "project": {
            "id": of.project.id,
            "description": None,
            "name": name,
            "name_with_namespace": f"{namespace} / {name}",
            "path": name,
            "path_with_namespace": of.project.path,
            "created_at": shapes.date(of.created_at),
        },
        "author": shapes.user(world, one.author),
        "action_name": one.action,
        "target_type": shapes.TYPES[of.kind],
        "target": target,
        "target_url": noteable_url(world, of) + (f"#note_{one.note.id}" if one.note else ""),
        "body": one.note.body if one.note else of.title,
        "state": one.state,
        "created_at": shapes.date(one.created_at),
        "updated_at": shapes.date(one.created_at),
    }
