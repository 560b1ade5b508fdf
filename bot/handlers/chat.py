"""Answers what a person wrote over the program's own address; the words go out as they come, the answer is stored."""

import time
from dataclasses import dataclass, field
from uuid import UUID

from bot.domain import AccessLevel, CannotError, Chat, ChatMessage
from bot.handlers import limits, memory
from bot.handlers.chat_orders import carry_out
from bot.handlers.converse import converse
from bot.handlers.mention import NOT_WELL
from bot.masking import mask_secrets
from bot.proposals import draft
from bot.proposals.command import Command, read_order
from bot.proposals.order import Order
from bot.proposals.rights import require
from bot.replies import texts
from bot.services import Services
from bot.store import live, orders

_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_BETWEEN_WORDS = 0.1


def handle_chat(services: Services, event: Chat, order: Order) -> str:
    """Answer; return a word for how it ended."""
    over = limits.too_much(services, order)
    if over is not None:
        tell(services, order, over.text)
        return limits.LIMITED
    asked = read_order(event.text)
    is_command = isinstance(asked, Command)
    memory.begin(services, order, event.text, resumes=not is_command)
    listener = _Listener(services, order.id, event.channel)
    try:
        require(services, order, AccessLevel.REPORTER, "talk with me about it")
        if isinstance(asked, Command):
            text, result = carry_out(services, order, asked, listener.on_step), str(asked.name)
        else:
            limits.check_length(services.settings, event.text)
            text, result = _talk(services, order, event.text, listener)
    except CannotError as refused:
        text, result = texts.refusal(str(refused)), "refused"
    if is_command or result in NOT_WELL:
        memory.keep(services, order, ChatMessage(role="assistant", content=text))
    tell(services, order, text)
    return result


def tell(services: Services, order: Order, text: str) -> None:
    """Store the answer; whoever listens hears of it when the order is finished."""
    with services.pool.connection() as connection:
        orders.set_answer(connection, order.id, mask_secrets(text))


def _talk(services: Services, order: Order, words: str, listener: "_Listener") -> tuple[str, str]:
    talk = converse(services, order, words, listener)
    listener.say_the_rest()
    if talk.opened is None:
        return talk.text, talk.result
    return "\n\n".join((talk.text, draft.summary(talk.opened, services.mention))), talk.result


@dataclass
class _Listener:
    """Hands on steps and words; the words in small heaps, and only whole ones, so that no secret slips by in halves."""

    services: Services
    order_id: UUID
    channel: UUID
    heard: str = ""
    said: str = ""
    spoke_at: float = 0.0
    looked_at: float = 0.0
    is_over: bool = field(default=False)

    def on_step(self, words: str) -> None:
        self._publish("step", words)

    def on_text(self, words: str) -> None:
        self.heard += words
        if time.monotonic() - self.spoke_at >= _SECONDS_BETWEEN_WORDS:
            self._hand_on(self.heard[: max(self.heard.rfind(" "), self.heard.rfind("\n")) + 1])

    def say_the_rest(self) -> None:
        """Hand on what is still held back."""
        self._hand_on(self.heard)

    def _hand_on(self, words: str) -> None:
        whole = mask_secrets(words)
        if whole.startswith(self.said) and len(whole) > len(self.said):
            self._publish("text", whole[len(self.said) :])
            self.said = whole
            self.spoke_at = time.monotonic()

    def is_stopped(self) -> bool:
        """Look now and then whether the answer is still wanted."""
        if not self.is_over and time.monotonic() - self.looked_at >= _SECONDS_BETWEEN_LOOKS:
            self.looked_at = time.monotonic()
            with self.services.pool.connection() as connection:
                self.is_over = orders.is_stop_asked(connection, self.order_id)
        return self.is_over

    def _publish(self, kind: str, words: str) -> None:
        with self.services.pool.connection() as connection:
            live.publish(connection, self.channel, kind, words)
