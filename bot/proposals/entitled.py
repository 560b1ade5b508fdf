"""Whether an approval counts: each condition read from GitLab now, each refusal with its reason and what to do."""

from datetime import UTC, datetime
from typing import Literal

from msgspec import Struct

from bot.domain import CannotError, Noteable, Person, ProposalStatus
from bot.gitlab.merge_status import may_not_merge
from bot.gitlab.values import MergeRequest
from bot.proposals.command import Command, commit_named, read_command
from bot.proposals.policy import Policy, is_approving
from bot.proposals.rights import require_merge_right
from bot.proposals.vetting import require_still_permitted
from bot.replies import progress
from bot.replies.render import quoted
from bot.services import Services
from bot.store import proposals
from bot.store.approvals import Approval
from bot.store.proposals import Proposal

PATIENCE_SECONDS = 20.0
RUNNING = frozenset({"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running"})
_BAD = frozenset({"failed", "canceled", "canceling"})


SignalKind = Literal["reaction", "merge_request_approval", "note", "page"]


class Signal(Struct, frozen=True, kw_only=True):
    """How a person said yes. `sha` is set when the person named the commit; `emoji` for reactions.

    `note_id` is the note that was reacted to, or that says yes itself. `page` is the button below the commit on our own
    page, or the same over the API. `at` is when GitLab says that a note was written.
    """

    kind: SignalKind
    person: Person
    sha: str | None = None
    emoji: str | None = None
    noteable: Noteable | None = None
    note_id: int | None = None
    at: datetime | None = None


def require_seen(proposal: Proposal, given_at: datetime | None) -> None:
    """An approval from before the draft was made, changed, undone, repaired or opened again meant another, or none."""
    if given_at is not None and proposal.opened_at is not None and given_at < proposal.opened_at:
        raise CannotError(
            "the draft was changed after your approval came, or closed and opened again, and stands at "
            f"`{(proposal.commit_id or '')[:8]}` now. Look at that, and approve again; a reaction or approval that "
            "stands already must be taken back first."
        )


def require_entitled(services: Services, proposal: Proposal, signal: Signal, policy: Policy) -> MergeRequest:
    """Return the merge request when this signal may approve it as it is now; raise CannotError with the reason."""
    _require_open(proposal)
    if signal.person.id == services.bot.id:
        raise CannotError("I don't approve my own proposals.")
    require_merge_right(services, proposal.project_id, signal.person, proposal.target_branch)
    _require_policy(services, policy, proposal, signal)
    require_still_permitted(policy, proposal.composition)
    _require_standing(services, proposal, signal)
    merge_request = services.gitlab.settled_merge_request(
        proposal.project_id,
        proposal.merge_request_iid or 0,
        patience_seconds=PATIENCE_SECONDS,
        pipeline_seconds=_pipeline_seconds(policy, proposal, signal),
    )
    if merge_request.state == "merged" and proposal.status == ProposalStatus.APPROVED:
        return merge_request
    if merge_request.state != "opened":
        raise CannotError(f"the merge request is {merge_request.state}. Ask me for a new draft if you still want one.")
    _require_same_commit(services, proposal, signal, merge_request)
    require_fit(services, policy, proposal, merge_request)
    if policy.merge != "never" and not merge_request.may_merge:
        raise CannotError(may_not_merge(merge_request.target_branch))
    return merge_request


def require_fit(services: Services, policy: Policy, proposal: Proposal, merge_request: MergeRequest) -> None:
    """Raise CannotError where the draft goes elsewhere than was proposed, or where its pipeline forbids the merge."""
    _require_same_target(proposal, merge_request)
    _require_pipeline(services, policy, merge_request)


def _pipeline_seconds(policy: Policy, proposal: Proposal, signal: Signal) -> float:
    """Return how long to wait for the pipeline of a commit: merged before GitLab made it, it would have run too late.

    Of a person's commit it is only known that it was there when that person's word came.
    """
    if policy.merge != "auto" or proposal.opened_at is None:
        return 0.0
    is_ours = signal.sha is None or (proposal.commit_id or "").startswith(signal.sha)
    since = proposal.opened_at if is_ours or signal.at is None else max(signal.at, proposal.opened_at)
    age = (datetime.now(UTC) - since).total_seconds()
    return min(max(PATIENCE_SECONDS - age, 0.0), PATIENCE_SECONDS)


def _require_open(proposal: Proposal) -> None:
    if proposal.merge_request_iid is None or proposal.commit_id is None:
        raise CannotError("there is no draft to approve yet.")
    if proposal.status == ProposalStatus.COMMITTED:
        raise CannotError("this draft is merged already.")
    if proposal.status == ProposalStatus.SUPERSEDED:
        raise CannotError("this state of the draft was superseded by a newer one. Look at that one, and approve it.")
    if proposal.status == ProposalStatus.REJECTED:
        raise CannotError(
            "this draft is rejected and can no longer be approved, unless somebody opens its merge request again in "
            "GitLab. Or ask me for a new draft."
        )
    if proposal.status not in (ProposalStatus.PROPOSED, ProposalStatus.APPROVED):
        raise CannotError(f"this draft is {proposal.status} and can no longer be approved.")


def _require_policy(services: Services, policy: Policy, proposal: Proposal, signal: Signal) -> None:
    if not policy.approval.requester_may_approve and signal.person.id in _askers(services, proposal):
        raise CannotError(
            "who asked for the draft may not approve it; that is this project's rule. Somebody else has to."
        )
    if signal.emoji is not None and not is_approving(signal.emoji, policy):
        raise CannotError(f"in this project `:{signal.emoji}:` does not approve.")


def _askers(services: Services, proposal: Proposal) -> set[int]:
    """Return everybody who asked for any state of the draft: what one had changed one approves no more than a first."""
    with services.pool.connection() as connection:
        states = proposals.of_merge_request(connection, proposal.project_id, proposal.merge_request_iid or 0)
    return {proposal.requested_by_id, *(state.requested_by_id for state in states)}


def _require_standing(services: Services, proposal: Proposal, signal: Signal) -> None:
    """A reaction or approval counts for nothing that was taken back meanwhile, or is older than the commit.

    A delivery may be late or forged: when it was given is read from GitLab, which of approvals older ones do not say.
    """
    times = _given_at(services, proposal, signal)
    if times == []:
        name = "reaction" if signal.kind == "reaction" else "approval"
        raise CannotError(f"the {name} was taken back, so nothing is merged.")
    require_seen(proposal, times[0] if times else None)


def is_taken_back(services: Services, proposal: Proposal, signal: Signal) -> bool:
    """Tell whether GitLab has a reaction or approval no more: a delivery of that may be late or forged, too."""
    try:
        return _given_at(services, proposal, signal) == []
    except CannotError:  # what it stood on is gone
        return True


def _given_at(services: Services, proposal: Proposal, signal: Signal) -> list[datetime | None] | None:
    """Return when what stands in GitLab was given; None of a signal that does not stand there."""
    match signal.kind:
        case "reaction":
            return _reacted_at(services, proposal, signal)
        case "merge_request_approval":
            return _approved_at(services, proposal, signal)
        case _:
            return None


def _reacted_at(services: Services, proposal: Proposal, signal: Signal) -> list[datetime | None]:
    noteable = signal.noteable or Noteable(kind="merge_request", iid=proposal.merge_request_iid or 0)
    awards = services.gitlab.reactions(proposal.project_id, noteable, signal.note_id)
    return [each.created_at for each in awards if each.author.id == signal.person.id and each.name == signal.emoji]


def _approved_at(services: Services, proposal: Proposal, signal: Signal) -> list[datetime | None]:
    given = services.gitlab.approvals_given(proposal.project_id, proposal.merge_request_iid or 0)
    return [each.at for each in given if each.person.id == signal.person.id]


def still_stands(services: Services, proposal: Proposal, approval: Approval, policy: Policy) -> bool:
    """Tell whether an approval that was stored earlier holds now: the person's right, and the signal itself."""
    signal = Signal(
        kind=_kind(approval.signal),
        person=Person(id=approval.user_id, username=approval.username),
        emoji=approval.emoji,
        noteable=_place_of(proposal, approval),
        note_id=approval.note_id,
    )
    try:
        require_merge_right(services, proposal.project_id, signal.person, proposal.target_branch)
        _require_policy(services, policy, proposal, signal)
        _require_standing(services, proposal, signal)
        return signal.kind != "note" or _still_says_so(services, proposal, approval)
    except CannotError:
        return False


def _still_says_so(services: Services, proposal: Proposal, approval: Approval) -> bool:
    """A comment may be deleted or edited meanwhile. One of which it was not stored yet which it is counts as it did."""
    if approval.note_id is None or approval.noteable is None:
        return True
    written = services.gitlab.note(proposal.project_id, approval.noteable, approval.note_id)
    if written is None or written.author.id != approval.user_id:
        return False
    command = read_command(written.body, services.mention_names)
    if not isinstance(command, Command) or command.name != "approve":
        return False
    return approval.sha.startswith(commit_named(command.rest) or "")


def _kind(stored: str) -> SignalKind:
    match stored:
        case "reaction" | "merge_request_approval" | "page":
            return stored
        case _:
            return "note"


def _place_of(proposal: Proposal, approval: Approval) -> Noteable | None:
    """Where it was given; of an older reaction on a note that is not stored: where the proposal's note is."""
    if approval.noteable is not None or approval.note_id is None or proposal.note_iid is None:
        return approval.noteable
    return Noteable(kind="issue" if proposal.note_kind == "issue" else "merge_request", iid=proposal.note_iid)


def _require_same_target(proposal: Proposal, merge_request: MergeRequest) -> None:
    """Rights were asked for the branch that was proposed: a draft aimed elsewhere meanwhile is another matter."""
    if merge_request.target_branch != proposal.target_branch:
        raise CannotError(
            f"I proposed to merge into {quoted(proposal.target_branch)}, but the draft now aims at "
            f"{quoted(merge_request.target_branch)}. Aim it back, or merge it yourself."
        )


def _require_same_commit(services: Services, proposal: Proposal, signal: Signal, merge_request: MergeRequest) -> None:
    head, proposed = merge_request.sha, proposal.commit_id or ""
    if signal.sha is not None and signal.kind == "note":
        if not head.startswith(signal.sha.lower()):
            raise CannotError(f"you named `{signal.sha}`, but the draft stands at `{head[:8]}`. Look at that first.")
        _require_one_meant(services, merge_request, proposal, signal.sha.lower())
        return
    if head != proposed or (signal.sha is not None and signal.sha != head):
        raise CannotError(progress.head_moved(proposed, head, services.mention))


def _require_one_meant(services: Services, merge_request: MergeRequest, proposal: Proposal, named: str) -> None:
    """Two commits with the same first letters are made in seconds, and then pushed one in place of the other."""
    if named == merge_request.sha:
        return
    heads = services.gitlab.heads(proposal.project_id, merge_request.iid) - {merge_request.sha}
    other = next((head for head in sorted(heads) if head.startswith(named)), None)
    if other is not None:
        raise CannotError(
            f"the draft has stood at two commits that begin with `{named}`: it was `{other}`, and is "
            f"`{merge_request.sha}` now. Look at that, and name it in full if you approve it."
        )


def _require_pipeline(services: Services, policy: Policy, merge_request: MergeRequest) -> None:
    status = merge_request.pipeline.status if merge_request.pipeline else None
    if status in _BAD:
        raise CannotError(
            f"its pipeline {'failed' if status == 'failed' else 'was cancelled'}. "
            f"`{services.mention} retry` runs it again; approve once it is green."
        )
    if policy.merge == "on_green" and status != "success" and status not in RUNNING:
        raise CannotError(
            "this project merges only what a pipeline has passed (`merge: on_green`), and "
            f"{progress.pipeline_state(status)}. Approve once it is green."
        )
