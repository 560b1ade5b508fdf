"""What an event is to the queue: the arrival that it makes, the conversation it belongs to, what became of it."""

from collections.abc import Iterator
from typing import Literal
from uuid import UUID

import msgspec
from psycopg import Connection
from psycopg.rows import TupleRow

from bot.domain import Chat, Decision, Event, Mention, Noteable, PipelineChanged, Reaction
from bot.store import conversations, intake, proposals

Accepted = Literal["queued", "duplicate", "ignored"]


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an event; of a new order also what the log says of it. `began` is a moment of `time.time()`."""

    result: Accepted
    arrival: intake.Arrival | None = None
    conversation: UUID | None = None
    order: UUID | None = None
    began: float = 0.0


def arrival_of(connection: Connection[TupleRow], key: str, event: Event) -> intake.Arrival | None:
    """Return what to take in for an event; None when it belongs to no conversation."""
    if isinstance(event, Mention):
        return arrival_of_mention(key, event)
    conversation = _conversation(connection, event)
    return _arrival(key, event, conversation) if conversation else None


def arrival_of_mention(key: str, event: Mention) -> intake.Arrival:
    """Return what to take in for a mention: it brings all that there is to know."""
    return _arrival(key, event, _place(event))


def _arrival(key: str, event: Event, conversation: UUID | intake.Place) -> intake.Arrival:
    return intake.Arrival(
        key=key,
        event=msgspec.json.encode(event),
        kind=str(event.__struct_config__.tag),
        project_id=event.project.id,
        conversation=conversation,
    )


def receipt_of(arrival: intake.Arrival | None, taken: Iterator[intake.Taken], began: float) -> Receipt:
    """Return the receipt of an arrival, whose outcome is the next one taken; what did not arrive has none."""
    if arrival is None:
        return Receipt(result="ignored")
    one = next(taken)
    return Receipt(result=one.result, arrival=arrival, conversation=one.conversation, order=one.order, began=began)


def _place(event: Mention) -> intake.Place:
    return intake.Place(
        noteable=event.noteable,
        project_path=event.project.path,
        title=event.noteable_title,
        is_confidential=event.is_internal,
        asked_by=event.author.username,
    )


def _conversation(connection: Connection[TupleRow], event: Event) -> UUID | None:
    """Return the conversation an event belongs to; a mention opens one, anything else must find one."""
    assert not isinstance(event, Mention)  # it opens one where there is none
    if isinstance(event, Chat):
        return event.conversation_id or conversations.open_for_person(
            connection,
            project_id=event.project.id,
            project_path=event.project.path,
            title=event.text.split("\n", 1)[0][:100],
            owner_id=event.author.id,
            asked_by=event.author.username,
        )
    if isinstance(event, Decision):
        return event.conversation_id
    if isinstance(event, PipelineChanged):
        proposal = proposals.find_for_pipeline(
            connection, event.project.id, event.sha, event.ref, event.merge_request_iid
        )
        return proposal.conversation_id if proposal else None
    noteable = event.noteable if isinstance(event, Reaction) else Noteable(kind="merge_request", iid=event.iid)
    return conversations.find_by_noteable(connection, event.project.id, noteable.kind, noteable.iid)
