"""Lets the model answer an order: in a note or elsewhere, from the start or from where an earlier try stood."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from bot.agent.intent import offered
from bot.agent.loop import Answer, Limits, run_agent
from bot.agent.prompts import render_prompt
from bot.domain import ChatMessage, UnreachableError
from bot.handlers import memory
from bot.llm.chat import Watch
from bot.proposals.order import Order
from bot.replies import spoken, texts
from bot.services import Services
from bot.store.proposals import Proposal
from bot.tools.editing import outline
from bot.tools.project_tools import ProjectTools

HISTORY = 12


class Listener(Protocol):
    """Who waits for the answer and hears of its making."""

    def on_step(self, words: str) -> None:
        """Hear what is being done now."""

    def on_text(self, words: str) -> None:
        """Hear the next words of the answer."""

    def is_stopped(self) -> bool:
        """Tell whether the answer is not wanted any more."""


@dataclass
class Talk:
    """One talk about one order. `opened` is the draft that came of it, `text` the answer in Markdown."""

    answer: Answer
    text: str
    opened: Proposal | None
    seconds: float
    sources: tuple[str, ...] = ()

    @property
    def result(self) -> str:
        """How it ended, in a word or two."""
        return self.answer.stopped_by or "answered"


def converse(services: Services, order: Order, words: str, listener: Listener) -> Talk:
    """Return the answer to free words; raises UnreachableError for any part but the model."""
    started = time.monotonic()
    tools = ProjectTools(services, order, words)
    notes = _Notes(services, order, listener)
    try:
        said = _ask(services, order, words, tools, notes)
    except UnreachableError as error:
        if error.part != "Ollama":
            raise
        advice = str(getattr(error, "advice", "")) or "it did not answer"
        said = Answer(text="", turns=0, stopped_by="model down")
        notes.down = spoken.model_trouble(advice, services.mention)
    return Talk(
        answer=said,
        text=notes.down or _text(services, said, tools),
        opened=tools.opened,
        seconds=time.monotonic() - started,
        sources=tuple(dict.fromkeys(notes.sources)),
    )


def _ask(services: Services, order: Order, words: str, tools: ProjectTools, notes: "_Notes") -> Answer:
    earlier = memory.so_far(services, order)
    if not earlier and not services.model.is_up():
        notes.down = texts.model_down(services.mention)
        return Answer(text="", turns=0, stopped_by="model down")
    for message in earlier:
        notes.note_sources(message)
    offer = offered(tools.all(), words, may_change=order.may_change)
    history = memory.history(services, order, HISTORY)
    return run_agent(
        services.model,
        [_system(services, order, has_tools=bool(offer)), *history, ChatMessage(role="user", content=words)],
        offer,
        Limits(window=services.model.window),
        notes.on_message,
        earlier=earlier,
        watch=notes.watch(),
    )


def _system(services: Services, order: Order, *, has_tools: bool) -> ChatMessage:
    """An 8B model that is told of tools calls them for a greeting too, so small talk has words of its own."""
    text = render_prompt(
        services.prompts_dir,
        "system.md.j2" if has_tools else "talk.md.j2",
        project_path=order.project.path,
        repo_url=order.project.web_url,
        mention=services.mention,
        draft=outline(services, order),
    )
    return ChatMessage(role="system", content=text)


def _text(services: Services, said: Answer, tools: ProjectTools) -> str:
    if said.text.strip():
        return spoken.answer(said.text, tools.statuses, is_cut=said.is_cut)
    return spoken.without_answer(said.stopped_by or "", tools.statuses, said.known, services.mention)


@dataclass
class _Notes:
    """Keeps every message as it happens, and tells the listener what is being done."""

    services: Services
    order: Order
    listener: Listener
    sources: list[str] = field(default_factory=list)
    down: str = ""

    def watch(self) -> Watch:
        told: Callable[[], None] = lambda: self.listener.on_step(spoken.WAITING)  # noqa: E731
        return Watch(on_text=self.listener.on_text, on_waiting=told, is_stopped=self.listener.is_stopped)

    def on_message(self, message: ChatMessage) -> None:
        memory.keep(self.services, self.order, message)
        for call in message.tool_calls:
            if call.name:
                self.listener.on_step(spoken.stage(call.name))
        self.note_sources(message)

    def note_sources(self, message: ChatMessage) -> None:
        """Note what the message's calls look at."""
        found = (spoken.source(call.name, call.arguments) for call in message.tool_calls if call.name)
        self.sources += [source for source in found if source]
