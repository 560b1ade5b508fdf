"""Carries out a Yes or No that a person said over our own address, to exactly the commit they looked at."""

from bot.domain import CannotError, Decision, ProposalStatus
from bot.handlers import chat
from bot.handlers.orders import close_draft
from bot.proposals import approval, note
from bot.proposals.entitled import Signal
from bot.proposals.order import Order
from bot.replies import progress, texts
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import Proposal


def handle_decision(services: Services, event: Decision, order: Order) -> str:
    """Merge that commit or close the draft, if the person may; return a word for how it ended."""
    try:
        text, result = _decided(services, event, order)
    except CannotError as refused:
        text, result = texts.refusal(str(refused)), "refused"
    chat.tell(services, order, text)
    return result


def _decided(services: Services, event: Decision, order: Order) -> tuple[str, str]:
    if not order.may_change:
        raise CannotError("the token only reads; to decide about a draft it needs the scope `api`.")
    proposal = _proposal(services, event)
    if not event.is_yes:
        _require_current(proposal, event)
        close_draft(services, order, proposal)
        return progress.rejected(order.person.username), "rejected"
    signal = Signal(kind="page", person=order.person, sha=event.sha)
    approved = approval.approve(services, order, proposal, signal)
    note.refresh(services, approved)
    return note.standing(services, approved), _word_for(approved)


def _proposal(services: Services, event: Decision) -> Proposal:
    with services.pool.connection() as connection:
        found = proposals.get(connection, event.proposal_id)
    if found.conversation_id != event.conversation_id:
        raise CannotError("that draft belongs to another conversation.")
    return found


def _require_current(proposal: Proposal, event: Decision) -> None:
    """Whoever says No to what was replaced meanwhile has not seen what the No would close."""
    if proposal.status == ProposalStatus.SUPERSEDED or event.sha != proposal.commit_id:
        raise CannotError("what you looked at was superseded by a newer state. Look at that one, and decide then.")


def _word_for(approved: Proposal) -> str:
    return "merged" if approved.status == ProposalStatus.COMMITTED else "approved"
