"""Carries out what a person asked for by naming the bot."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

import structlog

from bot.domain import CannotError, ChatMessage, Mention, SkipError
from bot.handlers import answer, explaining, hook_health, limits, memory, orders, running
from bot.handlers.reply import Reply
from bot.proposals.command import Command, CommandName, FreeText, Unknown, read_command, stands_too_far_down
from bot.proposals.order import Order
from bot.replies import pace, texts
from bot.services import Services

log = structlog.get_logger()

NOT_WELL = frozenset(
    {"refused", "unknown", "model down", "silent", "babbling", "going in circles", "too many turns"}
    | {"too many tokens", "out of time", "too long"}
)


@dataclass(frozen=True)
class _Asked:
    """What followed the word of a command, and when GitLab says that it was written, where GitLab was asked."""

    rest: str
    at: datetime | None = None


def handle_mention(services: Services, event: Mention, order: Order) -> str:
    """Answer a mention with one note; return a word for how it ended."""
    asked = read_command(event.text, services.mention_names)
    if asked is None:
        return _not_found(services, event, order)
    over = limits.too_much(services, order)
    if over is not None:
        return _left_out(services, order, over)
    services.gitlab.react(order.project.id, order.place, order.note_id, "eyes")
    memory.begin(services, order, event.text, resumes=isinstance(asked, FreeText))
    reply = Reply(services, order, footnote=hook_health.why_late(services, order.project.id) if event.is_late else "")
    try:
        if isinstance(asked, FreeText):
            limits.check_length(services.settings, event.text)
        result = _carry_out(services, order, asked, reply)
    except CannotError as refused:
        reply.show(texts.refusal(str(refused)))
        result = "refused"
    if reply.said and not isinstance(asked, FreeText):  # the model's own words are kept as they come
        memory.keep(services, order, ChatMessage(role="assistant", content=reply.said))
    react_at_end(services, order, is_well=result not in NOT_WELL)
    return result


def _not_found(services: Services, event: Mention, order: Order) -> str:
    """Answer an order that stands below what is read; be deaf to quotes and code."""
    if not stands_too_far_down(event.text, services.mention_names):
        raise SkipError("the mention stands in a quote or in code")
    Reply(services, order).show(texts.refusal(pace.too_long(len(event.text), services.settings.order_characters)))
    return "refused"


def _left_out(services: Services, order: Order, over: limits.TooMuch) -> str:
    if over.is_told:
        Reply(services, order).show(over.text)
    else:
        limits.leave_out(services, order)
    return limits.LIMITED


def react_at_end(services: Services, order: Order, *, is_well: bool) -> None:
    """Show on the order itself how it ended; a reaction that GitLab refuses is no reason to fail."""
    try:
        services.gitlab.react(order.project.id, order.place, order.note_id, "white_check_mark" if is_well else "x")
    except CannotError as refused:
        log.info("the order got no mark of its end", reason=str(refused))


def _carry_out(services: Services, order: Order, asked: Command | Unknown | FreeText, reply: Reply) -> str:
    match asked:
        case Unknown():
            reply.show(texts.unknown_command(asked.word, asked.guess, services.mention))
            return "unknown"
        case FreeText():
            return answer.answer(services, order, asked.text, reply)
        case Command():
            return _command(services, order, asked, reply)
        case _:
            assert_never(asked)


def _command(services: Services, order: Order, command: Command, reply: Reply) -> str:
    asked = _as_written(services, order, command) if command.name in _BELIEVED_FROM_GITLAB else _Asked(command.rest)
    _CARRY_OUT[command.name](services, order, asked, reply)
    return command.name


def _as_written(services: Services, order: Order, command: Command) -> _Asked:
    """Believe no delivery when it comes to these: whoever knows the webhook's secret can write one."""
    if order.note_id is None:
        raise CannotError(
            "GitLab does not tell who wrote what stands in a description. "
            f"Write `{services.mention} {command.name}` in a comment if you want it."
        )
    author, text, at = _as_gitlab_has_it(services, order, order.note_id)
    if author != order.person.id or read_command(text, services.mention_names) != command:
        raise CannotError(
            "the comment is not in GitLab as it was delivered to me: it was changed, deleted or never written. "
            f"Write `{services.mention} {command.name}` in a new comment if you want it."
        )
    return _Asked(command.rest, at)


def _as_gitlab_has_it(services: Services, order: Order, note_id: int) -> tuple[int, str, datetime | None]:
    """Return whose words they are, the words and since when."""
    note = services.gitlab.note(order.project.id, order.place, note_id)
    return (note.author.id, note.body, datetime.fromisoformat(note.created_at)) if note is not None else (0, "", None)


def _help(services: Services, _order: Order, _asked: _Asked, reply: Reply) -> None:
    reply.show(texts.help_text(services.mention))


# What merges, or undoes somebody's work.
_BELIEVED_FROM_GITLAB = frozenset[CommandName]({"approve", "reject", "retry", "cancel", "undo", "repair"})

_CARRY_OUT: Mapping[CommandName, Callable[[Services, Order, _Asked, Reply], None]] = {
    "help": _help,
    "generate": lambda services, order, asked, reply: orders.generate(services, order, asked.rest, reply),
    "status": lambda services, order, asked, reply: orders.report_status(services, order, asked.rest, reply),
    "approve": lambda services, order, asked, reply: orders.approve(services, order, asked.rest, reply, at=asked.at),
    "reject": lambda services, order, _, reply: orders.reject(services, order, reply),
    "retry": lambda services, order, _, reply: running.retry(services, order, reply),
    "cancel": lambda services, order, _, reply: running.cancel(services, order, reply),
    "undo": lambda services, order, _, reply: orders.undo_change(services, order, reply),
    "explain": lambda services, order, asked, reply: explaining.explain(services, order, asked.rest, reply),
    "repair": lambda services, order, _, reply: explaining.carry_out_repair(services, order, reply),
}
