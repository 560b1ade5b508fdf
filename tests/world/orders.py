"""Orders as the queue would store them, for calling what works on an order without a note."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from bot.domain import Mention, Noteable, Person, ProjectRef
from bot.proposals.order import Order
from bot.sandbox.state import Issue, MergeRequest, User
from bot.store import proposals
from bot.store.proposals import Proposal
from tests.world.conversations import open_conversation
from tests.world.town import Story


def current(story: Story) -> Proposal:
    """Return the newest state of the story's only merge request as it is stored."""
    with story.town.parts.services.pool.connection() as connection:
        found = proposals.find_by_merge_request(connection, story.project.id, story.request.iid)
    assert found is not None
    return found


def order_of(story: Story, of: Issue | MergeRequest | None = None, *, by: User | None = None) -> Order:
    """Return an order of the developer (or `by`) in the conversation of a noteable, the merge request unless told."""
    noteable = of or story.request
    kind = "issue" if isinstance(noteable, Issue) else "merge_request"
    person = by or story.developer
    url = f"{story.world.base_url}/{story.project.path}"
    written = Mention(
        project=ProjectRef(id=story.project.id, path=story.project.path, web_url=url),
        noteable=Noteable(kind="issue" if kind == "issue" else "merge_request", iid=noteable.iid),
        author=Person(id=person.id, username=person.username),
        text="",
    )
    with story.town.parts.services.pool.connection() as connection:
        conversation = open_conversation(
            connection,
            project_id=story.project.id,
            project_path=story.project.path,
            kind=kind,
            iid=noteable.iid,
            title="",
            is_confidential=False,
            asked_by=person.username,
        )
        row = connection.execute(
            "insert into orders (delivery_key, conversation_id, event, kind, state)"
            " values (gen_random_uuid()::text, %s, %s, 'mention', 'done') returning id",
            (conversation, Jsonb(msgspec.to_builtins(written))),
        ).fetchone()
    assert row is not None
    return Order(
        id=UUID(str(row[0])),
        conversation_id=conversation,
        project=written.project,
        noteable=written.noteable,
        person=written.author,
        is_internal=False,
        note_id=None,
        discussion_id=None,
        attempts=1,
        created_at=datetime(2026, 11, 25, tzinfo=UTC),
    )
