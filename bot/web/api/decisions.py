"""Yes and No of a program's person: to exactly the newest proposal of a conversation, checked as in a comment."""

import asyncio
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, post
from litestar.params import Body, FromPath

from bot.domain import AccessLevel, Decision
from bot.gitlab.answers import RefusedError
from bot.store import drafts, proposals
from bot.store.proposals import Proposal
from bot.web.api import examples, shapes
from bot.web.api.describe import TAGS_TALK, TOKEN, problems
from bot.web.api.once import Key, Once
from bot.web.api.places import AnyRequest, require_writing_token, seen_conversation, seen_project
from bot.web.api.shapes import Pipeline
from bot.web.api.work import Outcome, Work, conflict, require_done, until_answered
from bot.web.door.rights import rights_of
from bot.web.door.visitors import Visitor, visitor_of
from bot.web.parts import parts_of

_NOTHING = (
    "There is no draft in this conversation to decide about. POST /api/v1/pipeline/generate composes one, "
    "/api/v1/pipeline/commit opens it."
)

Sha = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8,64}$", examples=["1f3a9c7e5b2d4f6081a3c5e7092b4d6f8e1a3c5b"])]


class DecisionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which commit was looked at (at least eight letters of it); without one the newest proposal's is meant."""

    sha: Sha | None = None


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: merged, rejected, or approved (what is waited for then, `answer` says)."""

    session_id: UUID
    result: str
    answer: str
    pipeline: Pipeline


_CAN_FAIL = problems(404, 409, 413, 422)
_Asked = Annotated[DecisionRequest | None, Body()]


@post(
    "/api/v1/chat/approve/{session_id:uuid}",
    status_code=200,
    tags=TAGS_TALK,
    summary="Say Yes",
    security=TOKEN,
    responses=_CAN_FAIL,
    operation_class=examples.shown(request=examples.DECISION, answer=examples.APPROVED, may_be_empty=True),
)
async def approve(
    request: AnyRequest, session_id: FromPath[UUID], data: _Asked = None, idempotency_key: Key = None
) -> Response[Decided]:
    """Approve exactly the newest proposal of a conversation. Whether the person may is asked of GitLab, and only that
    commit is merged. Where a newer proposal took the place of `sha`, the answer is 409 and names both.
    """
    return await _decide(request, session_id, data, idempotency_key, is_yes=True)


@post(
    "/api/v1/chat/reject/{session_id:uuid}",
    status_code=200,
    tags=TAGS_TALK,
    summary="Say No",
    security=TOKEN,
    responses=_CAN_FAIL,
    operation_class=examples.shown(request=examples.DECISION, answer=examples.REJECTED, may_be_empty=True),
)
async def reject(
    request: AnyRequest, session_id: FromPath[UUID], data: _Asked = None, idempotency_key: Key = None
) -> Response[Decided]:
    """Close the newest proposal of a conversation."""
    return await _decide(request, session_id, data, idempotency_key, is_yes=False)


async def _decide(
    request: AnyRequest, session_id: UUID, data: DecisionRequest | None, key: str | None, *, is_yes: bool
) -> Response[Decided]:
    visitor = await asyncio.to_thread(visitor_of, request)
    named = data.sha if data else None
    once = Once(request, visitor, key, named)

    async def decide() -> Decided:
        decision = await asyncio.to_thread(_understood, request, visitor, session_id, named, once.channel, is_yes)
        outcome = await until_answered(request, Work(parts_of(request), decision, once.delivery_key).events())
        return await asyncio.to_thread(_answered, request, visitor, decision, outcome)

    return await once.answer(decide)


def _understood(
    request: AnyRequest, visitor: Visitor, session_id: UUID, named: str | None, channel: UUID, is_yes: bool
) -> Decision:
    conversation = seen_conversation(request, visitor, session_id)
    require_writing_token(visitor)
    proposal = _proposal(request, session_id, named)
    return Decision(
        project=seen_project(visitor, str(conversation.project_id)),
        author=visitor.person,
        conversation_id=session_id,
        proposal_id=proposal.id,
        sha=proposal.commit_id or "",
        is_yes=is_yes,
        channel=channel,
        may_change=visitor.may_change,
    )


def _proposal(request: AnyRequest, session_id: UUID, named: str | None) -> Proposal:
    with parts_of(request).pool.connection() as connection:
        newest = proposals.newest_for_conversation(connection, session_id)
    if newest is None or newest.commit_id is None:
        raise conflict(_NOTHING)
    if named is not None and not newest.commit_id.startswith(named):
        raise conflict(
            f"The commit {named[:12]} is not the newest proposal; that is {newest.commit_id[:12]}. Look at it (GET "
            f"/api/v1/pipelines/{newest.id}), and decide about it then.",
            sha=named,
            current_sha=newest.commit_id,
        )
    return newest


def _answered(request: AnyRequest, visitor: Visitor, decision: Decision, outcome: Outcome) -> Decided:
    require_done(outcome, lambda: not _may_decide(request, visitor, decision))
    with parts_of(request).pool.connection() as connection:
        entry = drafts.named(connection, decision.proposal_id)
    assert entry is not None  # it was decided about just now
    return Decided(
        session_id=decision.conversation_id,
        result=outcome.order.result,
        answer=outcome.text,
        pipeline=shapes.pipeline(entry),
    )


def _may_decide(request: AnyRequest, visitor: Visitor, decision: Decision) -> bool:
    """Tell a refusal for want of rights from one for how things stand."""
    role = rights_of(request).role(visitor, decision.project.id)
    if not decision.is_yes:
        return role >= AccessLevel.DEVELOPER
    with parts_of(request).pool.connection() as connection:
        branch = proposals.get(connection, decision.proposal_id).target_branch
    try:
        return visitor.gitlab.may_merge(decision.project.id, visitor.person.id, branch)
    except RefusedError:
        return False


ROUTES = (approve, reject)
