"""Says in a few words what happened in a conversation, and puts what belongs together into one line."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from markupsafe import Markup
from msgspec import Struct

from bot.domain import Chat, Decision, Event, Mention, MergeRequestChanged, PipelineChanged
from bot.masking import mask_secrets
from bot.store.history import Said, Turn
from bot.web.pages.drawing import STATUS_WORDS
from bot.web.pages.markdown import shown

_ACTS = {
    "open": "opened the merge request",
    "close": "closed the merge request",
    "reopen": "opened the merge request again",
    "update": "changed the merge request",
    "approved": "approved the merge request",
    "unapproved": "took the approval back",
    "merge": "merged the merge request",
}


class Line(Struct, frozen=True, kw_only=True):
    """One turn as it is shown: who, what, and whether these are words somebody said or just something that happened."""

    turn: Turn
    who: str
    words: Markup
    is_said: bool
    answers: tuple["Answer", ...]


class Answer(Struct, frozen=True, kw_only=True):
    """One message of the bot or of a tool it used; `html` is safe."""

    role: str
    html: Markup
    tool_name: str | None = None
    calls: tuple[object, ...] = ()


def lines(turns: Sequence[Turn], homes: Sequence[str]) -> list[Line]:
    """Return what to show of a conversation; of a pipeline only its newest state."""
    last: dict[int, UUID] = {
        turn.event.pipeline_id: turn.id for turn in turns if isinstance(turn.event, PipelineChanged)
    }
    return [_line(turn, homes) for turn in turns if _is_shown(turn, last)]


def _is_shown(turn: Turn, last: dict[int, UUID]) -> bool:
    """What came to nothing is no news, unless somebody waits for it."""
    if isinstance(turn.event, PipelineChanged):
        return last[turn.event.pipeline_id] == turn.id
    return turn.state != "skipped" or isinstance(turn.event, Mention | Chat)


def _line(turn: Turn, homes: Sequence[str]) -> Line:
    who, words = in_words(turn.event)
    is_said = isinstance(turn.event, Mention | Chat)
    return Line(
        turn=turn,
        who=who,
        words=shown(words, homes) if is_said else Markup.escape(mask_secrets(words)),
        is_said=is_said,
        answers=tuple(_answers(turn, homes)),
    )


def _answers(turn: Turn, homes: Sequence[str]) -> Iterable[Answer]:
    said = [message for message in turn.messages if message.role != "user"]
    yield from (_answer(message, homes) for message in said)
    told = {message.content for message in said}
    if turn.answer and turn.answer not in told and not (isinstance(turn.event, Chat) and _ends_like(turn.answer, said)):
        yield Answer(role="assistant", html=shown(turn.answer, homes))


def _ends_like(answer: str, said: Sequence[Said]) -> bool:
    """A talk's answer repeats the model's last words, with the draft's summary below."""
    return bool(said) and bool(said[-1].content) and answer == said[-1].content


def _answer(message: Said, homes: Sequence[str]) -> Answer:
    is_tool = message.role == "tool"
    return Answer(
        role=message.role,
        html=Markup.escape(mask_secrets(message.content)) if is_tool else shown(message.content, homes),
        tool_name=message.tool_name,
        calls=tuple(message.tool_calls),
    )


def in_words(event: Event) -> tuple[str, str]:
    """Return who did something and what."""
    match event:
        case Mention() | Chat():
            return event.author.username, event.text
        case Decision():
            return event.author.username, f"said {'Yes' if event.is_yes else 'No'} to {event.sha[:8]} on this page"
        case MergeRequestChanged():
            return event.author.username, _ACTS.get(event.action, event.action)
        case PipelineChanged():
            status = STATUS_WORDS.get(event.status, event.status)
            return "GitLab", f"pipeline {event.pipeline_id}: {status}"
        case _:
            act = "reacted with" if event.is_award else "took back"
            return event.author.username, f"{act} :{event.emoji}:"
