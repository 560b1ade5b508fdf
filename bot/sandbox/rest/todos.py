"""The to-do list of the token's account (docs.gitlab.com/api/todos)."""

from bot.sandbox.acts import level, may_see, may_see_noteable, message
from bot.sandbox.rest import shapes
from bot.sandbox.rest.call import Answer, Call, paged
from bot.sandbox.state import Todo


def listing(call: Call) -> Answer:
    """List what waits, newest first."""
    state = call.params.get("state", "pending")
    rows = [todo for todo in reversed(call.world.todos) if todo.state == state and _is_shown(call, todo)]
    return paged(call, rows, lambda todo: shapes.todo(call.world, todo))


def done(call: Call) -> Answer:
    """Take one off the list."""
    wanted = call.number("todo")
    found = next((todo for todo in call.world.todos if todo.id == wanted and todo.user is call.user), None)
    if found is None:
        raise message(404, "404 Not found")
    found.state = "done"
    return Answer(201, shapes.todo(call.world, found))


def _is_shown(call: Call, todo: Todo) -> bool:
    if todo.user is not call.user or not may_see(todo.target.project, call.user):
        return False
    is_hidden = todo.note is not None and todo.note.is_internal and level(todo.target.project, call.user) < 15
    return may_see_noteable(todo.target, call.user) and not is_hidden
