"""What the bot does when people react, approve, push, close, reopen or merge."""

from bot.domain import CannotError, MergeRequestChanged, Person, ProposalStatus, Reaction, SkipError
from bot.handlers import limits
from bot.handlers.reply import Reply
from bot.proposals import approval, note, voiding
from bot.proposals.draft import merge_request_url
from bot.proposals.entitled import Signal
from bot.proposals.learning import learn_from
from bot.proposals.order import Order
from bot.proposals.policy import is_approving
from bot.proposals.status import refreshed
from bot.replies import progress
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import Proposal

_LIVE = (ProposalStatus.PROPOSED, ProposalStatus.APPROVED)


def handle_reaction(services: Services, event: Reaction, order: Order) -> str:
    """Take an approving reaction on the draft or on its note as an approval; a revoked one voids it."""
    proposal = _proposal_reacted_to(services, event)
    if proposal is None:
        raise SkipError("the reaction is not on a proposal")
    signal = Signal(
        kind="reaction", person=event.author, emoji=event.emoji, noteable=event.noteable, note_id=event.note_id
    )
    if not event.is_award:
        return _withdraw(services, order, proposal, signal)
    if not is_approving(event.emoji, approval.policy_of(services, proposal)):
        raise SkipError(f"{event.emoji} approves nothing")
    return _approve(services, order, proposal, signal)


def _proposal_reacted_to(services: Services, event: Reaction) -> Proposal | None:
    with services.pool.connection() as connection:
        if event.note_id is not None:
            return proposals.find_by_note(connection, event.project.id, event.note_id)
        if event.noteable.kind != "merge_request":
            return None
        return proposals.find_by_merge_request(connection, event.project.id, event.noteable.iid)


def handle_merge_request(services: Services, event: MergeRequestChanged, order: Order) -> str:
    """Follow the draft: approved, approval taken back or void, pushed to, closed, opened again, merged."""
    proposal = _proposal_changed(services, event)
    match event.action:
        case "approved":
            signal = Signal(kind="merge_request_approval", person=event.author, sha=event.head_sha)
            return _approve(services, order, proposal, signal)
        case "unapproved":
            return _withdraw(services, order, proposal, Signal(kind="merge_request_approval", person=event.author))
        case "update" if event.oldrev and event.head_sha:
            return _pushed(services, order, proposal, event.author, event.head_sha)
        case "lapsed":
            return _lapsed(services, order, proposal)
        case "close":
            return _closed(services, order, proposal)
        case "reopen":
            return _reopened(services, order, proposal)
        case "merge":
            return _merged(services, order, proposal)
        case _:
            raise SkipError(f"nothing to do when a draft is changed by {event.action}")


def _proposal_changed(services: Services, event: MergeRequestChanged) -> Proposal:
    with services.pool.connection() as connection:
        proposal = proposals.find_by_merge_request(connection, event.project.id, event.iid)
    if proposal is None:
        raise SkipError("the merge request is not a proposal")
    if event.author.id == services.bot.id and event.action != "merge":
        raise SkipError("the bot did this itself")
    return proposal


def _approve(services: Services, order: Order, proposal: Proposal, signal: Signal) -> str:
    if proposal.status not in _LIVE and not (
        approval.was_carried_out(services, order, proposal) or _is_open_all_the_same(services, proposal)
    ):
        raise SkipError(f"the proposal is {proposal.status}")
    try:
        approved = approval.approve(services, order, proposal, signal)
    except CannotError as refused:
        if not limits.is_told_often(services, order):
            Reply(services, order).show(progress.not_merged(signal.person.username, str(refused)))
        return "refused"
    note.refresh(services, approved)
    return "merged" if approved.status == ProposalStatus.COMMITTED else "approved"


def _is_open_all_the_same(services: Services, proposal: Proposal) -> bool:
    """Tell whether a rejected draft is open in GitLab: whoever approves one there learns why that does not count."""
    if proposal.status != ProposalStatus.REJECTED:
        return False
    return services.gitlab.merge_request(proposal.project_id, proposal.merge_request_iid or 0).state == "opened"


def _withdraw(services: Services, order: Order, proposal: Proposal, signal: Signal) -> str:
    """Void an approval that was taken back while it waits: for the pipeline, or for another approval."""
    if proposal.status not in _LIVE:
        raise SkipError(f"the proposal is {proposal.status}; there is no approval to take back")
    try:
        was_waiting = voiding.withdraw(services, order, proposal, signal)
    except CannotError as refused:
        Reply(services, order).show(progress.still_armed(signal.person.username, str(refused)))
        return "refused"
    note.refresh(services, note.latest(services, proposal))
    if was_waiting:
        Reply(services, order).show(progress.approval_withdrawn(signal.person.username))
    return "withdrawn"


def _lapsed(services: Services, order: Order, proposal: Proposal) -> str:
    """Void a merge that waits in vain, or on the word of whoever may not merge any more."""
    try:
        why = voiding.void_lapsed(services, order, proposal)
    except CannotError as refused:
        Reply(services, order).show(progress.lapsed_and_armed(str(refused)))
        return "refused"
    note.refresh(services, note.latest(services, proposal))
    Reply(services, order).show(why)
    return "voided"


def _pushed(services: Services, order: Order, proposal: Proposal, pusher: Person, head: str) -> str:
    voiding.void_by_push(services, order, proposal, pusher, head)
    note.refresh(services, note.latest(services, proposal))
    text = progress.approval_void(proposal.commit_id or "", head, pusher.username, services.mention)
    Reply(services, order).show(text)
    return "voided"


def _closed(services: Services, order: Order, proposal: Proposal) -> str:
    was_cut_off = order.attempts > 1 and proposal.status == ProposalStatus.REJECTED
    if proposal.status not in _LIVE and not was_cut_off:
        raise SkipError(f"the proposal is {proposal.status}")
    merge_request = services.gitlab.merge_request(proposal.project_id, proposal.merge_request_iid or 0)
    if merge_request.state != "closed":
        raise SkipError(f"the merge request is {merge_request.state}")
    with services.pool.connection() as connection:
        closed = proposals.set_status(connection, proposal.id, ProposalStatus.REJECTED)
    note.refresh(services, closed)
    return "closed"


def _reopened(services: Services, order: Order, proposal: Proposal) -> str:
    """Propose a draft again; where we never saw it closed, it has lost the merge that waited all the same."""
    was_cut_off = order.attempts > 1 and proposal.status == ProposalStatus.PROPOSED
    if proposal.status not in (ProposalStatus.REJECTED, ProposalStatus.APPROVED) and not was_cut_off:
        raise SkipError(f"the proposal is {proposal.status}")
    merge_request = services.gitlab.merge_request(proposal.project_id, proposal.merge_request_iid or 0)
    if merge_request.state != "opened" or merge_request.is_armed:
        raise SkipError(f"the merge request is {merge_request.state}")
    with services.pool.connection() as connection:
        other = proposals.open_for_conversation(connection, proposal.conversation_id, besides=proposal.id)
    if other is not None:
        link = progress.merge_request_link(other.merge_request_iid or 0, merge_request_url(other))
        Reply(services, order).show(progress.another_is_open(link, services.mention))
        return "refused"
    _propose_again(services, order, proposal, merge_request.sha)
    return "reopened"


def _propose_again(services: Services, order: Order, proposal: Proposal, head: str) -> None:
    with services.pool.connection() as connection:
        again = proposals.set_opened_again(connection, proposal.id, at=order.created_at)
    note.refresh(services, again)
    if head != again.commit_id:
        Reply(services, order).show(progress.head_moved(again.commit_id or "", head, services.mention))


def _merged(services: Services, order: Order, proposal: Proposal) -> str:
    if proposal.status == ProposalStatus.COMMITTED and order.attempts == 1:
        raise SkipError("the merge is known")
    merge_request = services.gitlab.merge_request(proposal.project_id, proposal.merge_request_iid or 0)
    if merge_request.state != "merged":
        raise SkipError(f"the merge request is {merge_request.state}")
    with services.pool.connection() as connection:
        merged = proposals.set_merged(connection, proposal.id, merged_sha=merge_request.merged_sha or merge_request.sha)
    # The pipeline of the target branch may have ended before this hook came, when nobody knew its commit yet.
    current = refreshed(services, merged)
    note.refresh(services, current)
    learn_from(services, current)
    return "merged"
