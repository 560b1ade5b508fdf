"""Opens a prepared proposal as a draft merge request, or brings the open one up to date."""

import re
from collections.abc import Mapping
from contextlib import suppress
from uuid import UUID

from msgspec import Struct, structs

from bot.domain import CannotError, Noteable, ProposalStatus, SafeText
from bot.gitlab.answers import RefusedError
from bot.gitlab.values import MergeRequest
from bot.masking import mask_secrets
from bot.proposals.commit import Writing, commit, earlier_commit, is_on, pushed_between
from bot.proposals.order import Order
from bot.proposals.policy import POLICY_PATH
from bot.proposals.prepare import CI_PATH, Prepared
from bot.proposals.vetting import Destination, vetted
from bot.replies import progress, texts
from bot.replies.render import quoted, safe
from bot.services import Services
from bot.store import conversations, proposals
from bot.store.proposals import NewProposal, Proposal

DOCKERFILE = "Dockerfile"
# However many signs stand in a row: without the last one those before it would be left.
_REFERENCE = re.compile(r"(?:[@#!&%~$]|\bGL-)+(?=\d)|[@#!&%~$]+(?=\w)")
_OPEN = (ProposalStatus.PROPOSED, ProposalStatus.APPROVED)


class Told(Struct, frozen=True, kw_only=True):
    """What people are told of a change: its title and why, what to know before approving it, its diff."""

    title: str = ""
    why: str = ""
    notes: str = ""
    diff: str = ""


def record(services: Services, order: Order, prepared: Prepared, told: Told | None = None) -> Proposal:
    """Remember what was generated, before any effect on GitLab; an interrupted order finds its own again.

    `told` says what was changed of it on a person's wish before it is opened. Raises CannotError for what the
    project's rules refuse.
    """
    with services.pool.connection() as connection:
        earlier = proposals.find_by_order(connection, order.id)
    if earlier is not None and (told is None or earlier.status != ProposalStatus.GENERATED):
        return earlier
    to = Destination(project_id=prepared.project.id, project_path=prepared.project.path, branch=prepared.base_branch)
    composition = vetted(services, to, prepared.composition, prepared.linted, _rules_of(prepared))
    prepared = structs.replace(prepared, composition=composition)
    with services.pool.connection() as connection:
        current = proposals.open_for_conversation(connection, order.conversation_id)
        branch = (
            current.source_branch
            if current
            else _branch_name(order, proposals.count_for_conversation(connection, order.conversation_id))
        )
        new = _new(order, prepared, told or Told(), branch=branch, before=current)
        if earlier is not None:
            return proposals.set_composition(connection, earlier.id, new)
        return proposals.add(connection, new)


def _rules_of(prepared: Prepared) -> str | None:
    """Return the rules that were read with the files; "" says that there are none, None that they were not read."""
    return prepared.rules if prepared.rules is not None or POLICY_PATH in prepared.paths else ""


def _new(order: Order, prepared: Prepared, told: Told, *, branch: str, before: Proposal | None) -> NewProposal:
    files = prepared.composition.files
    return NewProposal(
        conversation_id=order.conversation_id,
        order_id=order.id,
        repo_url=prepared.project.web_url,
        dockerfile=dockerfile_in(files),
        gitlab_ci=files.get(CI_PATH),
        project_id=prepared.project.id,
        target_branch=prepared.base_branch,
        source_branch=branch,
        is_internal=order.is_internal,
        requested_by_id=order.person.id,
        requested_by=order.person.username,
        survey=prepared.survey,
        composition=prepared.composition,
        before_id=before.id if before else None,
        change_title=told.title,
        change_notes=told.notes,
        change_diff=told.diff,
        base_sha=prepared.base_sha,
    )


def dockerfile_in(files: Mapping[str, str]) -> str | None:
    """Return the text of the first Dockerfile among files."""
    return next((files[path] for path in sorted(files) if path.endswith(DOCKERFILE)), None)


def _branch_name(order: Order, earlier: int) -> str:
    if order.is_internal or order.noteable is None:  # branch names are public where a confidential issue is not
        return f"pipewright/ci-{order.id.hex[:8]}"
    suffix = f"-{earlier + 1}" if earlier else ""
    kind = "issue" if order.noteable.kind == "issue" else "merge-request"
    return f"pipewright/{kind}-{order.noteable.iid}{suffix}"


def open_draft(services: Services, order: Order, proposal: Proposal, prepared: Prepared) -> Proposal:
    """Commit the files and open the draft, or update the conversation's open one; return the stored state."""
    with services.pool.connection() as connection:
        current = proposals.open_for_conversation(connection, order.conversation_id, besides=proposal.id)
    message = _commit_message(order.id, proposal)
    if current is None:
        # The merge request comes before the commit, so that GitLab runs one pipeline for it and not a second one
        # for a branch that has no merge request yet.
        _branch(services, order, proposal, prepared, message)
        merge_request = _merge_request(services, order, proposal)
        writing = _writing(proposal, message, prepared.base_sha, set(prepared.paths))
        sha = _first_commit(services, order, proposal, writing, merge_request.iid)
    else:
        sha = _commit_again(services, order, proposal, prepared, message, current)
        merge_request = _described_again(services, order, proposal, current)
    with services.pool.connection() as connection:
        if current is not None:
            proposals.set_status(connection, current.id, ProposalStatus.SUPERSEDED)
        opened = proposals.set_opened(connection, proposal.id, commit_id=sha, merge_request_iid=merge_request.iid)
        conversations.add_noteable(
            connection, order.conversation_id, order.project.id, "merge_request", merge_request.iid
        )
    return opened


def _branch(services: Services, order: Order, proposal: Proposal, prepared: Prepared, message: str) -> None:
    project_id, branch = proposal.project_id, proposal.source_branch
    if order.attempts > 1 and services.gitlab.commit_by_message(project_id, branch, message):
        return
    try:
        services.gitlab.create_branch(project_id, branch, prepared.base_sha)
    except RefusedError as refused:
        if "already exists" not in refused.detail:
            raise
        raise CannotError(
            f"the branch {quoted(branch)} exists already and I don't overwrite it. Delete it, then ask again."
        ) from refused


def _first_commit(services: Services, order: Order, proposal: Proposal, writing: Writing, iid: int) -> str:
    """Commit into a merge request that is empty so far; when GitLab refuses, no empty one is left open."""
    try:
        return _commit(services, order, proposal, writing)
    except RefusedError:
        with suppress(CannotError):  # what refused the commit is what has to be told
            services.gitlab.update_merge_request(proposal.project_id, iid, state_event="close")
        raise


def _commit(services: Services, order: Order, proposal: Proposal, writing: Writing) -> str:
    """Commit once: an interrupted order finds the commit it made."""
    made = earlier_commit(services, order, writing) or commit(services, writing)
    if is_on(made, writing.base):
        return made.sha
    with services.pool.connection() as connection:
        proposals.set_status(connection, proposal.id, ProposalStatus.FAILED)
    raise pushed_between(writing.branch, made, services.mention)


def _writing(proposal: Proposal, message: str, base: str, existing: set[str]) -> Writing:
    return Writing(
        project_id=proposal.project_id,
        branch=proposal.source_branch,
        base=base,
        message=message,
        files=proposal.composition.files,
        existing=existing,
    )


def _commit_again(
    services: Services, order: Order, proposal: Proposal, prepared: Prepared, message: str, current: Proposal
) -> str:
    existing = set(prepared.paths) | set(current.composition.files)
    writing = _writing(proposal, message, current.commit_id or "", existing)
    if earlier_commit(services, order, writing) is None:
        require_untouched(services, current)
    return _commit(services, order, proposal, writing)


def require_untouched(services: Services, current: Proposal) -> None:
    """Raise CannotError where somebody committed to the draft: people's work is never overwritten."""
    head = services.gitlab.branch_head(current.project_id, current.source_branch)
    if head is None:
        raise CannotError(
            f"the branch `{current.source_branch}` of the open draft is gone. Close the merge request and ask again."
        )
    if head != current.made_sha:
        raise CannotError(
            f"somebody else pushed to `{current.source_branch}` (`{head[:8]}`), and I don't overwrite people's work. "
            f"Write `{services.mention} reject` to close that draft, then ask me for a new one."
        )


def _commit_message(order_id: UUID, proposal: Proposal) -> str:
    names = commit_line(", ".join(sorted(proposal.composition.files)), 10_000)
    changed = f"\n\n{commit_line(proposal.change_title, 500)}" if proposal.change_title else ""
    return f"Set up the pipeline: {names}{changed}\n\nProposed by Pipewright, order {order_id}."


def commit_line(text: str, limit: int = 100) -> str:
    """Return words for a commit message on which GitLab does not act: `[skip ci]`, `closes #1`, addresses, `@name`."""
    flat = " ".join(mask_secrets(text).split())
    flat = flat.replace("[", "(").replace("]", ")").replace("://", ": //")
    harmless = _REFERENCE.sub("", flat)
    return harmless if len(harmless) <= limit else harmless[: limit - 1] + "…"


def _merge_request(services: Services, order: Order, proposal: Proposal) -> MergeRequest:
    return services.gitlab.open_draft(
        proposal.project_id,
        source_branch=proposal.source_branch,
        target_branch=proposal.target_branch,
        title=title_of(proposal),
        description=_description(services, order, proposal),
    )


def _described_again(services: Services, order: Order, proposal: Proposal, current: Proposal) -> MergeRequest:
    return services.gitlab.update_merge_request(
        proposal.project_id,
        current.merge_request_iid or 0,
        title=title_again(current, proposal),
        description=_description(services, order, proposal),
    )


def title_again(current: Proposal, proposal: Proposal) -> str | None:
    """Return the title with which what an approval made ready is a draft again; None where it is one."""
    return title_of(proposal) if current.status == ProposalStatus.APPROVED else None


def _description(services: Services, order: Order, proposal: Proposal) -> SafeText:
    return safe(
        texts.merge_request_description(
            proposal.survey,
            proposal.composition,
            asked_in=asked_in(order.noteable, order.project.web_url, is_internal=order.is_internal),
            requester=order.person.username,
            mention=services.mention,
        ),
        services.homes,
    )


def title_of(proposal: Proposal) -> str:
    """Return the title of a proposal's merge request."""
    kinds = sorted({unit.ecosystem for unit in proposal.survey.units} - {"generic"})
    if not proposal.composition.sources:  # nothing was composed: an existing pipeline was changed as somebody asked
        return "Draft: Change the pipeline"
    return "Draft: Set up CI" + (f" for {', '.join(kinds)}" if kinds else "")


def asked_in(noteable: Noteable | None, web_url: str, *, is_internal: bool) -> str:
    """Return a link to where a draft was asked for, which tells nothing of what is confidential."""
    if noteable is None:
        return "a talk with me"
    kind = "issue" if noteable.kind == "issue" else "merge request"
    path = "issues" if noteable.kind == "issue" else "merge_requests"
    if is_internal or not web_url:
        return f"an internal {kind}" if is_internal else f"{kind} {noteable.iid}"
    return f"[{kind} {noteable.iid}]({web_url}/-/{path}/{noteable.iid})"


def summary(proposal: Proposal, mention: str) -> str:
    """Return the Markdown that shows a proposal where it was asked for, as far as it has come."""
    link = progress.merge_request_link(proposal.merge_request_iid or 0, merge_request_url(proposal))
    return texts.proposal_note(
        proposal.survey,
        proposal.composition,
        merge_request=link,
        mention=mention,
        files=tuple(sorted(proposal.composition.files)),
    )


def merge_request_url(proposal: Proposal) -> str:
    """Return the page of a proposal's merge request."""
    return f"{proposal.repo_url}/-/merge_requests/{proposal.merge_request_iid}"
