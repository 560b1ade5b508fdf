"""What GitLab, a page or a program told us, as facts."""

from typing import Literal
from uuid import UUID

from msgspec import Struct

from bot.domain.places import Noteable, Person, ProjectRef


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


MergeRequestAction = Literal["open", "close", "reopen", "update", "approved", "unapproved", "lapsed", "merge"]


class MergeRequestChanged(Struct, frozen=True, kw_only=True, tag="merge_request"):
    """A merge request changed. `head_sha` is the head when the hook was sent; `oldrev` is set for a push.

    No hook tells that what its merge waits on has `lapsed`: our own look does.
    """

    project: ProjectRef
    iid: int
    action: MergeRequestAction
    author: Person
    source_branch: str
    head_sha: str | None = None
    oldrev: str | None = None


class PipelineChanged(Struct, frozen=True, kw_only=True, tag="pipeline"):
    """A pipeline of the project has a new status; `is_stuck` when it has had that one for too long.

    `merge_request_iid` is set for one of a merge request, which may run on a commit of merged results.
    """

    project: ProjectRef
    pipeline_id: int
    ref: str
    sha: str
    status: str
    is_stuck: bool = False
    merge_request_iid: int | None = None


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
