"""To-do lists: a mention puts something on one, acting on the target takes it off (app/services/todo_service.rb)."""

import re

from bot.sandbox.state import Note, Noteable, Todo, User, World

_CODE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1|\Z)|`[^`\n]+`|^>.*?$", re.DOTALL | re.MULTILINE)
_MENTION = re.compile(r"(?<![\w@./-])@([\w][\w.-]*[\w]|\w)", re.ASCII)  # as Ruby reads it


def on_mention(
    world: World, of: Noteable, author: User, text: str, note: Note | None = None, *, before: str = ""
) -> None:
    """Put a mention on the list of everybody named in a text; one at a time for each target, as GitLab does.

    Whoever edits a text is the author of that, and only who is named since is told.
    """
    known = _named(before)
    for name in [each for each in _named(text) if each not in known]:
        user = world.user_named(name)
        if user is not None and user is not author and not _waits(world, of, user):
            world.todos.append(Todo(world.next_id(), user, author, of, note))


def _named(text: str) -> list[str]:
    return list(dict.fromkeys(name.lower() for name in _MENTION.findall(_CODE.sub("", text))))


def _waits(world: World, of: Noteable, user: User) -> bool:
    return any(todo.user is user and todo.target is of and todo.state == "pending" for todo in world.todos)


def on_act(world: World, of: Noteable, user: User) -> None:
    """Whoever comments or reacts has seen what waited there."""
    for todo in world.todos:
        if todo.user is user and todo.target is of:
            todo.state = "done"
