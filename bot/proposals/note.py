"""Keeps the one note that shows a proposal up to date: draft, pipeline, approval, merge, pipeline after the merge."""

import msgspec

from bot.domain import Noteable, NoteableKind, ProposalStatus
from bot.domain.known import known
from bot.failures.diagnosis import Diagnosis
from bot.proposals.draft import summary
from bot.replies import changes, failures, progress, texts
from bot.replies.render import safe
from bot.services import Services
from bot.store import approvals, proposals, repairs
from bot.store.approvals import Approval
from bot.store.proposals import Proposal
from bot.store.repairs import Repair

_SIGNAL_WORDS = {
    "reaction": "by a reaction",
    "merge_request_approval": "by approving the merge request",
    "note": "by a comment",
    "page": "with Yes on my page",
}


def refresh(services: Services, proposal: Proposal) -> None:
    """Edit the proposal's note to what is true now; nothing happens when it has none."""
    if proposal.note_id is None or proposal.note_iid is None or proposal.note_kind is None:
        return
    kind: NoteableKind = "issue" if proposal.note_kind == "issue" else "merge_request"
    link = texts.conversation_link(services.settings.public_url, proposal.conversation_id)
    mark = texts.mark(proposal.order_id) if proposal.order_id else ""
    text = safe(shown(services, proposal, proposal.introduction), services.homes, ending=link + mark)
    services.gitlab.edit_note(proposal.project_id, Noteable(kind=kind, iid=proposal.note_iid), proposal.note_id, text)


def shown(services: Services, proposal: Proposal, above: str) -> str:
    """Return what a proposal's note says: the words `above`, what changed, how it stands, what failed, the draft."""
    parts = (
        above,
        _changed(services, proposal),
        standing(services, proposal),
        repair_story(services, proposal),
        summary(proposal, services.mention),
    )
    return "\n\n".join(part for part in parts if part)


def _changed(services: Services, proposal: Proposal) -> str:
    if not proposal.change_title or proposal.order_id is None:
        return ""
    with services.pool.connection() as connection:
        made = proposals.changes_of_order(connection, proposal.order_id)
    return changes.report([(each.change_title, each.change_notes, each.change_diff) for each in made])


def repair_story(services: Services, proposal: Proposal) -> str:
    """Tell what failed in the draft's pipelines and what became of it; only the newest with its log."""
    with services.pool.connection() as connection:
        rows = repairs.for_merge_request(connection, proposal.project_id, proposal.merge_request_iid or 0)
    stories = [_story(proposal, row, is_newest=row is rows[-1]) for row in rows]
    return failures.story(stories, services.mention)


def _story(proposal: Proposal, row: Repair, *, is_newest: bool) -> failures.Story:
    found = msgspec.convert(row.diagnoses, tuple[Diagnosis, ...])
    return failures.Story(
        url=pipeline_url(proposal, row.pipeline_id),
        sha=row.sha,
        told=tuple(told(each, with_log=is_newest) for each in found),
        change=row.title if row.outcome in ("repaired", "offered") else "",
        new_sha=row.new_sha,
        diff=row.diff if is_newest else "",
        reason=row.reason,
        is_offered=row.outcome == "offered",
    )


def told(found: Diagnosis, *, with_log: bool = True) -> failures.Told:
    """Return a failure as it is told to people."""
    return failures.Told(
        job=found.job,
        title=found.title,
        why=found.why,
        advice=found.advice,
        excerpt=found.excerpt if with_log else "",
        words=found.words,
    )


def standing(services: Services, proposal: Proposal) -> str:
    """Say in a few lines how far a proposal has come."""
    lines = [_approval_line(services, proposal)]
    if proposal.status in (ProposalStatus.PROPOSED, ProposalStatus.APPROVED, ProposalStatus.COMMITTED):
        lines.append(pipeline_of_draft(services, proposal))
    if proposal.status == ProposalStatus.COMMITTED:
        lines.append(pipeline_after_merge(proposal))
    if proposal.status in (ProposalStatus.REJECTED, ProposalStatus.SUPERSEDED):
        lines.append(f"This draft is {proposal.status}.")
    return "\n\n".join(line for line in lines if line)


def _approval_line(services: Services, proposal: Proposal) -> str:
    sha = proposal.commit_id or ""
    with services.pool.connection() as connection:
        given = approvals.given(approvals.for_proposal(connection, proposal.id), sha, proposal.opened_at)
    if proposal.status == ProposalStatus.COMMITTED:
        if not given:
            return progress.merged_by_person(proposal.target_branch, sha)
        names = list(dict.fromkeys(row.username for row in given))
        return progress.merged(proposal.target_branch, sha, names, _signal_words(given[-1]))
    if proposal.status not in (ProposalStatus.PROPOSED, ProposalStatus.APPROVED) or not given:
        return ""
    last = given[-1]
    if last.reason:
        return progress.approved(sha, last.username, _signal_words(last), last.reason)
    if proposal.status == ProposalStatus.APPROVED:
        return progress.merge_waits(sha, last.username, _signal_words(last))
    return ""


def _signal_words(given: Approval) -> str:
    return _SIGNAL_WORDS.get(given.signal, given.signal)


def pipeline_of_draft(services: Services, proposal: Proposal) -> str:
    """Say how the draft's pipeline stands, naming failed jobs."""
    if proposal.pipeline_id is None:
        return ""
    url = pipeline_url(proposal, proposal.pipeline_id)
    line = progress.pipeline_line(proposal.pipeline_status, url, where="of the draft")
    if proposal.pipeline_status != "failed":
        return line
    failed = tuple(
        (job.name, job.web_url, job.failure_reason or "")
        for job in services.gitlab.jobs(proposal.project_id, proposal.pipeline_id)
        if job.status == "failed"
    )
    return "\n\n".join(part for part in (line, progress.failed_jobs(failed)) if part)


def pipeline_after_merge(proposal: Proposal) -> str:
    """Say how the target branch's pipeline stands, where one is known."""
    if proposal.after_merge_pipeline_id is None:
        return ""
    url = pipeline_url(proposal, proposal.after_merge_pipeline_id)
    return progress.pipeline_line(proposal.after_merge_status, url, where=f"on `{proposal.target_branch}`")


def pipeline_url(proposal: Proposal, pipeline_id: int) -> str:
    """Return the page of a pipeline."""
    return f"{proposal.repo_url}/-/pipelines/{pipeline_id}"


def latest(services: Services, proposal: Proposal) -> Proposal:
    """Read the stored proposal again."""
    with services.pool.connection() as connection:
        return proposals.get(connection, proposal.id)


known(Diagnosis)
