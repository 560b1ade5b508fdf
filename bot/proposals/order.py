"""One order: who asked for what, where, and in which conversation."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bot.domain import Noteable, Person, ProjectRef


@dataclass(frozen=True, kw_only=True)
class Order:
    """An accepted event with everything the work on it needs to know.

    `attempts` counts from 1; more than that means an earlier try was cut off and its effects may exist.
    `may_change` is false for whoever came with a token that only reads.
    `note_id` is the note that carries the order, None for a description or a reaction.
    """

    id: UUID
    conversation_id: UUID
    project: ProjectRef
    noteable: Noteable | None
    person: Person
    is_internal: bool
    note_id: int | None
    discussion_id: str | None
    attempts: int
    created_at: datetime
    may_change: bool = True

    @property
    def place(self) -> Noteable:
        """The issue or merge request the order was given on; a talk over our own address has none."""
        assert self.noteable is not None
        return self.noteable
