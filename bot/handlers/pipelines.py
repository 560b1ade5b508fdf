"""Follows the pipelines of proposals, before and after the merge; a red one of an own draft is explained and mended."""

import dataclasses
from datetime import UTC, datetime
from uuid import UUID

from msgspec import structs

from bot.domain import FINAL_PIPELINE_STATUSES, Noteable, NoteableKind, Person, PipelineChanged, SkipError
from bot.gitlab.answers import RefusedError
from bot.handlers.reply import Reply
from bot.proposals import note
from bot.proposals.learning import learn_from
from bot.proposals.order import Order
from bot.proposals.repair import repair
from bot.proposals.stuck import stuck_how, why_stuck
from bot.services import Services
from bot.store import orders, proposals
from bot.store.proposals import Proposal


def handle_pipeline(services: Services, event: PipelineChanged, order_id: UUID) -> str:
    """Remember a pipeline's status and, when it is final, say so in the proposal's note."""
    event = _of_head(services, _as_gitlab_has_it(services, event))
    with services.pool.connection() as connection:
        proposal = proposals.find_by_sha(connection, event.project.id, event.sha)
    if proposal is None:
        raise SkipError("no proposal has this commit")
    if is_late(proposal, event):
        raise SkipError("a newer state is known")
    changed = _remember(services, proposal, event)
    if event.is_stuck:
        return _tell_stuck(services, changed, event, order_id)
    if event.status not in FINAL_PIPELINE_STATUSES:
        return event.status
    if event.status == "failed" and event.sha == proposal.commit_id and event.sha != proposal.merged_sha:
        repaired = repair(services, _order(services, proposal, event, order_id), changed, event.pipeline_id)
        note.refresh(services, note.latest(services, repaired))
        return "repaired" if repaired.id != changed.id else event.status
    note.refresh(services, changed)
    learn_from(services, changed)
    return event.status


def _as_gitlab_has_it(services: Services, event: PipelineChanged) -> PipelineChanged:
    """Believe no delivery how a pipeline ended: it may be forged, or come after the pipeline was run again."""
    if event.status not in FINAL_PIPELINE_STATUSES:
        return event
    try:
        run = services.gitlab.pipeline(event.project.id, event.pipeline_id)
    except RefusedError as refused:
        if refused.status != 404:
            raise
        raise SkipError("GitLab has no such pipeline") from refused
    return structs.replace(event, status=run.status, sha=run.sha, ref=run.ref)


def _of_head(services: Services, event: PipelineChanged) -> PipelineChanged:
    """Let a pipeline of merged results, which runs on a commit of its own, count for the draft's commit in it."""
    if event.merge_request_iid is None:
        return event
    with services.pool.connection() as connection:
        if proposals.find_by_sha(connection, event.project.id, event.sha) is not None:
            return event
        proposal = proposals.find_by_merge_request(connection, event.project.id, event.merge_request_iid)
    head = proposal.commit_id if proposal else None
    if head is None or not services.gitlab.is_merge_of(event.project.id, event.sha, head):
        return event
    return structs.replace(event, sha=head)


def _tell_stuck(services: Services, proposal: Proposal, event: PipelineChanged, order_id: UUID) -> str:
    """Say in a note of its own, for nobody looks at an old one: what it waits for, and who can mend that."""
    run = services.gitlab.pipeline(proposal.project_id, event.pipeline_id)
    if stuck_how(run, services.settings, datetime.now(UTC)) is None:
        raise SkipError("it went on meanwhile")
    order = _order(services, proposal, event, order_id)
    if proposal.note_iid is not None:
        kind: NoteableKind = "issue" if proposal.note_kind == "issue" else "merge_request"
        order = dataclasses.replace(order, noteable=Noteable(kind=kind, iid=proposal.note_iid))
    Reply(services, order).show(why_stuck(services, proposal, run))
    return "stuck"


def _order(services: Services, proposal: Proposal, event: PipelineChanged, order_id: UUID) -> Order:
    """A pipeline asks for nothing: what is done about it is done for whoever asked for the draft."""
    with services.pool.connection() as connection:
        row = orders.get(connection, order_id)
    if row is None:
        raise SkipError("the order is not stored any more")
    return Order(
        id=order_id,
        conversation_id=proposal.conversation_id,
        project=event.project,
        noteable=Noteable(kind="merge_request", iid=proposal.merge_request_iid or 0),
        person=Person(id=proposal.requested_by_id, username=proposal.requested_by),
        is_internal=proposal.is_internal,
        note_id=None,
        discussion_id=None,
        attempts=row.attempts,
        created_at=row.created_at,
    )


def is_late(proposal: Proposal, event: PipelineChanged) -> bool:
    """Tell whether the hook was overtaken: by a newer pipeline, or by the final state of its own."""
    if _is_after_merge(proposal, event):
        known, status = proposal.after_merge_pipeline_id, proposal.after_merge_status
    else:
        known, status = proposal.pipeline_id, proposal.pipeline_status
    if known is None or event.pipeline_id > known:
        return False
    if event.pipeline_id < known:
        return True
    return status in FINAL_PIPELINE_STATUSES and event.status not in FINAL_PIPELINE_STATUSES


def _is_after_merge(proposal: Proposal, event: PipelineChanged) -> bool:
    """After a fast-forward the draft's pipeline is of the same commit as the target branch's."""
    is_forwarded = proposal.merged_sha == proposal.commit_id
    return event.sha == proposal.merged_sha and (not is_forwarded or event.ref == proposal.target_branch)


def _remember(services: Services, proposal: Proposal, event: PipelineChanged) -> Proposal:
    with services.pool.connection() as connection:
        if _is_after_merge(proposal, event):
            proposals.set_pipeline_after_merge(
                connection, proposal.id, pipeline_id=event.pipeline_id, status=event.status
            )
        else:
            proposals.set_pipeline(connection, proposal.id, pipeline_id=event.pipeline_id, status=event.status)
        return proposals.get(connection, proposal.id)
