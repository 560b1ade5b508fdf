"""Who may say Yes or No to a draft on its page, and in plain words why not: what GitLab and the project's rules say."""

from msgspec import Struct

from bot.domain import AccessLevel, ProposalStatus
from bot.gitlab.values import MergeRequest
from bot.proposals.entitled import RUNNING
from bot.proposals.policy import Policy
from bot.store.proposals import Proposal

_OPEN = (ProposalStatus.PROPOSED, ProposalStatus.APPROVED)


class Choice(Struct, frozen=True, kw_only=True):
    """What a visitor may press, and what is said beside it."""

    may_say_yes: bool = False
    may_say_no: bool = False
    words: str = ""


def choice_of(
    proposal: Proposal, *, request: MergeRequest | None, policy: Policy | str, role: AccessLevel, person_id: int
) -> Choice | None:
    """Return what somebody may press below a draft; None where there is nothing (any more) to decide.

    The page only offers: whoever presses is checked again, against GitLab as it is then.
    """
    if proposal.status not in _OPEN or proposal.commit_id is None:
        return None
    may_say_no = role >= AccessLevel.DEVELOPER
    why_not = _why_not(proposal, request, policy, person_id)
    if why_not:
        return Choice(may_say_no=may_say_no, words=why_not)
    assert request is not None and isinstance(policy, Policy)  # noqa: PT018 - _why_not speaks where either is missing
    return Choice(may_say_yes=True, may_say_no=may_say_no, words=_what_yes_does(proposal, request, policy))


def _why_not(proposal: Proposal, request: MergeRequest | None, policy: Policy | str, person_id: int) -> str:
    if request is None:
        return "GitLab does not show you the merge request right now, so nothing can be decided here."
    if isinstance(policy, str):
        return f"The project's own rules cannot be read: {policy}"
    if not request.may_merge:
        return (
            f"To say Yes one must be allowed to merge into {proposal.target_branch}, and you are not. "
            "Somebody who is can say it here, or in GitLab."
        )
    if request.state != "opened":
        return f"The merge request is {request.state} in GitLab."
    if request.sha != proposal.commit_id:
        return (
            f"Somebody pushed to the draft: it stands at {request.sha[:8]} now, which is not what is shown here. "
            "Look at that in GitLab."
        )
    if not policy.approval.requester_may_approve and proposal.requested_by_id == person_id:
        return "You asked for this draft, and this project's rule wants somebody else to approve it."
    return _why_not_by_pipeline(request, policy)


def _why_not_by_pipeline(request: MergeRequest, policy: Policy) -> str:
    status = request.pipeline.status if request.pipeline else None
    if status in ("failed", "canceled", "canceling"):
        return "Its pipeline is red, and nothing red is merged. Say retry or repair below, or decide in GitLab."
    if policy.merge == "on_green" and status != "success" and status not in RUNNING:
        return "This project merges only what a pipeline has passed, and none has run for this commit yet."
    return ""


def _what_yes_does(proposal: Proposal, request: MergeRequest, policy: Policy) -> str:
    running = request.pipeline is not None and request.pipeline.status in RUNNING
    if policy.merge == "never":
        words = "Yes marks the merge request ready; this project leaves the merge itself to a person."
    elif running:
        words = f"Yes lets GitLab merge this commit into {proposal.target_branch} when its pipeline passes."
    else:
        words = f"Yes merges this commit into {proposal.target_branch}, and nothing newer."
    if policy.approval.minimum > 1:
        words += f" {policy.approval.minimum} people have to say it."
    return words
