"""Merges a proposal on people's word: exactly the proposed commit, after reading GitLab again.

No text of a model comes here: the signal is a reaction, GitLab's own approval, or a parsed command.
"""

from uuid import UUID

from bot.domain import CannotError, ProposalStatus
from bot.gitlab.merge_status import not_now, waits_for_person
from bot.gitlab.values import MergeRequest
from bot.proposals import note
from bot.proposals.entitled import (
    PATIENCE_SECONDS,
    RUNNING,
    Signal,
    require_entitled,
    require_fit,
    require_seen,
    still_stands,
)
from bot.proposals.order import Order
from bot.proposals.policy import POLICY_PATH, Policy, read_policy
from bot.replies import progress
from bot.services import Services
from bot.store import approvals, proposals
from bot.store.approvals import Approval
from bot.store.proposals import Proposal


def approve(services: Services, order: Order, proposal: Proposal, signal: Signal) -> Proposal:
    """Merge the proposal, or let GitLab merge it when its pipeline passes, as the project's rules say.

    Every check reads GitLab now; the webhook's word counts only as the occasion. Raises CannotError with the reason.
    """
    if was_carried_out(services, order, proposal):
        return proposal
    try:
        if signal.sha is None:
            require_seen(proposal, min(order.created_at, signal.at or order.created_at))
        policy = policy_of(services, proposal)
        merge_request = require_entitled(services, proposal, signal, policy)
        if merge_request.state == "merged":  # an earlier try merged it and was cut off before it could say so
            return _merged(services, proposal, merge_request)
        return _approved(services, order, proposal, signal, policy, merge_request)
    except CannotError as refused:
        remember(services, order.id, proposal, signal, "refused", proposal.commit_id or "", str(refused))
        raise


def was_carried_out(services: Services, order: Order, proposal: Proposal) -> bool:
    """Tell whether the proposal is merged on this very order, of which an earlier try could not say so any more."""
    if order.attempts <= 1 or proposal.status != ProposalStatus.COMMITTED:
        return False
    with services.pool.connection() as connection:
        return approvals.was_accepted(connection, order.id)


def policy_of(services: Services, proposal: Proposal) -> Policy:
    """Return the project's rules, from the branch that the draft goes to."""
    return read_policy(services.gitlab.read_file(proposal.project_id, proposal.target_branch, POLICY_PATH))


def _approved(
    services: Services, order: Order, proposal: Proposal, signal: Signal, policy: Policy, merge_request: MergeRequest
) -> Proposal:
    sha, minimum = merge_request.sha, policy.approval.minimum
    standing, lapsed = judged(services, proposal, given_now(services, proposal, sha), policy)
    count = len({row.user_id for row in standing} | {signal.person.id})
    said = progress.approvals_so_far(count, minimum) if count < minimum else _left_to_person(policy)
    remember(services, order.id, proposal, signal, "accepted", sha, said)
    if count < minimum:
        return note.latest(services, proposal)
    with services.pool.connection() as connection:
        approvals.lapse(connection, proposal.id, lapsed, "counted no longer when the deciding approval came")
        approved = proposals.set_approved(connection, proposal.id, commit_id=sha)
    try:
        return _merge(services, approved, policy, merge_request, sha)
    except CannotError:
        with services.pool.connection() as connection:
            proposals.set_approved_no_longer(connection, approved.id)
        raise


def _left_to_person(policy: Policy) -> str:
    return progress.MERGE_LEFT_TO_PERSON if policy.merge == "never" else ""


def judged(
    services: Services, proposal: Proposal, given: list[Approval], policy: Policy
) -> tuple[list[Approval], list[Approval]]:
    """Return which of the approvals hold now, and which were given and hold no longer."""
    standing: list[Approval] = []
    lapsed: list[Approval] = []
    for row in given:
        (standing if still_stands(services, proposal, row, policy) else lapsed).append(row)
    return standing, lapsed


def given_now(services: Services, proposal: Proposal, sha: str) -> list[Approval]:
    """Return the approvals of a commit that nobody took back, as far as is stored."""
    with services.pool.connection() as connection:
        return approvals.given(approvals.for_proposal(connection, proposal.id), sha, proposal.opened_at)


def _merge(services: Services, proposal: Proposal, policy: Policy, merge_request: MergeRequest, sha: str) -> Proposal:
    if merge_request.is_draft:
        merge_request = _made_ready(services, proposal, merge_request.iid)
        require_fit(services, policy, proposal, merge_request)  # GitLab takes its time, and people go on meanwhile
    if policy.merge == "never":
        return proposal
    status = merge_request.pipeline.status if merge_request.pipeline else None
    # Where merges wait in line (a merge train), the armed one does too; an immediate one would jump the queue.
    waits = status in RUNNING or services.gitlab.project(proposal.project_id).has_merge_train
    if waits and waits_for_person(merge_request.detailed_merge_status):
        raise CannotError(not_now(merge_request.detailed_merge_status))
    result = services.gitlab.merge(proposal.project_id, merge_request.iid, sha=sha, when_pipeline_succeeds=waits)
    return _merged(services, proposal, result) if result.state == "merged" else note.latest(services, proposal)


def _made_ready(services: Services, proposal: Proposal, iid: int) -> MergeRequest:
    services.gitlab.mark_ready(proposal.project_id, iid)
    return services.gitlab.settled_merge_request(proposal.project_id, iid, patience_seconds=PATIENCE_SECONDS)


def _merged(services: Services, proposal: Proposal, merge_request: MergeRequest) -> Proposal:
    with services.pool.connection() as connection:
        return proposals.set_merged(connection, proposal.id, merged_sha=merge_request.merged_sha or merge_request.sha)


def remember(
    services: Services, order_id: UUID, proposal: Proposal, signal: Signal, outcome: str, sha: str, reason: str = ""
) -> None:
    """Store what became of a signal."""
    with services.pool.connection() as connection:
        approvals.add(
            connection,
            proposal_id=proposal.id,
            order_id=order_id,
            user_id=signal.person.id,
            username=signal.person.username,
            signal=signal.kind,
            sha=sha,
            outcome=outcome,
            reason=reason,
            emoji=signal.emoji,
            note_id=signal.note_id,
            noteable=signal.noteable,
        )
