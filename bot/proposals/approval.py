"""Merges a proposal on a person's word: exactly the proposed commit, after reading GitLab again.

No text of a model comes here: the signal is a reaction, GitLab's own approval, or a parsed command.
"""

from typing import Literal

from msgspec import Struct

from bot.domain import CannotError, Person, ProposalStatus
from bot.gitlab.values import MergeRequest
from bot.proposals.order import Order
from bot.proposals.policy import POLICY_PATH, Policy, is_approving, read_policy
from bot.proposals.rights import require_merge_right
from bot.replies import progress
from bot.services import Services
from bot.store import approvals, proposals
from bot.store.proposals import Proposal

PATIENCE_SECONDS = 20.0
_RUNNING = frozenset({"created", "waiting_for_resource", "preparing", "pending", "running"})
_BAD = frozenset({"failed", "canceled", "canceling"})


class Signal(Struct, frozen=True, kw_only=True):
    """How a person said yes. `sha` is set when the person named the commit; `emoji` and the note for reactions."""

    kind: Literal["reaction", "merge_request_approval", "note"]
    person: Person
    sha: str | None = None
    emoji: str | None = None
    on_note: bool = False


def approve(services: Services, order: Order, proposal: Proposal, signal: Signal) -> Proposal:
    """Merge the proposal, or let GitLab merge it when its pipeline passes; raise CannotError with the reason.

    Every check reads GitLab now; the webhook's word counts only as the occasion.
    """
    try:
        merge_request = _require_entitled(services, order, proposal, signal)
    except CannotError as refused:
        _remember(services, proposal, signal, "refused", str(refused))
        raise
    sha = merge_request.sha
    if merge_request.state == "merged":  # an earlier try merged it and was cut off before it could say so
        return _merged(services, proposal, merge_request)
    with services.pool.connection() as connection:
        approvals.add(
            connection,
            proposal_id=proposal.id,
            user_id=signal.person.id,
            username=signal.person.username,
            signal=signal.kind,
            sha=sha,
            outcome="accepted",
            reason="",
        )
        proposals.set_approved(connection, proposal.id, commit_id=sha)
    return _merge(services, proposal, merge_request, sha)


def _require_entitled(services: Services, order: Order, proposal: Proposal, signal: Signal) -> MergeRequest:
    _require_open(proposal)
    if signal.person.id == services.bot.id:
        raise CannotError("I don't approve my own proposals.")
    require_merge_right(services.gitlab, proposal.project_id, signal.person, proposal.target_branch)
    policy = read_policy(services.gitlab.read_file(proposal.project_id, proposal.target_branch, POLICY_PATH))
    _require_policy(policy, proposal, signal)
    _require_standing(services, order, proposal, signal)
    merge_request = services.gitlab.settled_merge_request(
        proposal.project_id, proposal.merge_request_iid or 0, patience_seconds=PATIENCE_SECONDS
    )
    if merge_request.state == "merged" and proposal.status == ProposalStatus.APPROVED:
        return merge_request
    if merge_request.state != "opened":
        raise CannotError(f"the merge request is {merge_request.state}.")
    _require_same_commit(services, proposal, signal, merge_request)
    _require_no_red_pipeline(services, merge_request)
    return merge_request


def _require_open(proposal: Proposal) -> None:
    if proposal.merge_request_iid is None or proposal.commit_id is None:
        raise CannotError("there is no draft to approve yet.")
    if proposal.status == ProposalStatus.COMMITTED:
        raise CannotError("this draft is merged already.")
    if proposal.status not in (ProposalStatus.PROPOSED, ProposalStatus.APPROVED):
        raise CannotError(f"this draft is {proposal.status} and can no longer be approved.")


def _require_policy(policy: Policy, proposal: Proposal, signal: Signal) -> None:
    if signal.person.id == proposal.requested_by_id and not policy.approval.requester_may_approve:
        raise CannotError("who asked for the draft may not approve it; that is this project's rule.")
    if signal.emoji is not None and not is_approving(signal.emoji, policy):
        raise CannotError(f"in this project `:{signal.emoji}:` does not approve.")


def _require_standing(services: Services, order: Order, proposal: Proposal, signal: Signal) -> None:
    """A reaction or approval that was taken back meanwhile counts for nothing."""
    if signal.kind == "reaction":
        note_id = order.note_id if signal.on_note else None
        standing = services.gitlab.reactions(order.project.id, order.noteable, note_id)
        if not any(award.author.id == signal.person.id and award.name == signal.emoji for award in standing):
            raise CannotError("the reaction was taken back, so nothing is merged.")
    if signal.kind == "merge_request_approval":
        standing_people = services.gitlab.approvers(proposal.project_id, proposal.merge_request_iid or 0)
        if all(person.id != signal.person.id for person in standing_people):
            raise CannotError("the approval was taken back, so nothing is merged.")


def _require_same_commit(services: Services, proposal: Proposal, signal: Signal, merge_request: MergeRequest) -> None:
    head, proposed = merge_request.sha, proposal.commit_id or ""
    if signal.sha is not None and signal.kind == "note":
        if not head.startswith(signal.sha.lower()):
            raise CannotError(f"you named `{signal.sha}`, but the draft stands at `{head[:8]}`. Look at that first.")
        return
    if head != proposed or (signal.sha is not None and signal.sha != head):
        raise CannotError(progress.head_moved(proposed, head, services.mention))


def _require_no_red_pipeline(services: Services, merge_request: MergeRequest) -> None:
    status = merge_request.pipeline.status if merge_request.pipeline else None
    if status in _BAD:
        raise CannotError(
            f"its pipeline {'failed' if status == 'failed' else 'was cancelled'}. "
            f"`{services.mention} retry` runs it again; approve once it is green."
        )


def _merge(services: Services, proposal: Proposal, merge_request: MergeRequest, sha: str) -> Proposal:
    status = merge_request.pipeline.status if merge_request.pipeline else None
    if merge_request.is_draft:
        services.gitlab.mark_ready(proposal.project_id, merge_request.iid)
        services.gitlab.settled_merge_request(proposal.project_id, merge_request.iid, patience_seconds=PATIENCE_SECONDS)
    result = services.gitlab.merge(
        proposal.project_id, merge_request.iid, sha=sha, when_pipeline_succeeds=status in _RUNNING
    )
    if result.state == "merged":
        return _merged(services, proposal, result)
    with services.pool.connection() as connection:
        return proposals.get(connection, proposal.id)


def _merged(services: Services, proposal: Proposal, merge_request: MergeRequest) -> Proposal:
    with services.pool.connection() as connection:
        return proposals.set_merged(connection, proposal.id, merged_sha=merge_request.merged_sha or merge_request.sha)


def _remember(services: Services, proposal: Proposal, signal: Signal, outcome: str, reason: str) -> None:
    with services.pool.connection() as connection:
        approvals.add(
            connection,
            proposal_id=proposal.id,
            user_id=signal.person.id,
            username=signal.person.username,
            signal=signal.kind,
            sha=proposal.commit_id or "",
            outcome=outcome,
            reason=reason,
        )
