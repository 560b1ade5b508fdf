"""What a visitor may see: asked of GitLab with the visitor's own token, and remembered for a minute."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from bot.domain import AccessLevel
from bot.gitlab.answers import RefusedError
from bot.store import conversations
from bot.store.conversations import Conversation
from bot.store.pool import Pool
from bot.web.door.remembered import Clock, Remembered
from bot.web.door.tokens import REMEMBERED_SECONDS, Connection, Visitor

_MOST_REMEMBERED = 200_000
_UNSEEN = ""

_ReadKey = tuple[str, UUID, bool]


class Rights:
    """The rights of every visitor, as GitLab has them. Raises UnreachableError while GitLab is silent."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        bounds: dict[str, Any] = {"seconds": REMEMBERED_SECONDS, "most": _MOST_REMEMBERED, "clock": clock}
        self._paths: Remembered[tuple[str, int], str] = Remembered(**bounds)
        self._read: Remembered[_ReadKey, bool] = Remembered(**bounds)
        self._roles: Remembered[tuple[str, int], AccessLevel] = Remembered(**bounds)

    def seen_projects(self, visitor: Visitor, project_ids: Collection[int]) -> frozenset[int]:
        """Return which of these projects GitLab shows to the visitor; a hundred are asked about in one call."""
        return frozenset(self._seen_paths(visitor, project_ids))

    def may_read(self, visitor: Visitor, conversation: Conversation) -> bool:
        """Tell whether the visitor may read a conversation; see `readable`."""
        return conversation.id in self.readable(visitor, [conversation])

    def readable(self, visitor: Visitor, found: Iterable[Conversation]) -> frozenset[UUID]:
        """Return the ids of those conversations which the visitor may read; thirty are asked about in one call.

        One may read what is said about an issue or merge request if GitLab shows it, and every draft that came of it,
        to one: a conversation shows the files of its drafts. In confidential conversations the bot answers by internal
        notes, so these take the role that reads such notes. What was begun over the API is its owner's.
        """
        wanted = list(found)
        known = {each.id: self._read.get(_key(visitor, each)) for each in wanted}
        unknown = [each for each in wanted if known[each.id] is None]
        for each, may_read in self._asked(visitor, unknown).items() if unknown else ():
            known[each.id] = may_read
            self._read.put(_key(visitor, each), may_read)
        return frozenset(id_ for id_, may_read in known.items() if may_read)

    def role(self, visitor: Visitor, project_id: int) -> AccessLevel:
        """Return the visitor's role in a project; NONE where they are no member, administrators too."""
        known = self._roles.get((visitor.key, project_id))
        if known is None:
            known = _role(visitor, project_id)
            self._roles.put((visitor.key, project_id), known)
        return known

    def _seen_paths(self, visitor: Visitor, project_ids: Collection[int]) -> dict[int, str]:
        known = {each: self._paths.get((visitor.key, each)) for each in set(project_ids)}
        unknown = sorted(each for each, path in known.items() if path is None)
        found = visitor.gitlab.whereabouts(unknown) if unknown else {}
        for each in unknown:
            known[each] = found[each].path if each in found else _UNSEEN
            self._paths.put((visitor.key, each), known[each] or _UNSEEN)
        return {each: path for each, path in known.items() if path}

    def _asked(self, visitor: Visitor, wanted: Sequence[Conversation]) -> dict[Conversation, bool]:
        paths = self._seen_paths(visitor, {each.project_id for each in wanted})
        with self._pool.connection() as connection:
            hangs_on = conversations.noteables_of(connection, [each.id for each in wanted if each.owner_id is None])
        places = {
            each.id: {(paths[each.project_id], noteable) for noteable in hangs_on.get(each.id, ())}
            for each in wanted
            if each.project_id in paths
        }
        asked_about = set[Any]().union(*places.values())
        shown = visitor.gitlab.shown(asked_about) if asked_about else frozenset()
        return {
            each: each.project_id in paths and self._may_read(visitor, each, places[each.id], shown) for each in wanted
        }

    def _may_read(
        self, visitor: Visitor, conversation: Conversation, places: Collection[Any], shown: Collection[Any]
    ) -> bool:
        if conversation.owner_id is not None:
            return conversation.owner_id == visitor.person.id
        if not places or not set(places) <= set(shown):
            return False
        return not conversation.is_confidential or self._reads_internal_notes(visitor, conversation.project_id)

    def _reads_internal_notes(self, visitor: Visitor, project_id: int) -> bool:
        return visitor.sees_all or self.role(visitor, project_id) >= AccessLevel.PLANNER


def rights_of(connection: Connection) -> Rights:
    """Return the rights that the app keeps."""
    rights = connection.app.state.door.rights
    assert isinstance(rights, Rights)  # create_app put it there
    return rights


def _key(visitor: Visitor, conversation: Conversation) -> _ReadKey:
    return visitor.key, conversation.id, conversation.is_confidential  # what becomes confidential is asked anew


def _role(visitor: Visitor, project_id: int) -> AccessLevel:
    try:
        return visitor.gitlab.access_level(project_id, visitor.person.id)
    except RefusedError:
        return AccessLevel.NONE
