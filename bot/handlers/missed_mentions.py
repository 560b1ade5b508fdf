"""Finds the orders that no webhook brought: on the to-do list, and where people talk with the bot anyway."""

from collections.abc import Iterator

import structlog

from bot.domain import CannotError, Event, Mention, Noteable, Person, ProjectRef
from bot.gitlab.once import name_of
from bot.gitlab.values import Note, Todo
from bot.gitlab.webhook import is_heard, mentions
from bot.services import Services
from bot.store.sweeps import Place

log = structlog.get_logger()


def mentions_on_list(services: Services) -> Iterator[tuple[str, Event]]:
    """Yield the orders on the to-do list, and take them off it.

    GitLab keeps one entry a target: the notes behind it are read, and once more after the entry is gone.
    """
    for todo in services.gitlab.todos():
        yield from unless_refused(_mentions_behind(services, todo))
        services.gitlab.finish_todo(todo.id)
        yield from unless_refused(_mentions_behind(services, todo))


def unless_refused(found: Iterator[tuple[str, Event]]) -> Iterator[tuple[str, Event]]:
    """Yield what is found until GitLab, or a project's rules, refuse to go on there."""
    try:
        yield from found
    except CannotError as refused:
        log.info("not looked at", reason=str(refused))


def _mentions_behind(services: Services, todo: Todo) -> Iterator[tuple[str, Event]]:
    if todo.is_of_description and mentions(todo.description, services.mention_names):
        kind = "issue" if todo.noteable.kind == "issue" else "merge_request"
        name = name_of(kind, todo.project.id, todo.noteable_id, todo.noteable_created_at)
        if todo.noteable.kind == "issue" and is_heard(todo.noteable_author, services.bot):
            yield name, _mention(todo.project, todo.noteable, todo, todo.noteable_author, todo.description)
    for note in services.gitlab.notes(todo.project.id, todo.noteable):
        if _is_order(services, note):
            yield (
                _name_of(todo.project, note),
                _mention(todo.project, todo.noteable, todo, note.author, note.body, note),
            )


def mentions_at(services: Services, place: Place) -> Iterator[tuple[str, Event]]:
    """Yield the orders among the newest notes of a place; those taken in before are known by their names."""
    project = ProjectRef(id=place.project_id, path=place.project_path, web_url=place.repo_url)
    noteable = Noteable(kind="issue" if place.kind == "issue" else "merge_request", iid=place.iid)
    for note in services.gitlab.notes(place.project_id, noteable):
        if _is_order(services, note):
            yield _name_of(project, note), _mention(project, noteable, place, note.author, note.body, note)


def _is_order(services: Services, note: Note) -> bool:
    return not note.is_system and is_heard(note.author, services.bot) and mentions(note.body, services.mention_names)


def _name_of(project: ProjectRef, note: Note) -> str:
    return name_of("note", project.id, note.id, note.created_at)


def _mention(
    project: ProjectRef, noteable: Noteable, where: Todo | Place, author: Person, text: str, note: Note | None = None
) -> Mention:
    return Mention(
        project=project,
        noteable=noteable,
        author=author,
        text=text,
        note_id=note.id if note else None,
        is_internal=where.is_confidential or bool(note and note.is_internal),
        noteable_title=where.title,
        is_late=True,
    )
