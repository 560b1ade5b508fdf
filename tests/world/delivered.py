"""One more delivery, waited for until the bot has done what it does on it."""

from typing import Any

from bot.sandbox import hooks
from tests.world.town import Story

_KINDS = {"emoji": "reaction"}


def deliver_and_wait(story: Story, event: str, body: dict[str, Any]) -> None:
    """Send it as GitLab does, when all of its kind before it is carried out; return when it is too."""
    kind = _KINDS.get(event, event)
    story.until(lambda: orders_of(story, kind)[0] == 0)
    _, before = orders_of(story, kind)
    with story.world.lock:
        hooks.emit(story.world, story.project, event, body)
    story.until(lambda: orders_of(story, kind) == (0, before + 1))


def orders_of(story: Story, kind: str) -> tuple[int, int]:
    """Return how many of a kind are waiting, and how many ended."""
    with story.town.parts.services.pool.connection() as connection:
        sql = "select count(*), count(finished_at) from orders where kind = %s and project_id = %s"
        every, ended = connection.execute(sql, (kind, story.project.id)).fetchone() or (0, 0)
    return every - ended, ended
