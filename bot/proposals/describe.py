"""Describes a draft's merge request anew after a change: what it holds now, and what was changed since."""

from bot.domain import Noteable, NoteableKind, SafeText
from bot.proposals.draft import asked_in, title_again
from bot.replies import changes, texts
from bot.replies.render import safe
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import Proposal


def describe_change(services: Services, current: Proposal, recorded: Proposal) -> None:
    """Update the description; a merge request that was made ready by an approval is a draft again."""
    services.gitlab.update_merge_request(
        current.project_id,
        current.merge_request_iid or 0,
        title=title_again(current, recorded),
        description=_description(services, current, recorded),
    )


def _description(services: Services, current: Proposal, recorded: Proposal) -> SafeText:
    with services.pool.connection() as connection:
        states = proposals.of_merge_request(connection, current.project_id, current.merge_request_iid or 0)
    first = states[0] if states else current
    whole = texts.merge_request_description(
        recorded.survey,
        recorded.composition,
        asked_in=_asked_in(first),
        requester=first.requested_by,
        mention=services.mention,
    )
    made = [state for state in states if state.change_title and state.id != recorded.id]
    rows = [(each.change_title, each.change_why, each.requested_by) for each in (*made, recorded)]
    return safe(changes.with_changes(whole, rows), services.homes)


def _asked_in(first: Proposal) -> str:
    """The note that shows the first proposal stands where it was asked for."""
    kind: NoteableKind = "issue" if first.note_iid is not None and first.note_kind == "issue" else "merge_request"
    iid = first.note_iid or first.merge_request_iid or 0
    return asked_in(Noteable(kind=kind, iid=iid), first.repo_url, is_internal=first.is_internal)
