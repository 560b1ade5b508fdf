"""Whoever waits for an answer hears when its order has ended: not before, when they would look in vain, nor later."""

import asyncio
from uuid import UUID

import msgspec

from bot.domain import Chat, Person, ProjectRef
from bot.store import conversations, live, orders
from bot.store.pool import Pool
from tests.world.conversations import add_order

CHANNEL = UUID(int=7)
PROJECT = ProjectRef(id=1, path="team/app")


def ordered(pool: Pool) -> UUID:
    event = Chat(project=PROJECT, author=Person(id=5, username="mia"), text="help", channel=CHANNEL)
    with pool.connection() as connection:
        conversation = conversations.open_for_person(
            connection, project_id=1, project_path="team/app", title="", owner_id=5, asked_by="mia"
        )
        text = msgspec.json.encode(event).decode()
        return add_order(connection, key="k", conversation=conversation, event=text, kind="chat")


def finish(pool: Pool, order_id: UUID) -> None:
    with pool.connection() as connection:
        orders.finish(connection, order_id, state="done", result="help")


def test_the_end_is_heard_when_the_order_is_seen_to_have_ended(pool: Pool) -> None:
    order_id = ordered(pool)

    async def wait() -> orders.OrderRow | None:
        listening = live.listen(str(pool.conninfo), CHANNEL, tick_seconds=60)
        assert await anext(listening) is None
        await asyncio.to_thread(finish, pool, order_id)
        assert await anext(listening) == ("end", "")
        await listening.aclose()  # type: ignore[attr-defined]
        with pool.connection() as connection:
            return orders.get(connection, order_id)

    seen = asyncio.run(wait())
    assert seen is not None
    assert (seen.state, seen.finished_at is not None) == ("done", True)
