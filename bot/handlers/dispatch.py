"""One `match` over the events: what the bot does, on one screen."""

from typing import assert_never
from uuid import UUID

from bot.domain import (
    Chat,
    Decision,
    Event,
    Mention,
    MergeRequestChanged,
    Noteable,
    Person,
    PipelineChanged,
    Reaction,
    SkipError,
)
from bot.handlers import chat, composing, decision, mention, pipelines, signals
from bot.handlers.reply import Reply
from bot.proposals.order import Order
from bot.replies import texts
from bot.services import Services
from bot.store import conversations, orders


def handle_event(services: Services, event: Event, order_id: UUID) -> str:
    """React to one event; return a word for how it ended. Raises SkipError when there is nothing to do."""
    match event:
        case Mention():
            return mention.handle_mention(services, event, read_order(services, event, order_id))
        case Reaction():
            return signals.handle_reaction(services, event, read_order(services, event, order_id))
        case MergeRequestChanged():
            return signals.handle_merge_request(services, event, read_order(services, event, order_id))
        case Chat() if event.act != "talk":
            return composing.handle_composing(services, event, read_order(services, event, order_id))
        case Chat():
            return chat.handle_chat(services, event, read_order(services, event, order_id))
        case Decision():
            return decision.handle_decision(services, event, read_order(services, event, order_id))
        case PipelineChanged():
            return pipelines.handle_pipeline(services, event, order_id)
        case _:
            assert_never(event)


_Ordering = Mention | Reaction | MergeRequestChanged | Chat | Decision
_OVER_OUR_ADDRESS = (Chat, Decision)


def read_order(services: Services, event: _Ordering, order_id: UUID) -> Order:
    """Put together what the stored order and its event say."""
    with services.pool.connection() as connection:
        row = orders.get(connection, order_id)
        conversation = conversations.get(connection, row.conversation_id) if row and row.conversation_id else None
        is_ours = conversation is not None and isinstance(event, _OVER_OUR_ADDRESS)
        noteables = conversations.noteables(connection, conversation.id) if conversation and is_ours else []
    if row is None or conversation is None:
        raise SkipError("the order is not stored any more")
    is_internal = event.is_internal if isinstance(event, Mention) else conversation.is_confidential
    return Order(
        id=order_id,
        conversation_id=conversation.id,
        project=event.project,
        noteable=noteables[0] if noteables else _noteable(event),
        person=_person(event),
        is_internal=is_internal,
        note_id=event.note_id if isinstance(event, Mention | Reaction) else None,
        discussion_id=event.discussion_id if isinstance(event, Mention) else None,
        attempts=row.attempts,
        created_at=row.created_at,
        may_change=event.may_change if isinstance(event, _OVER_OUR_ADDRESS) else True,
    )


def _noteable(event: _Ordering) -> Noteable | None:
    if isinstance(event, _OVER_OUR_ADDRESS):
        return None
    if isinstance(event, MergeRequestChanged):
        return Noteable(kind="merge_request", iid=event.iid)
    return event.noteable


def _person(event: _Ordering) -> Person:
    return event.author


def tell_broken(services: Services, event: Event, order_id: UUID, error_id: str) -> None:
    """Tell the person that something of ours failed, with the id under which it is logged."""
    _tell(services, event, order_id, texts.broken(error_id))


def tell_unreachable(services: Services, event: Event, order_id: UUID, part: str) -> None:
    """Tell the person that we gave up waiting for an outside part."""
    _tell(services, event, order_id, texts.unreachable(part))


def _tell(services: Services, event: Event, order_id: UUID, text: str) -> None:
    if isinstance(event, PipelineChanged):
        return
    order = read_order(services, event, order_id)
    if isinstance(event, _OVER_OUR_ADDRESS):
        chat.tell(services, order, text)
        return
    Reply(services, order).show(text)
    if isinstance(event, Mention):
        mention.react_at_end(services, order, is_well=False)
