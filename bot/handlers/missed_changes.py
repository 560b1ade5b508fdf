"""Finds what happened to a proposal without a webhook: approved, taken back, pushed, merged, closed, run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.domain import (
    FINAL_PIPELINE_STATUSES,
    Event,
    MergeRequestAction,
    MergeRequestChanged,
    Noteable,
    NoteableKind,
    Person,
    PipelineChanged,
    ProjectRef,
    ProposalStatus,
    Reaction,
)
from bot.gitlab.once import name_of
from bot.gitlab.values import MergeRequest, Pipeline
from bot.proposals.approval import policy_of
from bot.proposals.policy import is_approving
from bot.proposals.status import pipeline_after_merge
from bot.proposals.stuck import stuck_how
from bot.proposals.voiding import why_lapsed
from bot.services import Services
from bot.store import approvals, conversations, proposals
from bot.store.approvals import Approval
from bot.store.proposals import Proposal
from bot.store.sweeps import Swept

_SOMEBODY = Person(id=0, username="somebody")
_UNDER_WAY = timedelta(minutes=1)


def missed_changes(services: Services, swept: Swept) -> Iterator[tuple[str, Event]]:
    """Compare what is stored with what GitLab holds now."""
    with services.pool.connection() as connection:
        proposal = proposals.get(connection, swept.id)
        conversation = conversations.get(connection, proposal.conversation_id)
        rows = approvals.for_proposal(connection, proposal.id)
    path = conversation.project_path if conversation else ""
    project = ProjectRef(id=proposal.project_id, path=path, web_url=proposal.repo_url)
    known = _Known(project, proposal, rows, swept.opened_at)
    for name, event in _differences(services, known):
        is_named_alike = isinstance(event, Reaction) and event.is_award
        yield name if is_named_alike else f"sweep:{proposal.id}:{name}", event


@dataclass(frozen=True)
class _Known:
    """What is stored of a proposal; `since` is since when its present commit stands in its open draft."""

    project: ProjectRef
    proposal: Proposal
    rows: list[Approval]
    since: datetime

    def is_new(self, at: datetime | None, user_id: int, emoji: str | None = None, note_id: int | None = None) -> bool:
        """Tell whether a signal came after the present commit and was judged by nobody since.

        One given before may have meant another commit. Older GitLabs do not say when an approval was given.
        """
        if at is None or at <= self.since:
            return False
        same = (row for row in self.rows if (row.user_id, row.emoji, row.note_id) == (user_id, emoji, note_id))
        return all(row.created_at < at for row in same)

    def standing(self, signal: str) -> list[Approval]:
        """Return the approvals of one kind that count for all we know."""
        given = approvals.given(self.rows, self.proposal.commit_id or "", self.since)
        return [row for row in given if row.signal == signal]

    def changed(self, action: MergeRequestAction, author: Person, head: str, oldrev: str | None = None) -> Event:
        """Return the event that a hook would have told of the merge request."""
        return MergeRequestChanged(
            project=self.project,
            iid=self.proposal.merge_request_iid or 0,
            action=action,
            author=author,
            source_branch=self.proposal.source_branch,
            head_sha=head,
            oldrev=oldrev,
        )


def _differences(services: Services, known: _Known) -> Iterator[tuple[str, Event]]:
    proposal = known.proposal
    if proposal.status == ProposalStatus.COMMITTED:
        run = pipeline_after_merge(services, proposal)
        yield from _ended(known, run)
        yield from _stuck(services, known, run)
        return
    now = services.gitlab.merge_request(proposal.project_id, proposal.merge_request_iid or 0)
    if proposal.status == ProposalStatus.REJECTED and now.state != "merged":
        if now.state == "opened":
            yield f"reopened:{proposal.updated_at}", known.changed("reopen", _SOMEBODY, now.sha)
    elif now.state in ("merged", "closed"):
        action: MergeRequestAction = "merge" if now.state == "merged" else "close"
        yield f"{now.state}:{known.since}", known.changed(action, _SOMEBODY, now.sha)
    elif now.state == "opened" and now.sha != proposal.commit_id:
        yield from _pushed(services, known, now.sha)
    elif now.state == "opened":
        yield from _ended(known, now.pipeline)
        yield from _stuck(services, known, now.pipeline)
        yield from _approvals(services, known)
        yield from _reactions(services, known)
        yield from _lapsed(services, known, now)


def _pushed(services: Services, known: _Known, head: str) -> Iterator[tuple[str, Event]]:
    """Another head than the proposed commit; whose it is only its hook tells. The commit's own pipeline may go on."""
    proposal = known.proposal
    if proposal.status == ProposalStatus.APPROVED:
        yield f"push:{head}", known.changed("update", _SOMEBODY, head, proposal.commit_id)
    if proposal.pipeline_status not in FINAL_PIPELINE_STATUSES:
        yield from _ended(known, services.gitlab.latest_pipeline(proposal.project_id, sha=proposal.commit_id))


def _ended(known: _Known, run: Pipeline | None) -> Iterator[tuple[str, Event]]:
    """A pipeline of the proposed or merged commit that has ended, where that is news."""
    proposal = known.proposal
    if (
        run is None
        or run.status not in FINAL_PIPELINE_STATUSES
        or run.sha
        not in (
            proposal.commit_id,
            proposal.merged_sha,
        )
    ):
        return
    heard = {
        (proposal.pipeline_id, proposal.pipeline_status),
        (proposal.after_merge_pipeline_id, proposal.after_merge_status),
    }
    if (run.id, run.status) not in heard:
        event = PipelineChanged(
            project=known.project,
            pipeline_id=run.id,
            ref=run.ref,
            sha=run.sha,
            status=run.status,
            merge_request_iid=proposal.merge_request_iid,  # one of merged results runs on a commit of its own
        )
        yield f"pipeline:{run.id}:{run.status}", event


def _stuck(services: Services, known: _Known, run: Pipeline | None) -> Iterator[tuple[str, Event]]:
    """A pipeline that waits or runs for too long: told once for each way of it, for the name is the same."""
    if run is None or not (how := stuck_how(run, services.settings, datetime.now(UTC))):
        return
    event = PipelineChanged(
        project=known.project, pipeline_id=run.id, ref=run.ref, sha=run.sha, status=run.status, is_stuck=True
    )
    yield f"stuck:{run.id}:{how}", event


def _approvals(services: Services, known: _Known) -> Iterator[tuple[str, Event]]:
    proposal, head = known.proposal, known.proposal.commit_id or ""
    given = services.gitlab.approvals_given(proposal.project_id, proposal.merge_request_iid or 0)
    for one in given:
        if known.is_new(one.at, one.person.id):
            yield f"approved:{one.person.id}:{one.at}", known.changed("approved", one.person, head)
    people = {one.person.id for one in given}
    for row in known.standing("merge_request_approval"):
        if row.user_id not in people:
            person = Person(id=row.user_id, username=row.username)
            yield f"unapproved:{row.user_id}:{row.created_at}", known.changed("unapproved", person, head)


def _lapsed(services: Services, known: _Known, now: MergeRequest) -> Iterator[tuple[str, Event]]:
    """A merge that waits in vain, or on the word of whoever may not merge any more; tried once an hour."""
    proposal, today = known.proposal, datetime.now(UTC)
    is_under_way = today - proposal.updated_at < _UNDER_WAY  # it may be about to be merged
    if proposal.status == ProposalStatus.APPROVED and not is_under_way and why_lapsed(services, proposal, now):
        yield f"lapsed:{proposal.updated_at}:{today:%Y-%m-%dT%H}", known.changed("lapsed", _SOMEBODY, now.sha)


def _reactions(services: Services, known: _Known) -> Iterator[tuple[str, Event]]:
    policy = policy_of(services, known.proposal)
    for noteable, note_id in _where_reactions_count(known.proposal):
        awards = services.gitlab.reactions(known.proposal.project_id, noteable, note_id)
        for award in awards:
            if is_approving(award.name, policy) and known.is_new(
                award.created_at, award.author.id, award.name, note_id
            ):
                name = name_of("emoji", known.project.id, award.id, str(award.created_at), "award")
                yield name, _reaction(known, noteable, note_id, award.author, award.name, is_award=True)
        standing = {(award.author.id, award.name) for award in awards}
        for row in known.standing("reaction"):
            if row.note_id == note_id and (row.user_id, row.emoji) not in standing:
                name = f"revoke:{row.user_id}:{row.emoji}:{row.created_at}"
                person = Person(id=row.user_id, username=row.username)
                yield name, _reaction(known, noteable, note_id, person, row.emoji or "", is_award=False)


def _reaction(
    known: _Known, noteable: Noteable, note_id: int | None, author: Person, emoji: str, *, is_award: bool
) -> Reaction:
    return Reaction(
        project=known.project, noteable=noteable, author=author, emoji=emoji, is_award=is_award, note_id=note_id
    )


def _where_reactions_count(proposal: Proposal) -> Iterator[tuple[Noteable, int | None]]:
    yield Noteable(kind="merge_request", iid=proposal.merge_request_iid or 0), None
    if proposal.note_id is not None and proposal.note_iid is not None:
        kind: NoteableKind = "issue" if proposal.note_kind == "issue" else "merge_request"
        yield Noteable(kind=kind, iid=proposal.note_iid), proposal.note_id
