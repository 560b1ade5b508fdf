"""Says in a few words what happened in a conversation, and puts what belongs together into one line.

However much was said, a page stays small: what is long is cut, and what does not fit stands behind a link.
"""

import json
from collections.abc import Iterable, Sequence
from uuid import UUID

from markupsafe import Markup
from msgspec import Struct

from bot.domain import Chat, Decision, Event, Mention, MergeRequestChanged, PipelineChanged
from bot.masking import mask_secrets
from bot.store.history import Said, Turn
from bot.web.pages import marks
from bot.web.pages.drawing import STATUS_WORDS
from bot.web.pages.markdown import shown

_ACTS = {
    "open": "opened the merge request",
    "close": "closed the merge request",
    "reopen": "opened the merge request again",
    "update": "changed the merge request",
    "approved": "approved the merge request",
    "unapproved": "took the approval back",
    "lapsed": "changed what the merge waited on",
    "merge": "merged the merge request",
}


TURNS = 50
_MOST_CHARACTERS = 200_000
_LONGEST = {"user": 12_000, "assistant": 12_000, "tool": 4_000}
_LONGEST_CALL = 2_000


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
    calls: tuple[str, ...] = ()


class Past(Struct, frozen=True, kw_only=True):
    """What a page shows of what happened, and where what happened before that begins, if it does not show all."""

    lines: list[Line]
    older: str | None


def past_of(turns: Sequence[Turn], homes: Sequence[str]) -> Past:
    """Return what to show of the last `TURNS` turns, as far as it fits; of a pipeline only its newest state."""
    fitting = _fitting(turns[-TURNS:])
    last: dict[int, UUID] = {
        turn.event.pipeline_id: turn.id for turn in fitting if isinstance(turn.event, PipelineChanged)
    }
    return Past(
        lines=[_line(turn, homes) for turn in fitting if _is_shown(turn, last)],
        older=marks.written((fitting[0].created_at, fitting[0].id)) if len(fitting) < len(turns) else None,
    )


def _fitting(turns: Sequence[Turn]) -> list[Turn]:
    """Return the newest turns that fit on a page, at least one, oldest first."""
    left, found = _MOST_CHARACTERS, list[Turn]()
    for turn in reversed(turns):
        left -= _length(turn)
        if found and left < 0:
            break
        found.append(turn)
    return found[::-1]


def _length(turn: Turn) -> int:
    said = (min(len(message.content), _LONGEST[message.role]) for message in turn.messages)
    return 500 + len(_cut(in_words(turn.event)[1])) + len(_cut(turn.answer)) + sum(said)


def _cut(text: str, role: str = "assistant") -> str:
    most = _LONGEST[role]
    return text if len(text) <= most else f"{text[:most]}\n\n… (it goes on; the API tells all of it)"


def _is_shown(turn: Turn, last: dict[int, UUID]) -> bool:
    """What came to nothing is no news, unless somebody waits for it."""
    if isinstance(turn.event, PipelineChanged):
        return last[turn.event.pipeline_id] == turn.id
    return turn.state != "skipped" or isinstance(turn.event, Mention | Chat)


def _line(turn: Turn, homes: Sequence[str]) -> Line:
    who, words = in_words(turn.event)
    words = _cut(mask_secrets(words))
    is_said = isinstance(turn.event, Mention | Chat)
    return Line(
        turn=turn,
        who=who,
        words=shown(words, homes) if is_said else Markup.escape(words),
        is_said=is_said,
        answers=tuple(_answers(turn, homes)),
    )


def _answers(turn: Turn, homes: Sequence[str]) -> Iterable[Answer]:
    said = [message for message in turn.messages if message.role != "user"]
    yield from (_answer(message, homes) for message in said)
    told = {message.content for message in said}
    if turn.answer and turn.answer not in told and not (isinstance(turn.event, Chat) and _ends_like(turn.answer, said)):
        yield Answer(role="assistant", html=shown(_cut(mask_secrets(turn.answer)), homes))


def _ends_like(answer: str, said: Sequence[Said]) -> bool:
    """A talk's answer repeats the model's last words, with the draft's summary below."""
    return bool(said) and bool(said[-1].content) and answer == said[-1].content


def _answer(message: Said, homes: Sequence[str]) -> Answer:
    is_tool, words = message.role == "tool", _cut(mask_secrets(message.content), message.role)
    return Answer(
        role=message.role,
        html=Markup.escape(words) if is_tool else shown(words, homes),
        tool_name=message.tool_name,
        calls=tuple(_called(call) for call in message.tool_calls[:5]),
    )


def _called(call: object) -> str:
    text = mask_secrets(json.dumps(call, ensure_ascii=False))
    return text if len(text) <= _LONGEST_CALL else f"{text[:_LONGEST_CALL]} …"


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
