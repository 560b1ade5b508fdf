"""Repairs the bot's own draft while its pipeline is red: finds the cause, makes a typed edit, commits it on the draft.

Never on another's branch, never twice for the same failure, at most three times, and no gate gets weaker. What is not
the pipeline's fault is told and left alone. Everything is stored before GitLab sees an effect.
"""

import msgspec
from msgspec import Struct

from bot.ci.compose import CI_FILE
from bot.domain import CannotError, ProposalStatus
from bot.failures.diagnosis import Diagnosis
from bot.failures.mending import Mended, mend
from bot.gitlab.values import Pipeline
from bot.proposals.change import change_draft, checked, find_change
from bot.proposals.explain import Explained, explain_pipeline, scene_of
from bot.proposals.order import Order
from bot.proposals.policy import POLICY_PATH, read_policy
from bot.proposals.status import pipeline_of
from bot.replies import changes
from bot.services import Services
from bot.store import proposals, repairs
from bot.store.proposals import Proposal
from bot.store.repairs import Outcome, Repair

MOST_REPAIRS = 3
_OPEN = (ProposalStatus.PROPOSED, ProposalStatus.APPROVED)
_NOT_OURS = {
    "project": "this is the project's own matter, not the pipeline's.",
    "infrastructure": "this is the matter of whoever runs the runners; no change of the pipeline mends it.",
    "security": "this is about security, which I leave to people.",
    "unknown": "I don't know what would mend it.",
}


class Plan(Struct, frozen=True, kw_only=True):
    """A repair that passed every check: the new texts, what it mends, and how its commit is called."""

    files: dict[str, str]
    title: str
    diff: str
    mends: tuple[Diagnosis, ...]


def repair(
    services: Services, order: Order, proposal: Proposal, pipeline_id: int, *, is_asked: bool = False
) -> Proposal:
    """Look at the failed pipeline of a draft's commit and mend what may be mended; return the draft's state now.

    Safe to call again for the same order: what was done is found and only finished.
    """
    with services.pool.connection() as connection:
        known = repairs.for_pipeline(connection, proposal.project_id, pipeline_id)
    if known is not None and known.outcome in ("planned", "repaired"):
        done = find_change(services, order, _key(pipeline_id))
        if done is not None or known.outcome == "repaired":
            return _finished(services, known, proposal, done or proposal)
    is_resumed = known is not None and known.outcome == "planned" and known.order_id == order.id
    pipeline = services.gitlab.pipeline(proposal.project_id, pipeline_id)
    if proposal.commit_id is not None:  # one of merged results runs on a commit of its own
        pipeline = msgspec.structs.replace(pipeline, sha=proposal.commit_id)
    explained = explain_pipeline(services, proposal.project_id, pipeline)
    if not explained.diagnoses:
        return proposal
    try:
        plan = _plan(services, proposal, explained, is_resumed=is_resumed)
        is_allowed = is_asked or _mode(services, proposal) == "auto"
    except CannotError as refused:
        return _told(services, order, proposal, explained, str(refused))
    if not is_allowed:
        _keep(services, order, proposal, explained, "offered", plan)
        return proposal
    return _carried_out(services, order, proposal, explained, plan)


def _mode(services: Services, proposal: Proposal) -> str:
    return read_policy(services.gitlab.read_file(proposal.project_id, proposal.target_branch, POLICY_PATH)).repair


def _plan(services: Services, proposal: Proposal, explained: Explained, *, is_resumed: bool) -> Plan:
    """Return what to do; raise CannotError, whose words follow "I changed nothing: ", where that is nothing."""
    if _mode(services, proposal) == "off":
        raise CannotError(f"`{POLICY_PATH}` of this project switches repairs off.")
    _require_open(services, proposal)
    if not is_resumed:  # else the newer commit may be the one that an earlier try made
        _require_own_head(services, proposal)
    fresh = _not_seen(services, proposal, explained)
    ours = [each for each in fresh if each.nature == "pipeline"]
    if not ours:
        raise CannotError(_NOT_OURS[fresh[0].nature])
    scene = scene_of(services, proposal.project_id, explained.pipeline.sha, _written(proposal))
    mended = mend(ours, scene) if scene is not None else None
    if mended is None:
        raise CannotError("I know no safe change that mends this; a person has to look.")
    return _checked_plan(services, proposal, mended)


def _require_open(services: Services, proposal: Proposal) -> None:
    with services.pool.connection() as connection:
        current = proposals.open_for_conversation(connection, proposal.conversation_id)
    if current is None or current.id != proposal.id or proposal.status not in _OPEN:
        raise CannotError("the draft has changed since, or is closed.")


def _require_own_head(services: Services, proposal: Proposal) -> None:
    head = services.gitlab.branch_head(proposal.project_id, proposal.source_branch)
    if head != proposal.made_sha:
        raise CannotError("somebody else pushed to the draft, and I don't change people's work.")


def _not_seen(services: Services, proposal: Proposal, explained: Explained) -> list[Diagnosis]:
    made = [each for each in _history(services, proposal) if each.outcome in ("planned", "repaired")]
    made = [each for each in made if each.pipeline_id != explained.pipeline.id]
    if len(made) >= MOST_REPAIRS:
        raise CannotError(
            f"I repaired this draft {MOST_REPAIRS} times already and it is still red; a person has to look."
        )
    seen = {print_ for each in made for print_ in each.fingerprints}
    fresh = [each for each in explained.diagnoses if each.fingerprint not in seen]
    if not fresh:
        raise CannotError(
            "I changed something for exactly this failure before, and it did not help; a person has to look."
        )
    return fresh


def _history(services: Services, proposal: Proposal) -> list[Repair]:
    with services.pool.connection() as connection:
        return repairs.for_merge_request(connection, proposal.project_id, proposal.merge_request_iid or 0)


def _written(proposal: Proposal) -> str | None:
    return proposal.composition.files.get(CI_FILE)


def _checked_plan(services: Services, proposal: Proposal, mended: Mended) -> Plan:
    if mended.weaker:
        raise CannotError(f"the change I would make weakens a gate ({mended.weaker}), and I never do that.")
    checked(services, proposal.project_id, mended.after, before=mended.before)
    titles = list(dict.fromkeys(mended.titles))
    title = titles[0] if len(titles) == 1 else f"{titles[0]}, and {len(titles) - 1} more"
    diff = changes.diff_of(mended.before, mended.after)
    return Plan(files=mended.after, title=title, diff=diff, mends=mended.mends)


def _carried_out(services: Services, order: Order, proposal: Proposal, explained: Explained, plan: Plan) -> Proposal:
    planned = _keep(services, order, proposal, explained, "planned", plan)
    why = f"{plan.mends[0].job or 'The pipeline'} failed: {plan.mends[0].title}."
    try:
        changed = change_draft(
            services, order, proposal, plan.files, why=why, title=plan.title, key=_key(explained.pipeline.id)
        )
    except CannotError as refused:
        return _told(services, order, proposal, explained, str(refused))
    return _finished(services, planned, proposal, changed)


def _finished(services: Services, known: Repair, before: Proposal, changed: Proposal) -> Proposal:
    """Note the commit and let the note that showed the draft show the repaired one."""
    with services.pool.connection() as connection:
        if known.outcome == "planned":
            done = msgspec.structs.replace(known, outcome="repaired", new_sha=changed.commit_id or "")
            repairs.keep(connection, done)
        if changed.note_id is None and before.note_id is not None:
            changed = proposals.set_note(
                connection,
                changed.id,
                note_id=before.note_id,
                note_kind=before.note_kind or "",
                note_iid=before.note_iid or 0,
                introduction=before.introduction,
            )
    return changed


def _told(services: Services, order: Order, proposal: Proposal, explained: Explained, reason: str) -> Proposal:
    _keep(services, order, proposal, explained, "told", None, reason)
    return proposal


def _keep(
    services: Services,
    order: Order,
    proposal: Proposal,
    explained: Explained,
    outcome: Outcome,
    plan: Plan | None,
    reason: str = "",
) -> Repair:
    row = Repair(
        project_id=proposal.project_id,
        merge_request_iid=proposal.merge_request_iid or 0,
        conversation_id=proposal.conversation_id,
        order_id=order.id,
        pipeline_id=explained.pipeline.id,
        sha=explained.pipeline.sha,
        outcome=outcome,
        diagnoses=[msgspec.to_builtins(each) for each in explained.diagnoses],
        fingerprints=[each.fingerprint for each in plan.mends] if plan else [],
        title=plan.title if plan else "",
        diff=plan.diff if plan else "",
        reason=reason,
    )
    with services.pool.connection() as connection:
        repairs.keep(connection, row)
    return row


def _key(pipeline_id: int) -> str:
    return f"repair-{pipeline_id}"


def failed_pipeline(services: Services, proposal: Proposal) -> Pipeline:
    """Return the red pipeline of a draft's commit; raise CannotError where it is not red."""
    found = pipeline_of(services, proposal)
    if found is None or found.status != "failed":
        raise CannotError("the draft's pipeline is not red, so there is nothing to repair.")
    return found
