"""Jobs for a stack that no template knows: the model drafts them from what the project says of itself.

Each one passes the check ladder and the policy, and is marked as a guess wherever people see it. Without a model, or
when it comes to nothing, the honest placeholder stays.
"""

from collections.abc import Mapping

import structlog
from msgspec import structs

from bot.agent.loop import Limits, run_agent
from bot.agent.prompts import render_prompt
from bot.agent.tool import Tool
from bot.ci.asked import apply_operations, read_operations
from bot.ci.changed import recomposed
from bot.ci.choose import fallback
from bot.ci.compose import CI_FILE, findings_of
from bot.domain import CannotError, ChatMessage, Composition, ToolError, UnreachableError
from bot.llm.chat import Watch
from bot.proposals.change import checked
from bot.proposals.prepare import Prepared
from bot.replies.texts import finding_list
from bot.services import Services
from bot.tools import specs
from bot.tools.search import found_blocks

log = structlog.get_logger()

MOST_JOBS = 4
MOST_TRIES = 3
_READ = ("readme", "makefile", "gnumakefile", "justfile", "taskfile", "contributing", "build.sh", "test.sh", "install")
_MOST_FILES, _MOST_CHARACTERS, _MOST_PATHS = 4, 4_000, 120
_MOST_SECONDS = 300.0


def with_guesses(services: Services, prepared: Prepared, words: str) -> Prepared:
    """Return what was prepared, with jobs drafted by the model where no template knew the stack."""
    placeholder = _placeholder(services, prepared.composition)
    if not placeholder or not services.model.is_up():
        return prepared
    files = _files(services, prepared)
    if not files:
        return prepared
    guess = _Guess(services, prepared, placeholder, tuple(path for path, _ in files))
    try:
        _ask(services, guess, words, files)
    except UnreachableError as error:
        if error.part != "Ollama":
            raise
        log.info("no jobs are guessed", reason=str(error))
    return structs.replace(prepared, composition=guess.composition or prepared.composition)


def _placeholder(services: Services, composition: Composition) -> str:
    """Return the job that only says what to fill in, nothing where a template knew better."""
    template = fallback(services.catalog)
    used = {source.template for source in composition.sources}
    if template is None or template.name not in used or CI_FILE not in composition.files:
        return ""
    return composition.jobs[0].name if len(composition.jobs) == 1 else ""


def _files(services: Services, prepared: Prepared) -> list[tuple[str, str]]:
    """Return what the project says about building it."""
    named = [path for path in prepared.paths if path.count("/") <= 1 and _tells(path)]
    chosen = sorted(named, key=lambda path: (path.count("/"), path))[:_MOST_FILES]
    found = [(path, services.gitlab.read_file(prepared.project.id, prepared.base_sha, path)) for path in chosen]
    return [(path, text[:_MOST_CHARACTERS]) for path, text in found if text and text.strip()]


def _tells(path: str) -> bool:
    return path.rsplit("/", 1)[-1].lower().startswith(_READ)


def _ask(services: Services, guess: "_Guess", words: str, files: list[tuple[str, str]]) -> None:
    system = render_prompt(services.prompts_dir, "unknown_stack.md.j2")
    question = render_prompt(
        services.prompts_dir,
        "unknown_stack_files.md.j2",
        words=words,
        paths=", ".join(guess.prepared.paths[:_MOST_PATHS]),
        files=files,
        examples=_examples(services, guess.prepared.project.id, words or files[0][1][:300]),
    )
    messages = [ChatMessage(role="system", content=system), ChatMessage(role="user", content=question)]
    limits = Limits(turns=MOST_TRIES + 1, seconds=_MOST_SECONDS, window=services.model.window)
    run_agent(services.model, messages, guess.tools(), limits, _unheard, watch=Watch(is_stopped=guess.is_done))


def _unheard(_message: ChatMessage) -> None:
    """What is said here is no part of the conversation: only the drafted jobs are, and those are stored."""


def _examples(services: Services, project_id: int, query: str) -> str:
    try:
        return found_blocks(services, project_id, query)[:_MOST_CHARACTERS]
    except UnreachableError as error:
        log.warning("there are no examples", detail=str(error))
        return ""


class _Guess:
    """The one tool of this talk, and the composition that came of it."""

    def __init__(self, services: Services, prepared: Prepared, placeholder: str, read: tuple[str, ...]) -> None:
        self.prepared = prepared
        self.composition: Composition | None = None
        self._services = services
        self._placeholder = placeholder
        self._read = read
        self._tries = 0

    def tools(self) -> Mapping[str, Tool]:
        return {specs.DRAFT_JOBS.name: Tool(spec=specs.DRAFT_JOBS, call=self._draft, is_legal=self._may_try)}

    def is_done(self) -> bool:
        return self.composition is not None

    def _may_try(self) -> bool:
        return self._tries < MOST_TRIES and self.composition is None

    def _draft(self, arguments: dict[str, object]) -> str:
        self._tries += 1
        given = arguments["jobs"]
        try:
            self.composition = self._composed(list(given) if isinstance(given, list) else [])
        except CannotError as cannot:
            again = "Mend it and call draft_jobs again." if self._tries < MOST_TRIES else "Answer: unknown."
            raise ToolError(f"{cannot}\n{again}") from cannot
        return "The jobs are taken over. Answer: done."

    def _composed(self, given: list[dict[str, object]]) -> Composition:
        if not 0 < len(given) <= MOST_JOBS:
            raise CannotError(f"between one and {MOST_JOBS} jobs are wanted, not {len(given)}")
        if not all(job.get("image") and job.get("script") for job in given):
            raise CannotError("each job needs an image that has the tools, and a script")
        old = self.prepared.composition
        jobs = [{"operation": "add_job", **job} for job in given]
        asked = read_operations([*jobs, {"operation": "remove_job", "job": self._placeholder}])
        comment = f"A guess of the language model from {' and '.join(self._read)}: check every line."
        before = old.files[CI_FILE]
        files = apply_operations({CI_FILE: before}, asked, comment=comment).files
        self._require_clean(files)
        names = ", ".join(each.job for each in asked[:-1])
        warned = f"no template knows this stack: {names} is a guess of the language model from {', '.join(self._read)}"
        composed = recomposed(old, files, before={CI_FILE: before})
        kept = tuple(line for line in old.assumptions if "no build tool was recognised" not in line)
        return structs.replace(composed, assumptions=(f"{warned}; check every line before you approve", *kept))

    def _require_clean(self, files: Mapping[str, str]) -> None:
        """For a guess a warning is reason enough: nobody asked for exactly this."""
        checked(self._services, self.prepared.project.id, files, ref=self.prepared.base_branch)
        before = {finding.message for finding in findings_of(self.prepared.composition.files)}
        found = tuple(finding for finding in findings_of(files) if finding.message not in before)
        if found:
            raise CannotError(f"this is unwise:\n{finding_list(found)}")
