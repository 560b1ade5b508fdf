"""Keeps what people, the model and the tools said, and gives the model the recent part of it."""

import msgspec

from bot.domain import ChatMessage
from bot.proposals.order import Order
from bot.services import Services
from bot.store import messages


def begin(services: Services, order: Order, words: str) -> None:
    """Store the person's words; what a cut-off try of the same order left is replaced."""
    with services.pool.connection() as connection:
        messages.forget_order(connection, order.id)
    keep(services, order, ChatMessage(role="user", content=words), author=order.person.username)


def keep(services: Services, order: Order, message: ChatMessage, *, author: str | None = None) -> None:
    """Store one message of the order's conversation."""
    with services.pool.connection() as connection:
        messages.add(
            connection,
            conversation_id=order.conversation_id,
            order_id=order.id,
            role=message.role,
            content=message.content,
            tool_calls=[msgspec.to_builtins(call) for call in message.tool_calls] or None,
            tool_name=message.tool_name,
            author=author,
        )


def history(services: Services, order: Order, limit: int) -> list[ChatMessage]:
    """Return what was said before this order, oldest first, without what tools answered."""
    with services.pool.connection() as connection:
        rows = messages.before_order(connection, order.conversation_id, order.id, limit)
    return [ChatMessage(role=row.role, content=row.content) for row in rows if row.role != "tool" and row.content]
