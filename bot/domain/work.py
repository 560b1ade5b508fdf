"""What the bot writes, and what bounds it."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct


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


RungName = Literal["yaml", "schema", "semantics", "policy", "scripts", "gitlab"]


class Rung(Struct, frozen=True, kw_only=True):
    """How one rung of the check ladder went. `by` names who was asked where that is not ourselves."""

    name: RungName
    result: Literal["passed", "failed", "not asked"]
    errors: int = 0
    warnings: int = 0
    by: str = ""


class Scorecard(Struct, frozen=True, kw_only=True):
    """What was really checked about a proposal, and how well its facts are founded.

    `unsure` counts facts that are guesses. `pins` are the versions of our own table in the files, `pins_as_of` its
    date. `keeping_fresh` says what updates them in this repository.
    """

    ladder: tuple[Rung, ...]
    facts: int
    with_evidence: int
    unsure: int
    pins: tuple[str, ...] = ()
    pins_as_of: str = ""
    keeping_fresh: str = ""


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
    score: Scorecard | None = None


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
    `wants_digests` whether they want images by
    digest, `remark` what is wrong with these rules.
    """

    version: str = ""
    tier: str = ""
    runners: tuple[Runner, ...] | None = None
    is_privileged: bool | None = None
    tags: tuple[str, ...] | None = None
    wants_digests: bool = False
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
