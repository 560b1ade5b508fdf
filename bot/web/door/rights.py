"""What a visitor may see: asked of GitLab with the visitor's own token, and remembered for a minute."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from bot.domain import AccessLevel, Noteable
from bot.gitlab.answers import RefusedError
from bot.gitlab.values import NoteableDetails
from bot.store import conversations
from bot.store.conversations import Conversation
from bot.store.pool import Pool
from bot.web.door.remembered import Clock, Remembered
from bot.web.door.tokens import REMEMBERED_SECONDS, Connection, Visitor

_MOST_REMEMBERED = 200_000


class Rights:
    """The rights of every visitor, as GitLab has them. Raises UnreachableError while GitLab is silent."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        bounds: dict[str, Any] = {"seconds": REMEMBERED_SECONDS, "most": _MOST_REMEMBERED, "clock": clock}
        self._seen: Remembered[tuple[str, int], bool] = Remembered(**bounds)
        self._read: Remembered[tuple[str, UUID, bool], bool] = Remembered(**bounds)
        self._roles: Remembered[tuple[str, int], AccessLevel] = Remembered(**bounds)

    def seen_projects(self, visitor: Visitor, project_ids: Collection[int]) -> frozenset[int]:
        """Return which of these projects GitLab shows to the visitor; a hundred are asked about in one call."""
        known = {each: self._seen.get((visitor.key, each)) for each in set(project_ids)}
        unknown = sorted(each for each, is_seen in known.items() if is_seen is None)
        found = visitor.gitlab.whereabouts(unknown) if unknown else {}
        for each in unknown:
            known[each] = each in found
            self._seen.put((visitor.key, each), each in found)
        return frozenset(each for each, is_seen in known.items() if is_seen)

    def may_read(self, visitor: Visitor, conversation: Conversation) -> bool:
        """Tell whether the visitor may read a conversation: whoever may read the issue or merge request it is about.

        In a confidential one the bot answers by internal notes: it takes a role that reads those, too. One that was
        begun over the API is its owner's.
        """
        key = (visitor.key, conversation.id, conversation.is_confidential)  # what becomes confidential is asked anew
        known = self._read.get(key)
        if known is None:
            known = self._may_read(visitor, conversation)
            self._read.put(key, known)
        return known

    def readable(self, visitor: Visitor, found: Iterable[Conversation]) -> frozenset[UUID]:
        """Return the ids of those conversations which the visitor may read."""
        return frozenset(each.id for each in found if self.may_read(visitor, each))

    def role(self, visitor: Visitor, project_id: int) -> AccessLevel:
        """Return the visitor's role in a project; NONE where they are no member, administrators too."""
        known = self._roles.get((visitor.key, project_id))
        if known is None:
            known = self._role(visitor, project_id)
            self._roles.put((visitor.key, project_id), known)
        return known

    def _role(self, visitor: Visitor, project_id: int) -> AccessLevel:
        try:
            return visitor.gitlab.access_level(project_id, visitor.person.id)
        except RefusedError:
            return AccessLevel.NONE

    def _may_read(self, visitor: Visitor, conversation: Conversation) -> bool:
        if conversation.project_id not in self.seen_projects(visitor, [conversation.project_id]):
            return False
        if conversation.owner_id is not None:
            return conversation.owner_id == visitor.person.id
        with self._pool.connection() as connection:
            hangs_on = conversations.noteables(connection, conversation.id)
        details = _shown(visitor, conversation.project_id, hangs_on[0]) if hangs_on else None
        if details is None:
            return False
        return not conversation.is_confidential or self._may_read_internal(visitor, conversation.project_id)

    def _may_read_internal(self, visitor: Visitor, project_id: int) -> bool:
        return self.role(visitor, project_id) >= AccessLevel.PLANNER or visitor.sees_all


def _shown(visitor: Visitor, project_id: int, noteable: Noteable) -> NoteableDetails | None:
    try:
        return visitor.gitlab.noteable(project_id, noteable)
    except RefusedError:
        return None


def rights_of(connection: Connection) -> Rights:
    """Return the rights that the app keeps."""
    rights = connection.app.state.door.rights
    assert isinstance(rights, Rights)  # create_app put it there
    return rights
