"""The pipeline routes: compose files for a project, open them as a draft merge request, ask how a branch stands."""

import asyncio
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import JSONBody

from bot.domain import AccessLevel, Chat, ProjectRef, ProposalStatus
from bot.gitlab.answers import RefusedError
from bot.store import drafts, history, proposals
from bot.store.proposals import Proposal
from bot.web.api import examples, shapes
from bot.web.api.describe import TAGS_PIPELINES, TOKEN, problems
from bot.web.api.once import Key, Once
from bot.web.api.places import (
    AnyRequest,
    project_at,
    require_role,
    require_writing_token,
    seen_conversation,
)
from bot.web.api.shapes import PipelineWithFiles
from bot.web.api.work import Outcome, Work, conflict, require_done, until_answered
from bot.web.door.visitors import Visitor, visitor_of
from bot.web.parts import parts_of

RepoUrl = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=1000,
        description="the project's address on the GitLab that the bot serves, or its path",
        examples=["https://gitlab.example.com/group/project", "group/project"],
    ),
]
Wishes = Annotated[str, msgspec.Meta(max_length=20_000, examples=["with python 3.12, without docker"])]
_CAN_FAIL = problems(404, 409, 413, 422)
Branch = Annotated[str, msgspec.Meta(min_length=1, max_length=255, examples=["main"])]


class GenerateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which project, and what is wished for beside "a pipeline". `session_id` goes on with a conversation."""

    repo_url: RepoUrl
    wishes: Wishes = ""
    session_id: UUID | None = None


class CommitRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which project; `pipeline_id` says which composed files, else those last composed for the person there."""

    repo_url: RepoUrl
    pipeline_id: UUID | None = None


class StatusRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which project, and which branch (the default branch without one)."""

    repo_url: RepoUrl
    branch: Branch | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, in Markdown, and the pipeline as it is now."""

    session_id: UUID
    answer: str
    pipeline: PipelineWithFiles


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One job of a run."""

    name: str
    stage: str
    status: str
    web_url: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """The newest run of the branch in GitLab, with its jobs."""

    id: int
    status: str
    sha: str
    web_url: str
    jobs: list[Job]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """How a branch stands; `run` is null where no pipeline has run on it."""

    project: str
    branch: str
    status: str
    run: Run | None


@post(
    "/api/v1/pipeline/generate",
    status_code=200,
    tags=TAGS_PIPELINES,
    summary="Compose files",
    security=TOKEN,
    responses=_CAN_FAIL,
    operation_class=examples.shown(request=examples.GENERATE, answer=examples.GENERATED),
)
async def generate(
    request: AnyRequest, data: JSONBody[GenerateRequest], idempotency_key: Key = None
) -> Response[Answer]:
    """Read the project and compose what it lacks, checked by GitLab's lint. Nothing is committed; `/commit` does."""
    visitor = await asyncio.to_thread(visitor_of, request)
    once = Once(request, visitor, idempotency_key, data)

    async def compose() -> Answer:
        event = await asyncio.to_thread(_to_generate, request, visitor, data, once.channel)
        outcome = await until_answered(request, Work(parts_of(request), event, once.delivery_key).events())
        return await asyncio.to_thread(_answer, request, outcome, None)

    return await once.answer(compose)


@post(
    "/api/v1/pipeline/commit",
    status_code=200,
    tags=TAGS_PIPELINES,
    summary="Open the draft",
    security=TOKEN,
    responses=_CAN_FAIL,
    operation_class=examples.shown(request=examples.COMMIT, answer=examples.COMMITTED),
)
async def commit(request: AnyRequest, data: JSONBody[CommitRequest], idempotency_key: Key = None) -> Response[Answer]:
    """Open the composed files as a draft merge request, on top of the commit that was read. A person approves it then:
    `/api/v1/chat/approve/{session_id}`, or in GitLab.
    """
    visitor = await asyncio.to_thread(visitor_of, request)
    once = Once(request, visitor, idempotency_key, data)

    async def open_draft() -> Answer:
        event = await asyncio.to_thread(_to_commit, request, visitor, data, once.channel)
        outcome = await until_answered(request, Work(parts_of(request), event, once.delivery_key).events())
        return await asyncio.to_thread(_answer, request, outcome, event.proposal_id)

    return await once.answer(open_draft)


@post(
    "/api/v1/pipeline/status",
    status_code=200,
    tags=TAGS_PIPELINES,
    summary="Ask for the status",
    sync_to_thread=True,
    security=TOKEN,
    responses=_CAN_FAIL,
    operation_class=examples.shown(request=examples.STATUS, answer=examples.STANDING),
)
def status(request: AnyRequest, data: JSONBody[StatusRequest]) -> Status:
    """Say how the newest pipeline of a branch stands, as GitLab shows it to the person now."""
    visitor = visitor_of(request)
    project = project_at(request, visitor, data.repo_url)
    branch = data.branch or visitor.gitlab.project(project.id).default_branch
    if branch is None:
        raise conflict("The repository is empty, so no pipeline has run. Push a first commit.")
    run = _run(visitor, project, branch)
    return Status(project=project.path, branch=branch, status=run.status if run else "none", run=run)


ROUTES = (generate, commit, status)


def _to_generate(request: AnyRequest, visitor: Visitor, data: GenerateRequest, channel: UUID) -> Chat:
    project = _ordered_in(request, visitor, data.repo_url)
    if data.session_id is not None:
        conversation = seen_conversation(request, visitor, data.session_id)
        if conversation.project_id != project.id:
            raise ClientException(f"This conversation belongs to {conversation.project_path}, not to {project.path}.")
    text = f"generate {data.wishes}".strip().replace("\x00", "")
    return _event(visitor, project, text, channel, data.session_id)


def _to_commit(request: AnyRequest, visitor: Visitor, data: CommitRequest, channel: UUID) -> Chat:
    project = _ordered_in(request, visitor, data.repo_url)
    proposal = _composed(request, visitor, project, data.pipeline_id)
    seen_conversation(request, visitor, proposal.conversation_id)
    event = _event(visitor, project, f"commit {proposal.id}", channel, proposal.conversation_id)
    return msgspec.structs.replace(event, act="commit", proposal_id=proposal.id)


def _ordered_in(request: AnyRequest, visitor: Visitor, repo_url: str) -> ProjectRef:
    project = project_at(request, visitor, repo_url)
    require_writing_token(visitor)
    require_role(request, visitor, project, AccessLevel.DEVELOPER, "ask for a pipeline")
    return project


def _event(visitor: Visitor, project: ProjectRef, text: str, channel: UUID, session_id: UUID | None) -> Chat:
    return Chat(
        project=project,
        author=visitor.person,
        text=text,
        channel=channel,
        conversation_id=session_id,
        may_change=visitor.may_change,
        act="generate",
    )


def _composed(request: AnyRequest, visitor: Visitor, project: ProjectRef, pipeline_id: UUID | None) -> Proposal:
    with parts_of(request).pool.connection() as connection:
        if pipeline_id is None:
            found = proposals.newest_generated(connection, project.id, visitor.person.id)
        else:
            found = proposals.find(connection, pipeline_id)
    if found is None or found.project_id != project.id:
        if pipeline_id is not None:
            raise NotFoundException("There is no such pipeline in this project, or your account may not see it.")
        raise conflict(f"Nothing is composed for you in {project.path} yet: POST /api/v1/pipeline/generate does that.")
    if found.status == ProposalStatus.GENERATED:
        _require_newest(request, found)
    return found


def _require_newest(request: AnyRequest, composed: Proposal) -> None:
    """What was composed before a newer state of the conversation has been overtaken by it."""
    with parts_of(request).pool.connection() as connection:
        newest = history.states(connection, composed.conversation_id, limit=1)[0]
    if newest.id != composed.id:
        raise conflict(
            f"The pipeline {composed.id} was overtaken by {newest.id} of the same conversation. Commit that one, or "
            "compose again.",
            pipeline_id=str(composed.id),
            current_pipeline_id=str(newest.id),
        )


def _answer(request: AnyRequest, outcome: Outcome, proposal_id: UUID | None) -> Answer:
    require_done(outcome)
    with parts_of(request).pool.connection() as connection:
        found = (
            proposals.get(connection, proposal_id)
            if proposal_id
            else proposals.find_by_order(connection, outcome.order.id)
        )
        entry = drafts.named(connection, found.id) if found else None
    assert found is not None and entry is not None  # noqa: PT018 - an order that is done has made it
    return Answer(
        session_id=outcome.conversation_id, answer=outcome.text, pipeline=shapes.pipeline_with_files(entry, found)
    )


def _run(visitor: Visitor, project: ProjectRef, branch: str) -> Run | None:
    """A merge request's pipeline has a ref of its own, so where the branch has none its head is asked about."""
    try:
        found = visitor.gitlab.latest_pipeline(project.id, ref=branch)
        if found is None and (head := visitor.gitlab.branch_head(project.id, branch)):
            found = visitor.gitlab.latest_pipeline(project.id, sha=head)
        jobs = visitor.gitlab.jobs(project.id, found.id) if found else ()
    except RefusedError as refused:
        if refused.status not in (403, 404):
            raise
        raise NotFoundException("GitLab does not show your account the pipelines of this project.") from refused
    if found is None:
        return None
    shown = [Job(name=job.name, stage=job.stage, status=job.status, web_url=job.web_url) for job in jobs]
    return Run(id=found.id, status=found.status, sha=found.sha, web_url=found.web_url, jobs=shown)
