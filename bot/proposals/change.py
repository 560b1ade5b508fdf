"""Changes the bot's own open draft: one commit, one new proposal that takes the place of the current one.

The proposal is recorded before any effect, so an order that was cut off finds its change again: by its key in the
store, by its commit message on the branch.
"""

import hashlib
from collections.abc import Iterable, Mapping
from uuid import UUID

import msgspec
from msgspec import Struct, structs

from bot.ci.changed import recomposed
from bot.ci.checks import new_among
from bot.ci.children import is_pipeline
from bot.ci.compose import CI_FILE, findings_of
from bot.domain import CannotError, Composition, Finding, ProposalStatus, Survey
from bot.proposals.commit import Writing, commit, earlier_commit, is_on, pushed_between, require_allowed
from bot.proposals.describe import describe_change
from bot.proposals.draft import Told, commit_line, dockerfile_in, require_untouched
from bot.proposals.order import Order
from bot.proposals.prepare import gitlab_findings, lint_results
from bot.proposals.vetting import Destination, vetted
from bot.replies import changes, texts
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import NewProposal, Proposal

_OPEN = (ProposalStatus.PROPOSED, ProposalStatus.APPROVED)


class Change(Struct, frozen=True, kw_only=True):
    """What a commit does to a draft. `key` tells it from other changes of the same order.

    `before_id` is the state that undoing it goes back to.
    """

    key: str
    told: Told
    files: dict[str, str]
    composition: Composition
    before_id: UUID | None
    removed: tuple[str, ...] = ()
    survey: Survey | None = None


def checked(
    services: Services,
    project_id: int,
    files: Mapping[str, str],
    *,
    ref: str | None = None,
    before: Mapping[str, str] | None = None,
) -> tuple[Finding, ...]:
    """Climb the ladder with changed files; return the warnings they bring.

    GitLab's lint comes last, on `ref`; without one it is left to `carry_out`, which lints whatever it commits. Raises
    CannotError with every error as a list. What our own rungs found in the files as they were `before` is no
    reason to refuse a change of something else.
    """
    for path in files:
        require_allowed(path)
    found = new_among(findings_of(files), findings_of(before or {}))
    errors = tuple(finding for finding in found if finding.is_error)
    if not errors and ref is not None:
        pipelines = {path: text for path, text in files.items() if is_pipeline(path)}
        errors = gitlab_findings(lint_results(services, project_id, pipelines, ref))
    if errors:
        raise CannotError(f"the changed files do not pass the checks:\n\n{texts.finding_list(errors)}")
    return found


def change_draft(
    services: Services,
    order: Order,
    current: Proposal,
    files: Mapping[str, str],
    *,
    why: str,
    title: str,
    key: str = "",
) -> Proposal:
    """Commit checked files on the open draft; return the proposal that supersedes the current one.

    `title` is the commit's first line, `why` a sentence below it. The same `key` (without one, the same files) in the
    same order is the same change, done once. Raises CannotError where the draft is not open, somebody pushed to it, or
    nothing would change.
    """
    told = Told(title=title, why=why)
    return carry_out(services, order, current, planned(services, current, files, told, key=key or _digest(files)))


def planned(services: Services, current: Proposal, files: Mapping[str, str], told: Told, *, key: str) -> Change:
    """Return the change that brings these files into a draft."""
    before = texts_before(services, current, files)
    return Change(
        key=key,
        told=structs.replace(told, diff=changes.diff_of(before, files)),
        files=dict(files),
        composition=recomposed(current.composition, files, before=before),
        before_id=current.id,
    )


def carry_out(services: Services, order: Order, current: Proposal, change: Change) -> Proposal:
    """Bring a change into the draft, once; an interrupted order goes on where it stood."""
    recorded = _recorded(services, order, current, change)
    if recorded.status != ProposalStatus.GENERATED:  # an earlier try brought it to its end
        return recorded
    sha = _committed(services, order, current, recorded, change)
    describe_change(services, current, recorded)
    with services.pool.connection() as connection:
        proposals.set_status(connection, current.id, ProposalStatus.SUPERSEDED)
        return proposals.set_opened(
            connection, recorded.id, commit_id=sha, merge_request_iid=current.merge_request_iid or 0
        )


def find_change(services: Services, order: Order, key: str) -> Proposal | None:
    """Return the change that an earlier try of the order brought to its end."""
    with services.pool.connection() as connection:
        found = proposals.find_by_order(connection, order.id, key)
    return found if found is not None and found.status != ProposalStatus.GENERATED else None


def _recorded(services: Services, order: Order, current: Proposal, change: Change) -> Proposal:
    """Remember the change before any effect on GitLab."""
    with services.pool.connection() as connection:
        earlier = proposals.find_by_order(connection, order.id, change.key)
        cut_off = proposals.unfinished_change(connection, order.id)
    if earlier is not None:
        return earlier
    _require_open(current)
    if cut_off is not None:
        _give_up(services, order, cut_off)
    if not _changes_something(current, change):
        raise CannotError("that would change nothing in the draft.")
    to = Destination(project_id=current.project_id, project_path=order.project.path, branch=current.target_branch)
    change = structs.replace(change, composition=vetted(services, to, change.composition))
    with services.pool.connection() as connection:
        return proposals.add(connection, _new(order, current, change))


def _new(order: Order, current: Proposal, change: Change) -> NewProposal:
    files = change.composition.files
    return NewProposal(
        conversation_id=current.conversation_id,
        order_id=order.id,
        repo_url=current.repo_url,
        dockerfile=dockerfile_in(files),
        gitlab_ci=files.get(CI_FILE),
        project_id=current.project_id,
        target_branch=current.target_branch,
        source_branch=current.source_branch,
        is_internal=current.is_internal,
        requested_by_id=order.person.id,
        requested_by=order.person.username,
        survey=change.survey or current.survey,
        composition=change.composition,
        before_id=change.before_id,
        change_key=change.key,
        change_title=change.told.title,
        change_why=change.told.why,
        change_notes=change.told.notes,
        change_diff=change.told.diff,
    )


def _changes_something(current: Proposal, change: Change) -> bool:
    files = current.composition.files
    return bool(change.removed) or any(files.get(path) != text for path, text in change.files.items())


def _require_open(current: Proposal) -> None:
    if current.status not in _OPEN or current.merge_request_iid is None:
        raise CannotError(f"the draft is {current.status}, so it can no longer be changed.")


def _give_up(services: Services, order: Order, cut_off: Proposal) -> None:
    """An earlier try of this order wanted something else: leave that, unless its commit is on the branch already."""
    message = _message(order, cut_off)
    made = services.gitlab.commit_by_message(cut_off.project_id, cut_off.source_branch, message)
    with services.pool.connection() as connection:
        current = proposals.open_for_conversation(connection, cut_off.conversation_id)
        if made is None or current is None or not is_on(made, current.commit_id or ""):
            proposals.set_status(connection, cut_off.id, ProposalStatus.FAILED)
            return
        proposals.set_status(connection, current.id, ProposalStatus.SUPERSEDED)
        iid = current.merge_request_iid or 0
        proposals.set_opened(connection, cut_off.id, commit_id=made.sha, merge_request_iid=iid)
    raise CannotError(
        f"I was interrupted after this change was made: {cut_off.change_title}. Look at it, then ask for what is "
        f"missing, or take it back with `{services.mention} undo`."
    )


def _committed(services: Services, order: Order, current: Proposal, recorded: Proposal, change: Change) -> str:
    """Commit once: an interrupted order finds the commit it made, by its message."""
    writing = Writing(
        project_id=current.project_id,
        branch=current.source_branch,
        base=current.commit_id or "",
        message=_message(order, recorded),
        files=change.files,
        existing=_existing(services, current, change),
        removed=change.removed,
    )
    made = earlier_commit(services, order, writing)
    if made is None:
        require_untouched(services, current)
        _disarm(services, current)
        made = commit(services, writing)
    if is_on(made, writing.base):
        return made.sha
    with services.pool.connection() as connection:
        proposals.set_status(connection, recorded.id, ProposalStatus.FAILED)
    raise pushed_between(writing.branch, made, services.mention)


def _disarm(services: Services, current: Proposal) -> None:
    """A merge that waits for its pipeline must not take the new commit along: only the old one was approved."""
    if current.status != ProposalStatus.APPROVED:
        return
    if not services.gitlab.cancel_auto_merge(current.project_id, current.merge_request_iid or 0):
        raise CannotError("the draft was merged a moment ago, so it can no longer be changed.")


def _existing(services: Services, current: Proposal, change: Change) -> set[str]:
    return set(texts_before(services, current, change.files))


def texts_before(services: Services, proposal: Proposal, paths: Iterable[str]) -> dict[str, str]:
    """Return the texts of files as they stand in a proposal's commit; those that are not there are left out."""
    known = proposal.composition.files
    texts = {path: known[path] if path in known else _read(services, proposal, path) for path in paths}
    return {path: text for path, text in texts.items() if text is not None}


def _read(services: Services, proposal: Proposal, path: str) -> str | None:
    return services.gitlab.read_file(proposal.project_id, proposal.commit_id or proposal.source_branch, path)


def _message(order: Order, recorded: Proposal) -> str:
    trail = f"Changed by Pipewright, order {order.id}, change {recorded.change_key[:16]}."
    title, why = commit_line(recorded.change_title), commit_line(recorded.change_why, 500)
    return "\n\n".join(part for part in (title, why, trail) if part)


def _digest(files: Mapping[str, str]) -> str:
    return hashlib.sha256(msgspec.json.encode(dict(files), order="sorted")).hexdigest()
