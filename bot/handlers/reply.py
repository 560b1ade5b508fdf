"""The one note that answers an order: created once, then edited through its stages."""

import math
import time
from typing import Protocol

from bot.domain import SafeText, SkipError
from bot.gitlab.answers import RefusedError
from bot.handlers import limits
from bot.proposals.order import Order
from bot.replies import texts
from bot.replies.render import safe
from bot.services import Services
from bot.store import orders

_SECONDS_BETWEEN_STAGES = 2.0


class Answering(Protocol):
    """Where the answer to an order goes: a note, or whoever talks with the bot over its own address."""

    def show(self, markdown: str) -> int:
        """Show this text now, in place of what was shown before."""

    def show_working(self, stage: str) -> None:
        """Show what is being done now."""


class Reply:
    """The answer to one order; it survives a crash because its note is found again. `said` is the last text."""

    def __init__(self, services: Services, order: Order, *, footnote: str = "") -> None:
        self._services = services
        self._order = order
        self._note_id = self._known_note()
        self.said = ""
        self._shown_at = -math.inf
        self._footnote = f"\n\n{footnote}" if footnote else ""

    def show(self, markdown: str) -> int:
        """Show this text now, in a new note the first time; return the note's id."""
        self.said = markdown
        self._shown_at = time.monotonic()
        link = texts.conversation_link(self._services.settings.public_url, self._order.conversation_id)
        text = safe(markdown + self._footnote, self._services.homes, ending=link + texts.mark(self._order.id))
        if self._note_id is None:
            self._note_id = self._create(text)
        else:
            self._services.gitlab.edit_note(self._order.project.id, self._order.place, self._note_id, text)
        return self._note_id

    def show_working(self, stage: str) -> None:
        """Show what is being done now."""
        self.show(texts.working(stage))

    def show_stage(self, markdown: str) -> None:
        """Show what is being done now, unless the note changed a moment ago: every edit is a call to GitLab."""
        if time.monotonic() - self._shown_at >= _SECONDS_BETWEEN_STAGES:
            self.show(markdown)

    def _known_note(self) -> int | None:
        with self._services.pool.connection() as connection:
            row = orders.get(connection, self._order.id)
        if row is not None and row.reply_note_id is not None:
            return row.reply_note_id
        if self._order.attempts <= 1:
            return None
        return self._remember(self._marked_note())

    def _marked_note(self) -> int | None:
        """Find a note written just before a crash by its author and hidden mark; a mark alone proves nothing."""
        mark = f"pipewright:order={self._order.id}"
        notes = self._services.gitlab.notes(self._order.project.id, self._order.place)
        own = (note.id for note in notes if note.author.id == self._services.bot.id and mark in note.body)
        return next(own, None)

    def _create(self, text: SafeText) -> int:
        limits.wait_for_note(self._services)
        try:
            note_id = self._written(text, self._order.discussion_id)
        except RefusedError as refused:
            if refused.status != 404:
                raise
            note_id = self._beside_the_thread(text)
        self._remember(note_id)
        return note_id

    def _beside_the_thread(self, text: SafeText) -> int:
        """The thread is gone, or all of the place: whoever deleted that waits for no answer."""
        try:
            return self._written(text, None)
        except RefusedError as refused:
            if refused.status != 404:
                raise
            raise SkipError("what was to be answered is gone from GitLab") from refused

    def _written(self, text: SafeText, discussion_id: str | None) -> int:
        return self._services.gitlab.create_note(
            self._order.project.id,
            self._order.place,
            text,
            is_internal=self._order.is_internal,
            discussion_id=discussion_id,
        )

    def _remember(self, note_id: int | None) -> int | None:
        if note_id is not None:
            with self._services.pool.connection() as connection:
                orders.set_reply_note(connection, self._order.id, note_id)
        return note_id
