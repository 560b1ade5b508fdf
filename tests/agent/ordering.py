"""An order as the bot handles it, with tools that only note what they were asked: model, loop, limits and reply."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.agent.intent import offered
from bot.agent.loop import Answer, Limits, run_agent
from bot.agent.tool import Tool
from bot.domain import ChatMessage, ToolError, ToolSpec
from bot.llm.chat import Watch
from bot.llm.faults import FaultError
from bot.llm.host import Timing
from bot.llm.ollama import Asking, Mode, OllamaModel
from bot.replies import spoken
from bot.tools import specs
from tests.world.scripted_ollama import MODEL

U = "https://gitlab.example.com/g/p"
MENTION = "@pipewright"
FAILED = "The [pipeline](https://gitlab.example.com/g/p/-/pipelines/1) on `main` failed ❌."
EDIT = ToolSpec(
    name="edit_pipeline",
    description="Change the draft by small operations.",
    parameters={
        "type": "object",
        "properties": {
            "repo_url": {"type": "string"},
            "ops": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "op": {"type": "string", "enum": ["delete", "set_image"]},
                        "job": {"type": "string"},
                    },
                    "required": ["op", "job"],
                },
            },
        },
        "required": ["repo_url", "ops"],
    },
)
EXPLAIN = ToolSpec(
    name="explain_failure",
    description="Say why a job failed.",
    parameters={"type": "object", "properties": {"job_id": {"type": "integer"}}, "required": ["job_id"]},
)


@dataclass
class Bench:
    """The tools; `acts` holds every call that was carried out. `result` replaces what reading tells."""

    result: str = "README.md\nsrc/app.py"
    acts: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)

    def tools(self) -> dict[str, Tool]:
        here: dict[str, object] = {"repo_url": U}
        all_ = (
            Tool(spec=specs.GENERATE, call=lambda given: self._act("generate_pipeline", given), defaults=here),
            Tool(
                spec=specs.COMMIT,
                call=lambda given: self._act("commit_pipeline", given),
                has_effect=True,
                is_legal=lambda: any(name == "generate_pipeline" for name, _ in self.acts),
                defaults=here,
            ),
            Tool(spec=EDIT, call=lambda given: self._act("edit_pipeline", given), has_effect=True, defaults=here),
            Tool(spec=specs.STATUS, call=self._status, defaults={**here, "branch": ""}),
            Tool(spec=EXPLAIN, call=lambda given: self._act("explain_failure", given)),
            Tool(spec=specs.READ_FILE, call=lambda given: self._act("read_file", given)),
            Tool(spec=specs.LIST_FILES, call=lambda given: self._act("list_files", given), defaults={"folder": ""}),
            Tool(spec=specs.SEARCH_TEMPLATES, call=lambda given: self._act("search_templates", given)),
        )
        return {tool.spec.name: tool for tool in all_}

    def _act(self, name: str, given: dict[str, object]) -> str:
        if given.get("repo_url", U) != U:
            raise ToolError(f"only this conversation's project is within reach: {U}")
        self.acts.append((name, given))
        return self.result if name in ("read_file", "list_files", "search_templates") else f"{name} is done"

    def _status(self, given: dict[str, object]) -> str:
        self._act("check_pipeline_status", given)
        self.statuses.append(FAILED)
        return FAILED


@dataclass
class Outcome:
    """How an order ended: what the person reads, what was done, and how long was waited between tries."""

    text: str
    answer: Answer | None
    acts: list[tuple[str, dict[str, object]]]
    slept: list[float]
    messages: list[ChatMessage]
    waited: list[str]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.acts]


class Desk:
    """One bot with its model; `order` handles the person's words to the end."""

    def __init__(
        self,
        *urls: str,
        mode: Mode = "constrained",
        may_fall: bool = False,
        streaming: bool = True,
        timing: Timing = Timing(connect=5.0, first=20.0, gap=20.0),  # noqa: B008 - frozen
        model: str = MODEL,
    ) -> None:
        self.slept: list[float] = []
        asking = Asking(mode=mode, may_fall=may_fall, is_streaming=streaming)
        self.model = OllamaModel(urls, model, asking, timing=timing, sleep=self.slept.append)

    def order(
        self, words: str = "please look after our pipeline", *, bench: Bench | None = None, history: Sequence[str] = ()
    ) -> Outcome:
        bench = bench or Bench()
        said: list[ChatMessage] = []
        waited: list[str] = []
        talk = [ChatMessage(role="system", content="You are Pipewright.")]
        talk += [ChatMessage(role="user", content=old) for old in history]
        talk.append(ChatMessage(role="user", content=words))
        watch = Watch(on_waiting=lambda: waited.append(spoken.WAITING))
        answer: Answer | None = None
        try:
            answer = run_agent(self.model, talk, offered(bench.tools(), words), Limits(), said.append, watch=watch)
            text = _text(answer, bench)
        except FaultError as error:
            text = spoken.model_trouble(error.advice, MENTION)
        return Outcome(text, answer, bench.acts, self.slept, said, waited)


def _text(answer: Answer, bench: Bench) -> str:
    if answer.text.strip():
        return spoken.answer(answer.text, bench.statuses, is_cut=answer.is_cut)
    return spoken.without_answer(answer.stopped_by or "", bench.statuses, answer.known, MENTION)


def last_words(request: dict[str, Any]) -> str:
    """Return the last message of a request."""
    return str(request["messages"][-1]["content"])
