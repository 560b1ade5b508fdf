"""Answers free words in a note, through the model's tool loop."""

from dataclasses import dataclass

from bot.domain import AccessLevel, ChatMessage
from bot.handlers import memory, orders
from bot.handlers.converse import Talk, converse
from bot.handlers.reply import Reply
from bot.proposals.order import Order
from bot.proposals.rights import require
from bot.replies import spoken, texts
from bot.services import Services


def answer(services: Services, order: Order, words: str, reply: Reply) -> str:
    """Let the model answer; with no model reachable say so in one line."""
    require(services, order, AccessLevel.REPORTER, "talk with me about this project")
    talk = converse(services, order, words, _InNote(reply))
    _show(services, order, talk, reply)
    return talk.result


@dataclass(frozen=True)
class _InNote:
    """Shows the stages in the reply; its words come whole, for each edit of a note is a call to GitLab."""

    reply: Reply

    def on_step(self, words: str) -> None:
        self.reply.show_stage(texts.working(words))

    def on_text(self, words: str) -> None:
        """Nothing is shown of a half sentence."""

    def is_stopped(self) -> bool:
        return False


def _show(services: Services, order: Order, talk: Talk, reply: Reply) -> None:
    """The proposal's own words come from code; the model's words stand above them."""
    if talk.opened is not None:
        orders.show_proposal(services, order, talk.opened, reply, above=_said(services, talk))
    else:
        reply.show(_said(services, talk))
    if not talk.answer.text:  # a model's own words are kept as they come
        memory.keep(services, order, ChatMessage(role="assistant", content=talk.text))


def _said(services: Services, talk: Talk) -> str:
    return "\n\n".join(part for part in (talk.text, _how(services, talk)) if part)


def _how(services: Services, talk: Talk) -> str:
    """Small talk gets a sentence and no more."""
    if not talk.sources:
        return ""
    return spoken.how_answered(
        model=services.model.name,
        turns=talk.answer.turns,
        seconds=talk.seconds,
        tokens=talk.answer.prompt_tokens + talk.answer.output_tokens,
        sources=talk.sources,
    )
