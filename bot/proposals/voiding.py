"""Voids what was approved and waits to be merged: taken back, pushed over, or counting no longer."""

from bot.domain import CannotError, Person, ProposalStatus, SkipError
from bot.gitlab.values import MergeRequest
from bot.proposals.approval import given_now, judged, policy_of, remember
from bot.proposals.entitled import Signal, is_taken_back
from bot.proposals.order import Order
from bot.replies import progress
from bot.services import Services
from bot.store import approvals, proposals
from bot.store.approvals import Approval
from bot.store.proposals import Proposal

_WAS_WAITING = "a merge was waiting"


def withdraw(services: Services, order: Order, proposal: Proposal, signal: Signal) -> bool:
    """Take an approval back; return whether the waiting merge went with it, because too few remain.

    Raises SkipError when none counted. An earlier try that was cut off after it decided so for all tries.
    """
    earlier = _decided_before(services, order)
    if earlier is not None:
        return earlier == _WAS_WAITING
    sha = proposal.commit_id or ""
    given = given_now(services, proposal, sha)
    if not any(_is_of(row, signal) for row in given):
        raise SkipError("this signal had approved nothing")
    if not is_taken_back(services, proposal, signal):
        raise SkipError("it stands in GitLab")
    remaining = [row for row in given if not _is_of(row, signal)]
    if proposal.status != ProposalStatus.APPROVED or _suffice(services, proposal, remaining):
        remember(services, order.id, proposal, signal, "withdrawn", sha)
        return False
    if not services.gitlab.cancel_auto_merge(proposal.project_id, proposal.merge_request_iid or 0):
        raise SkipError("GitLab merged it already")
    _void(services, order, proposal, signal.person, signal.kind, signal)
    return True


def _is_of(row: Approval, signal: Signal) -> bool:
    return (row.user_id, row.signal, row.emoji, row.note_id) == (
        signal.person.id,
        signal.kind,
        signal.emoji,
        signal.note_id,
    )


def void_by_push(services: Services, order: Order, proposal: Proposal, pusher: Person, head: str) -> None:
    """A push after the approval voids it; GitLab disarms a waiting merge itself, we make sure.

    Raises SkipError when there was none to void. An earlier try that was cut off after it decided so for all tries.
    """
    if _decided_before(services, order) is not None:
        return
    if proposal.status != ProposalStatus.APPROVED or head == proposal.commit_id:
        raise SkipError("no approval is touched by this push")
    now = services.gitlab.merge_request(proposal.project_id, proposal.merge_request_iid or 0)
    if now.is_armed and now.sha == proposal.commit_id:
        raise SkipError("the push came before what was approved")
    services.gitlab.cancel_auto_merge(proposal.project_id, proposal.merge_request_iid or 0)
    _void(services, order, proposal, pusher, "push")


def why_lapsed(services: Services, proposal: Proposal, now: MergeRequest) -> str:
    """Say why an approved draft cannot wait any longer to be merged; "" where it can.

    GitLab merges in our name when the pipeline passes, and would ask nobody who approved whether they still may.
    """
    sha = proposal.commit_id or ""
    if proposal.status != ProposalStatus.APPROVED or now.state != "opened" or now.sha != sha:
        return ""
    if now.is_armed:
        return "" if _suffice(services, proposal, given_now(services, proposal, sha)) else progress.approval_lapsed(sha)
    return "" if policy_of(services, proposal).merge == "never" else progress.merge_disarmed(sha)


def void_lapsed(services: Services, order: Order, proposal: Proposal) -> str:
    """Let nothing wait any longer where that is called for, and return why; raise SkipError where it is not.

    An earlier try that was cut off after it decided so for all tries.
    """
    earlier = _decided_before(services, order)
    if earlier is not None:
        return earlier
    now = services.gitlab.merge_request(proposal.project_id, proposal.merge_request_iid or 0)
    why = why_lapsed(services, proposal, now)
    if not why:
        raise SkipError("it waits as it should, or no longer")
    if now.is_armed and not services.gitlab.cancel_auto_merge(proposal.project_id, now.iid):
        raise SkipError("GitLab merged it already")
    _void(services, order, proposal, order.person, "lapsed", reason=why)
    return why


def _decided_before(services: Services, order: Order) -> str | None:
    """Return the reason with which an earlier try of the order, cut off after it decided, voided something."""
    with services.pool.connection() as connection:
        return approvals.withdrawn_by(connection, order.id)


def _suffice(services: Services, proposal: Proposal, given: list[Approval]) -> bool:
    """Tell whether these approvals are enough as things stand now; where the rules cannot be read, none are."""
    try:
        policy = policy_of(services, proposal)
    except CannotError:
        return False
    standing, _ = judged(services, proposal, given, policy)
    return len({row.user_id for row in standing}) >= policy.approval.minimum


def _void(
    services: Services,
    order: Order,
    proposal: Proposal,
    person: Person,
    kind: str,
    signal: Signal | None = None,
    *,
    reason: str = _WAS_WAITING,
) -> None:
    """Store both in one transaction: a try that is cut off between them would leave an approval nobody can void."""
    with services.pool.connection() as connection:
        approvals.add(
            connection,
            proposal_id=proposal.id,
            order_id=order.id,
            user_id=person.id,
            username=person.username,
            signal=kind,
            sha=proposal.commit_id or "",
            outcome="withdrawn",
            reason=reason,
            emoji=signal.emoji if signal else None,
            note_id=signal.note_id if signal else None,
            noteable=signal.noteable if signal else None,
        )
        proposals.set_approved_no_longer(connection, proposal.id)
