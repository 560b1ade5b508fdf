"""Finds the orders that no webhook brought: on the to-do list, and where people talk with the bot anyway."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from msgspec import structs

from bot.domain import CannotError, Event, Mention, Noteable, Person, ProjectRef
from bot.gitlab.once import name_of
from bot.gitlab.values import Note, Todo
from bot.gitlab.webhook import is_heard, mentions
from bot.services import Services
from bot.store import sweeps
from bot.store.sweeps import Place

log = structlog.get_logger()

_FEW = 20

Found = TypeVar("Found")
Order = tuple[str, Event]


def mentions_on_list(services: Services, *, grace_seconds: float) -> Iterator[tuple[str, Event]]:
    """Yield the orders on the to-do list that are older than the grace, and take them off it.

    An entry behind which a younger one stands is left for another look: its delivery may be on its way. GitLab keeps
    one entry a target: the notes behind it are read, and once more after the entry is gone.
    """
    for todo in services.gitlab.todos():
        seen: set[int] = set()
        found = list(unless_refused(_mentions_behind(services, todo, seen)))
        yield from (order for age, order in found if age >= grace_seconds)
        if any(age < grace_seconds for age, _ in found):
            continue
        services.gitlab.finish_todo(todo.id)
        yield from (order for _, order in unless_refused(_newer_mentions(services, todo, seen)))


def unless_refused(found: Iterator[Found]) -> Iterator[Found]:
    """Yield what is found until GitLab, or a project's rules, refuse to go on there."""
    try:
        yield from found
    except CannotError as refused:
        log.info("not looked at", reason=str(refused))


def _mentions_behind(services: Services, todo: Todo, seen: set[int]) -> Iterator[tuple[float, Order]]:
    """Yield age and order, of the description and of the notes; `seen` takes in which notes were read."""
    if todo.is_of_description and mentions(todo.description, services.mention_names):
        kind = "issue" if todo.noteable.kind == "issue" else "merge_request"
        name = name_of(kind, todo.project.id, todo.noteable_id, todo.noteable_created_at)
        if todo.noteable.kind == "issue" and _is_of_its_author(services, todo):
            order = _mention(todo.project, todo.noteable, todo, todo.noteable_author, todo.description)
            if _is_news(services, order, todo.noteable_created_at):
                yield _age_seconds(todo.noteable_created_at), (name, order)
    yield from _orders_among(services, todo, services.gitlab.notes(todo.project.id, todo.noteable), seen)


def _is_of_its_author(services: Services, todo: Todo) -> bool:
    """What another wrote into a description is no order of whoever opened the issue."""
    return todo.author.id == todo.noteable_author.id and is_heard(todo.noteable_author, services.bot)


def _newer_mentions(services: Services, todo: Todo, seen: set[int]) -> Iterator[tuple[float, Order]]:
    """Only what was written since: a few notes, unless so many came that all are read again."""
    newest = services.gitlab.notes(todo.project.id, todo.noteable, most=_FEW)
    if len(newest) == _FEW and all(note.id not in seen for note in newest):
        newest = services.gitlab.notes(todo.project.id, todo.noteable)
    yield from _orders_among(services, todo, [note for note in newest if note.id not in seen], seen)


def _orders_among(
    services: Services, todo: Todo, notes: Sequence[Note], seen: set[int]
) -> Iterator[tuple[float, Order]]:
    for note in reversed(notes):  # orders of a conversation are carried out as they were given
        seen.add(note.id)
        if _is_order(services, note):
            order = _mention(todo.project, todo.noteable, todo, note.author, note.body, note)
            if _is_news(services, order, note.created_at) and not services.gitlab.was_edited(note):
                yield _age_seconds(note.created_at), (_name_of(todo.project, note), order)


def mentions_at(
    services: Services, place: Place, *, between_seconds: tuple[float, float]
) -> Iterator[tuple[str, Event]]:
    """Yield the orders of that age among the newest notes of a place, unless they were taken in before."""
    youngest, oldest = between_seconds
    project = ProjectRef(id=place.project_id, path=place.project_path, web_url=place.repo_url)
    noteable = Noteable(kind="issue" if place.kind == "issue" else "merge_request", iid=place.iid)
    for note in reversed(services.gitlab.notes(place.project_id, noteable)):
        if _is_order(services, note) and youngest <= _age_seconds(note.created_at) <= oldest:
            order = _mention(project, noteable, place, note.author, note.body, note)
            if _is_news(services, order, note.created_at) and not services.gitlab.was_edited(note):
                yield _name_of(project, note), _as_hidden_as_its_issue(services, order)


def _as_hidden_as_its_issue(services: Services, order: Mention) -> Mention:
    """An issue may have become confidential since anybody spoke with us there, of which its notes say nothing."""
    if order.is_internal or order.noteable.kind != "issue":
        return order
    is_hidden = services.gitlab.noteable(order.project.id, order.noteable).is_confidential
    return structs.replace(order, is_internal=is_hidden)


def _is_news(services: Services, order: Mention, written_at: str) -> bool:
    """Whatever an older version, perhaps still running, called the delivery: a note it stored is taken in."""
    with services.pool.connection() as connection:
        return not sweeps.has_taken_in(connection, order, written_at=datetime.fromisoformat(written_at))


def _age_seconds(created_at: str) -> float:
    return max((datetime.now(UTC) - datetime.fromisoformat(created_at)).total_seconds(), 0.0)


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
