"""Keeps what people, the model and the tools said, and gives the model the recent part of it."""

import msgspec

from bot.domain import ChatMessage, ToolCall
from bot.domain.known import known
from bot.proposals.order import Order
from bot.services import Services
from bot.store import messages
from bot.store.messages import Message


def begin(services: Services, order: Order, words: str, *, resumes: bool = False) -> None:
    """Store the person's words, once; what a cut-off try of the same order left is replaced unless it `resumes`."""
    with services.pool.connection() as connection:
        if resumes and messages.for_order(connection, order.id):
            return
        messages.forget_order(connection, order.id)
    keep(services, order, ChatMessage(role="user", content=words), author=order.person.username)


def so_far(services: Services, order: Order) -> list[ChatMessage]:
    """Return what the model and its tools said about this order in an earlier try, oldest first."""
    with services.pool.connection() as connection:
        rows = messages.for_order(connection, order.id)
    return [_read(row) for row in rows if row.role != "user"]


def _read(row: Message) -> ChatMessage:
    calls = tuple(msgspec.convert(call, ToolCall) for call in row.tool_calls or ())
    return ChatMessage(role=row.role, content=row.content, tool_calls=calls, tool_name=row.tool_name)


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
    """Return what was said before this order, oldest first, without what tools answered.

    What was said in confidence is remembered only where the answer is confidential too.
    """
    with services.pool.connection() as connection:
        rows = messages.before_order(
            connection, order.conversation_id, order.id, limit, with_internal=order.is_internal
        )
    return [ChatMessage(role=row.role, content=row.content) for row in rows if row.role != "tool" and row.content]


known(ToolCall)
