"""The nouns of the bot, frozen and without any I/O: read this first.

GitLab's words win: a *pipeline* is one run, a *job* is a part of it, a *note* is a comment, a *noteable* is
what a note hangs on, an *award emoji* is a reaction. `iid` counts inside a project, `id` on the instance.
"""

from enum import IntEnum, StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct


class AccessLevel(IntEnum):
    """A person's role in a project (docs.gitlab.com/api/members)."""

    NONE = 0
    MINIMAL = 5
    GUEST = 10
    PLANNER = 15
    REPORTER = 20
    SECURITY_MANAGER = 25
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


class Person(Struct, frozen=True, kw_only=True):
    """An account of GitLab; nothing here says what it may do."""

    id: int
    username: str


class ProjectRef(Struct, frozen=True, kw_only=True):
    """Which project, as a webhook names it. `path` is `path_with_namespace`."""

    id: int
    path: str
    web_url: str = ""


NoteableKind = Literal["issue", "merge_request"]


class Noteable(Struct, frozen=True, kw_only=True):
    """What a note hangs on: an issue or a merge request, by its `iid`."""

    kind: NoteableKind
    iid: int


# --- events: what GitLab told us, as facts ---


class Mention(Struct, frozen=True, kw_only=True, tag="mention"):
    """A person named the bot in a note, or in a description (then `note_id` is None).

    `is_internal` is true for an internal note and for anything on a confidential issue: the answer must be
    internal too. `text` is the raw Markdown after GitLab removed quick actions. `is_late` when no webhook told it.
    """

    project: ProjectRef
    noteable: Noteable
    author: Person
    text: str
    note_id: int | None = None
    discussion_id: str | None = None
    is_internal: bool = False
    noteable_title: str = ""
    is_late: bool = False


class Reaction(Struct, frozen=True, kw_only=True, tag="reaction"):
    """A person awarded or revoked an emoji on a noteable, or on a note of it (`note_id`)."""

    project: ProjectRef
    noteable: Noteable
    author: Person
    emoji: str
    is_award: bool
    note_id: int | None = None


MergeRequestAction = Literal["open", "close", "reopen", "update", "approved", "unapproved", "merge"]


class MergeRequestChanged(Struct, frozen=True, kw_only=True, tag="merge_request"):
    """A merge request changed. `head_sha` is the head when the hook was sent; `oldrev` is set for a push."""

    project: ProjectRef
    iid: int
    action: MergeRequestAction
    author: Person
    source_branch: str
    head_sha: str | None = None
    oldrev: str | None = None


class PipelineChanged(Struct, frozen=True, kw_only=True, tag="pipeline"):
    """A pipeline of the project has a new status; `is_stuck` when it has had that one for too long."""

    project: ProjectRef
    pipeline_id: int
    ref: str
    sha: str
    status: str
    is_stuck: bool = False


ChatAct = Literal["talk", "generate", "commit"]


class Chat(Struct, frozen=True, kw_only=True, tag="chat"):
    """A person wrote to the bot over its own address, in a known conversation or a new one.

    `act` is more than talk where a program asked to compose files for the wishes in `text`, or to open a draft of those
    that were composed as `proposal_id`. `may_change` is false for a token that only reads. What is heard of the work
    goes to `channel`.
    """

    project: ProjectRef
    author: Person
    text: str
    channel: UUID
    conversation_id: UUID | None = None
    may_change: bool = False
    act: ChatAct = "talk"
    proposal_id: UUID | None = None


class Decision(Struct, frozen=True, kw_only=True, tag="decision"):
    """A person said Yes or No over our own address to one proposal, looking at exactly this commit (`sha`).

    `may_change` is false for a token that only reads. The end of the work is told to `channel`.
    """

    project: ProjectRef
    author: Person
    conversation_id: UUID
    proposal_id: UUID
    sha: str
    is_yes: bool
    channel: UUID
    may_change: bool = False


Event = Mention | Reaction | MergeRequestChanged | PipelineChanged | Chat | Decision

FINAL_PIPELINE_STATUSES = frozenset({"success", "failed", "canceled", "skipped"})


# --- a repository, as read and as understood ---


class Snapshot(Struct, frozen=True, kw_only=True):
    """A repository at one commit: every path, and the text of the files worth reading.

    `paths` are sorted, relative, with `/`. A file that is not in `texts` was too large, binary or not wanted.
    """

    paths: tuple[str, ...]
    texts: dict[str, str] = {}

    def read(self, path: str) -> str | None:
        """Return the text of a file, or None when it is absent or was not read."""
        return self.texts.get(path)


class Evidence(Struct, frozen=True, kw_only=True):
    """Where a fact was read. `line` counts from 1."""

    path: str
    line: int | None = None
    quote: str = ""


class Fact(Struct, frozen=True, kw_only=True):
    """Something known about a unit, with its evidence.

    `name` comes from the vocabulary in `bot/survey/__init__.py`. `because` ends the sentence "<value>,
    because …". `confidence` goes from 0 (a guess) to 1 (the repository says so itself).
    """

    name: str
    value: str
    because: str
    evidence: tuple[Evidence, ...] = ()
    confidence: float = 1.0


class Unit(Struct, frozen=True, kw_only=True):
    """One buildable thing in a repository. `root` is "" at the top, else a folder such as `services/api`."""

    root: str
    ecosystem: str
    facts: tuple[Fact, ...]

    def first(self, name: str) -> str | None:
        """Return the first value of a fact, or None."""
        return next((fact.value for fact in self.facts if fact.name == name), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a fact, in order."""
        return tuple(fact.value for fact in self.facts if fact.name == name)


class Carried(Struct, frozen=True, kw_only=True):
    """One line of another CI and what it became: a fact, something of GitLab's, or nothing; `why` says the rest."""

    where: Evidence
    job: str = ""
    became: str = ""
    why: str = ""


class Survey(Struct, frozen=True, kw_only=True):
    """What a repository is: its units, what contradicts, and the one question worth asking.

    A repository without anything recognisable has no units and says so in `remarks`. `conversion` tells line by line
    what became of another CI.
    """

    units: tuple[Unit, ...]
    remarks: tuple[str, ...] = ()
    question: str | None = None
    conversion: tuple[Carried, ...] = ()


# --- what the bot writes ---


class Source(Struct, frozen=True, kw_only=True):
    """Where a part of the result comes from: a template and the hash of its content.

    `origin` is the folder, or the project and its commit, that an organisation's own template was read from.
    """

    template: str
    content_hash: str
    why: str = ""
    origin: str = ""


class JobRow(Struct, frozen=True, kw_only=True):
    """One row of the job table shown to people. `file` is empty for the main pipeline."""

    name: str
    stage: str
    image: str
    does: str
    why: str = ""
    file: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """One message of the check ladder, with its mend. `rung` is yaml, schema, semantics, scripts, policy or gitlab."""

    rung: str
    message: str
    path: str = ".gitlab-ci.yml"
    line: int | None = None
    mend: str = ""
    is_error: bool = True


RiskKind = Literal[
    "remote_includes", "foreign_includes", "foreign_triggers", "foreign_images", "unpinned_images", "piped_scripts",
    "printed_variables", "privileged_services", "id_tokens",
]  # fmt: skip


class Risk(Struct, frozen=True, kw_only=True):
    """Something that a pipeline or Dockerfile does and that a person should know of before approving.

    `what` is the thing itself (an image, an address, a line), by which it is known again; `jobs` have it. What was
    there before the draft is not `is_new`; what the project's rules allow is kept, but not told.
    """

    kind: RiskKind
    what: str
    message: str
    jobs: tuple[str, ...] = ()
    is_new: bool = True
    is_allowed: bool = False


class Included(Struct, frozen=True, kw_only=True):
    """A file that takes part in a pipeline: `kind` is local, file (of a `project`), remote, template or component."""

    kind: str
    location: str
    project: str = ""


class Composition(Struct, frozen=True, kw_only=True):
    """The files to propose, by path, and how to explain them.

    `files` holds only what is new or changed. `kept` names jobs of an existing file that were left alone. `house` are
    the registries of the house, from which its images may come. `risks` are known once GitLab has merged the file.
    """

    files: dict[str, str]
    jobs: tuple[JobRow, ...]
    sources: tuple[Source, ...]
    assumptions: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    house: tuple[str, ...] = ()
    risks: tuple[Risk, ...] = ()


class Wishes(Struct, frozen=True, kw_only=True):
    """What a person asked for beside "a pipeline", read from their words without a model."""

    versions: dict[str, str] = {}
    services: tuple[str, ...] = ()
    dockerfile: bool | None = None
    without: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    words: str = ""


class Conventions(Struct, frozen=True, kw_only=True):
    """How a house writes its pipelines; what is empty is not settled there.

    `mirror` stands before the names of Docker Hub's images, such as `registry.example.com/hub`, without a slash at the
    end. `because` says for each field where it was seen: it ends the sentence "follows house convention: …".
    """

    tags: tuple[str, ...] = ()
    mirror: str = ""
    stages: tuple[str, ...] = ()
    default_image: str = ""
    because: dict[str, str] = {}


class Runner(Struct, frozen=True, kw_only=True):
    """A runner that is online for a project. `scope` is instance, group or project; no `executors`: not known."""

    scope: str
    tags: tuple[str, ...] = ()
    takes_untagged: bool = True
    executors: tuple[str, ...] = ()


class Surroundings(Struct, frozen=True, kw_only=True):
    """What is known of the GitLab around a repository; empty and None mean that it is not known.

    `tier` is free, premium or ultimate. `is_privileged` and `tags` are what the project's rules say of its runners,
    `remark` what is wrong with these rules.
    """

    version: str = ""
    tier: str = ""
    runners: tuple[Runner, ...] | None = None
    is_privileged: bool | None = None
    tags: tuple[str, ...] | None = None
    remark: str = ""


class ProposalStatus(StrEnum):
    """`pipelines.status`: generated → proposed → approved → committed, or one of the ends."""

    GENERATED = "generated"
    PROPOSED = "proposed"
    APPROVED = "approved"
    COMMITTED = "committed"
    SUPERSEDED = "superseded"
    REJECTED = "rejected"
    FAILED = "failed"


class SafeText(Struct, frozen=True):
    """Markdown that went through `bot.replies.render`, the only maker of these: it may be sent to GitLab."""

    markdown: str


# --- chat with the model ---


class ToolSpec(Struct, frozen=True, kw_only=True):
    """A function the model may ask for. `parameters` is a flat JSON schema object, written by hand."""

    name: str
    description: str
    parameters: dict[str, object]


class ToolCall(Struct, frozen=True, kw_only=True):
    """The model's wish to call a tool."""

    name: str
    arguments: dict[str, object]


class ChatMessage(Struct, frozen=True, kw_only=True):
    """One message of a chat with the model; `tool_name` says whose result a `tool` message holds.

    A call of the tool "" stands for what was no call at all, and the result of "" for our complaint about it.
    `is_nudge` marks words of ours in the person's place.
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_name: str | None = None
    is_nudge: bool = False


class ModelTurn(Struct, frozen=True, kw_only=True):
    """One answer of the model, with what it cost. Counts are tokens, `seconds` is wall time.

    With a `complaint` (words for the model) the text is of no use. `is_recovered` says that the call was written as
    text; `is_cut` that the output limit cut the text, `is_prompt_cut` that the server cut what we sent.
    """

    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    complaint: str = ""
    is_recovered: bool = False
    is_cut: bool = False
    is_prompt_cut: bool = False
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


# --- outcomes that are not success ---


class SkipError(Exception):
    """Nothing to do; the reason is logged and nobody is told."""


class CannotError(Exception):
    """The order cannot be carried out; the message ends the sentence "I can't do that: …" and is told."""


class ToolError(Exception):
    """The model asked for something impossible; the message tells it what to do instead."""


class UnreachableError(Exception):
    """An outside part did not answer; waiting can help.

    `part` is GitLab, Ollama, Chroma or PostgreSQL. `effect_possible` is true when a write may have happened.
    `retry_after` are the seconds for which the part itself asked to be left alone.
    """

    def __init__(self, part: str, detail: str, *, effect_possible: bool = False, retry_after: int = 0) -> None:
        super().__init__(f"{part} did not answer: {detail}")
        self.part = part
        self.effect_possible = effect_possible
        self.retry_after = retry_after
