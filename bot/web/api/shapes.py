"""What programs are shown of conversations and pipelines. Secrets that somebody wrote are masked, as on the pages."""

from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct

from bot.masking import mask_secrets
from bot.store.drafts import DraftEntry
from bot.store.messages import Message
from bot.store.proposals import Proposal
from bot.store.search import Entry


class Conversation(Struct, frozen=True, kw_only=True):
    """One conversation. `status` is that of its newest pipeline, `none` without one."""

    session_id: UUID
    project: str
    title: str
    asked_by: str
    status: str
    pipeline_status: str | None
    is_confidential: bool
    created_at: datetime
    updated_at: datetime


class Conversations(Struct, frozen=True, kw_only=True):
    """A page of a list; `next` goes into `before` for the page after it, and is null on the last one."""

    conversations: list[Conversation]
    next: str | None


class Pipeline(Struct, frozen=True, kw_only=True):
    """Files proposed for a project. `status`: generated, proposed (a draft is open), approved, committed, or one of the
    ends superseded, rejected, failed. `commit_id` is the only commit that an approval merges.
    """

    id: UUID
    session_id: UUID
    project: str
    repo_url: str
    status: str
    requested_by: str
    target_branch: str
    source_branch: str
    commit_id: str | None
    merged_sha: str | None
    merge_request: str | None
    pipeline_status: str | None
    created_at: datetime
    updated_at: datetime


class PipelineWithFiles(Pipeline, frozen=True, kw_only=True):
    """A pipeline with its files by path; `gitlab_ci` and `dockerfile` are the texts of the two main ones."""

    gitlab_ci: str | None
    dockerfile: str | None
    files: dict[str, str]


class Pipelines(Struct, frozen=True, kw_only=True):
    """A page of a list; `next` goes into `before` for the page after it, and is null on the last one."""

    pipelines: list[Pipeline]
    next: str | None


class Said(Struct, frozen=True, kw_only=True):
    """One message: of a person (`user`), of the bot (`assistant`), or what a tool answered (`tool`)."""

    id: int
    role: str
    content: str
    author: str | None
    tool_calls: list[Any]
    tool_name: str | None
    created_at: datetime


class History(Struct, frozen=True, kw_only=True):
    """A conversation with its last messages, oldest first; `previous` goes into `before` for those before them."""

    session_id: UUID
    project: str
    title: str
    asked_by: str
    status: str
    messages: list[Said]
    previous: int | None


def conversation(entry: Entry) -> Conversation:
    """Show one conversation."""
    return Conversation(
        session_id=entry.id,
        project=entry.project_path,
        title=mask_secrets(entry.title),
        asked_by=entry.asked_by,
        status=entry.status,
        pipeline_status=entry.pipeline_status,
        is_confidential=entry.is_confidential,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
    )


def message(row: Message) -> Said:
    """Show one message."""
    return Said(
        id=row.id,
        role=row.role,
        content=mask_secrets(row.content),
        author=row.author,
        tool_calls=[_masked(call) for call in row.tool_calls or []],
        tool_name=row.tool_name,
        created_at=row.created_at,
    )


def pipeline(entry: DraftEntry) -> Pipeline:
    """Show one proposal."""
    return Pipeline(**_fields(entry))


def pipeline_with_files(entry: DraftEntry, proposal: Proposal) -> PipelineWithFiles:
    """Show one proposal and its files."""
    return PipelineWithFiles(
        **_fields(entry),
        gitlab_ci=proposal.gitlab_ci,
        dockerfile=proposal.dockerfile,
        files=proposal.composition.files,
    )


def merge_request_url(repo_url: str, iid: int | None) -> str | None:
    """Return the page of a merge request; None before there is one."""
    return f"{repo_url}/-/merge_requests/{iid}" if iid else None


def _fields(entry: DraftEntry) -> dict[str, Any]:
    same = ("repo_url", "requested_by", "target_branch", "source_branch", "commit_id", "merged_sha", "pipeline_status")
    return {
        **{name: getattr(entry, name) for name in same},
        "id": entry.proposal_id,
        "session_id": entry.id,
        "project": entry.project_path,
        "status": entry.proposal_status,
        "merge_request": merge_request_url(entry.repo_url, entry.merge_request_iid),
        "created_at": entry.proposal_created_at,
        "updated_at": entry.proposal_updated_at,
    }


def masked(text: str) -> str:
    """Return text without the tokens and keys somebody may have written."""
    return mask_secrets(text)


def _masked(value: Any) -> Any:
    match value:
        case str():
            return mask_secrets(value)
        case dict():
            return {key: _masked(inner) for key, inner in value.items()}
        case list():
            return [_masked(inner) for inner in value]
        case _:
            return value
