"""The commands a person can give: each one a guard, an act and one answer."""

from datetime import datetime

from bot.domain import AccessLevel, CannotError, ProposalStatus
from bot.gitlab.answers import RefusedError
from bot.handlers.reply import Answering
from bot.proposals import approval, draft, note
from bot.proposals.command import commit_named, words_without
from bot.proposals.entitled import Signal
from bot.proposals.learning import learn_from
from bot.proposals.order import Order
from bot.proposals.prepare import prepare
from bot.proposals.rights import require, require_person
from bot.proposals.status import branch_status, refreshed
from bot.proposals.undo import undo
from bot.replies import progress
from bot.services import Services
from bot.store import orders as stored_orders
from bot.store import proposals
from bot.store.proposals import Proposal
from bot.tools.guessing import with_guesses


def generate(services: Services, order: Order, words: str, reply: Answering) -> None:
    """Survey the repository and open the draft, showing the stages in the reply."""
    require_person(services, order, AccessLevel.DEVELOPER, "ask for a pipeline")
    reply.show_working("I'm reading the repository.")
    prepared = with_guesses(services, prepare(services, order.project.id, words), words)
    proposal = draft.record(services, order, prepared)
    reply.show_working(f"I read {len(prepared.paths)} files and am opening the draft merge request.")
    opened = draft.open_draft(services, order, proposal, prepared)
    show_proposal(services, order, opened, reply)


def show_proposal(services: Services, order: Order, proposal: Proposal, reply: Answering, *, above: str = "") -> None:
    """Let the reply become the note that shows the proposal from now on, with the words `above` it."""
    note_id = reply.show(note.shown(services, proposal, above))
    with services.pool.connection() as connection:
        proposals.set_note(
            connection,
            proposal.id,
            note_id=note_id,
            note_kind=order.place.kind,
            note_iid=order.place.iid,
            introduction=above,
        )


def undo_change(services: Services, order: Order, reply: Answering) -> None:
    """Take the last change of the draft back, by a new commit."""
    require(services, order, AccessLevel.DEVELOPER, "change the draft")
    show_proposal(services, order, undo(services, order), reply)


_NO_BRANCHES = frozenset(
    "of on for please pls now again thanks thank you the my our this it branch draft pipeline merge request mr "
    "ci".split()
)


def report_status(services: Services, order: Order, ref: str, reply: Answering) -> None:
    """Say where the proposal and its pipeline stand, or the newest pipeline of a branch."""
    require(services, order, AccessLevel.REPORTER, "ask for the status")
    branch = branch_named(ref)
    proposal = None if branch else newest_proposal(services, order)
    if branch is None and proposal is not None:
        reply.show(proposal_status(services, proposal))
        return
    told = branch_status(services, order.project.id, branch)
    reply.show(told if branch else f"{progress.no_proposal(services.mention)} {told}")


def branch_named(words: str) -> str | None:
    """Return the branch of "main" or "of the release branch, please"; None for "please, when you can" and the like."""
    named = words_without(words, _NO_BRANCHES)
    if len(named) > 1 and not {"of", "on", "for"} & set(words.lower().split()):
        return None
    return named[0] if named else None


def proposal_status(services: Services, proposal: Proposal) -> str:
    """Say where a proposal and its pipeline stand."""
    fresh = refreshed(services, proposal)
    learn_from(services, fresh)
    link = progress.merge_request_link(fresh.merge_request_iid or 0, draft.merge_request_url(fresh))
    lines = [f"The draft {link} is **{fresh.status}** at `{(fresh.commit_id or '')[:8]}`."]
    lines.append(note.standing(services, fresh) or progress.no_pipeline("of the draft"))
    return "\n\n".join(lines)


def approve(services: Services, order: Order, words: str, reply: Answering, *, at: datetime | None = None) -> None:
    """Merge the open draft on the word of the person who wrote the note, at a time of which GitLab tells."""
    proposal = required_proposal(services, order)
    sha = commit_named(words)
    signal = Signal(kind="note", person=order.person, sha=sha, noteable=order.place, note_id=order.note_id, at=at)
    approved = approval.approve(services, order, proposal, signal)
    note.refresh(services, approved)
    reply.show(note.standing(services, approved))


def reject(services: Services, order: Order, reply: Answering) -> None:
    """Close the draft."""
    require(services, order, AccessLevel.DEVELOPER, "reject a draft")
    close_draft(services, order, required_proposal(services, order))
    reply.show(progress.rejected(order.person.username))


def close_draft(services: Services, order: Order, proposal: Proposal) -> None:
    """Close a draft on the order's person's word, and show it as rejected; raise CannotError when it is not open."""
    require(services, order, AccessLevel.DEVELOPER, "reject a draft")
    if _closed_it(services, order, proposal):
        note.refresh(services, proposal)
        return
    if proposal.status not in (ProposalStatus.PROPOSED, ProposalStatus.APPROVED) or proposal.merge_request_iid is None:
        raise CannotError(progress.ended_already(proposal.status))
    _close(services, proposal.project_id, proposal.merge_request_iid)
    with services.pool.connection() as connection:
        closed = proposals.set_status(connection, proposal.id, ProposalStatus.REJECTED)
    note.refresh(services, closed)


def _close(services: Services, project_id: int, iid: int) -> None:
    """Close a merge request; one that was deleted is as good as closed."""
    try:
        now = services.gitlab.update_merge_request(project_id, iid, state_event="close")
    except RefusedError as refused:
        if refused.status != 404:
            raise
        return
    if now.state == "merged":
        raise CannotError("the draft was merged a moment ago.")


def _closed_it(services: Services, order: Order, proposal: Proposal) -> bool:
    """Tell whether an earlier, interrupted try of this order closed the draft: orders of a conversation never mix."""
    if order.attempts <= 1 or proposal.status != ProposalStatus.REJECTED:
        return False
    with services.pool.connection() as connection:
        row = stored_orders.get(connection, order.id)
    return row is not None and row.started_at is not None and proposal.updated_at >= row.started_at


def newest_proposal(services: Services, order: Order) -> Proposal | None:
    """Return the conversation's open proposal, else its last one that got as far as a merge request."""
    with services.pool.connection() as connection:
        return proposals.newest_for_conversation(connection, order.conversation_id)


def required_proposal(services: Services, order: Order) -> Proposal:
    """Return the conversation's proposal or raise CannotError."""
    proposal = newest_proposal(services, order)
    if proposal is None:
        raise CannotError(progress.no_proposal(services.mention))
    return proposal
