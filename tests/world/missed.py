"""Deliveries that get lost, and the bot's look for what none brought."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.handlers.sweep import sweep
from tests.world.town import Story


@contextmanager
def no_delivery(story: Story) -> Iterator[None]:
    """Let GitLab's deliveries get lost meanwhile."""
    flags, story.hook.flags = story.hook.flags, {}
    try:
        yield
    finally:
        story.hook.flags = flags


def look(story: Story, *, besides: Story | None = None, grace_seconds: float = 0.0) -> int:
    """Let the bot look around now, as if the time for it had come, and wait until it has dealt with what it found.

    Without a grace it is as if what people wrote had been written a minute ago.
    """
    services, queue = story.town.parts.services, story.town.parts.queue
    with services.pool.connection() as connection:
        connection.execute("update sweeps set swept_at = swept_at - interval '1 hour'")
        connection.execute("update pipelines set swept_at = now()")  # other stories have had their turn
        connection.execute(
            "update pipelines set swept_at = now() - interval '1 day', opened_at = opened_at - interval '2 minutes'"
            " where project_id = any(%s)",
            ([one.project.id for one in (story, besides) if one],),
        )
    found = sweep(services, queue.accept, grace_seconds=grace_seconds)
    story.settle()
    return found
