"""What programs order in two steps: files are composed and looked at, and later opened as a draft merge request."""

from bot.domain import AccessLevel, CannotError, Chat, ChatMessage, ProposalStatus
from bot.handlers import chat, limits, memory
from bot.proposals import draft, note
from bot.proposals.order import Order
from bot.proposals.prepare import Prepared, prepare
from bot.replies import texts
from bot.services import Services
from bot.store import live, proposals
from bot.store.proposals import Proposal
from bot.tools.guessing import with_guesses

_OPEN = (ProposalStatus.PROPOSED, ProposalStatus.APPROVED)


def handle_composing(services: Services, event: Chat, order: Order) -> str:
    """Compose, or open what was composed, and answer; return a word for how it ended."""
    over = limits.too_much(services, order)
    if over is not None:
        chat.tell(services, order, over.text)
        return limits.LIMITED
    memory.begin(services, order, event.text)
    try:
        limits.check_length(services.settings, event.text)
        text, result = _carried_out(services, event, order), str(event.act)
    except CannotError as refused:
        text, result = texts.refusal(str(refused)), "refused"
    memory.keep(services, order, ChatMessage(role="assistant", content=text))
    chat.tell(services, order, text)
    return result


def _carried_out(services: Services, event: Chat, order: Order) -> str:
    if not order.may_change:
        raise CannotError("the token only reads; to change something it needs the scope `api`.")
    level = services.gitlab.access_level(order.project.id, order.person.id)
    if level < AccessLevel.DEVELOPER:
        raise CannotError(texts.strangers(level, AccessLevel.DEVELOPER, "ask for a pipeline"))
    if event.proposal_id is None:
        _say(services, event, "I'm reading the repository.")
        return _compose(services, order, event.text)
    _say(services, event, "I'm opening the draft merge request.")
    opened = _open(services, order, event)
    return "\n\n".join(filter(None, (note.standing(services, opened), draft.summary(opened, services.mention))))


def _say(services: Services, event: Chat, stage: str) -> None:
    with services.pool.connection() as connection:
        live.publish(connection, event.channel, "step", stage)


def _compose(services: Services, order: Order, words: str) -> str:
    """What was composed in an earlier try of the order is kept: its people may have seen it."""
    with services.pool.connection() as connection:
        earlier = proposals.find_by_order(connection, order.id)
    if earlier is not None:
        return _composed(earlier)
    return _composed(
        draft.record(services, order, with_guesses(services, prepare(services, order.project.id, words), words))
    )


def _composed(proposal: Proposal) -> str:
    jobs = ", ".join(f"`{job.name}`" for job in proposal.composition.jobs)
    files = ", ".join(f"`{path}`" for path in sorted(proposal.composition.files))
    return f"Composed {files} with the jobs {jobs}. Nothing is committed yet.\n\n{texts.fact_list(proposal.survey)}"


def _open(services: Services, order: Order, event: Chat) -> Proposal:
    with services.pool.connection() as connection:
        proposal = proposals.get(connection, event.proposal_id) if event.proposal_id else None
        current = proposals.open_for_conversation(connection, order.conversation_id, besides=event.proposal_id)
    if proposal is None or proposal.conversation_id != order.conversation_id:
        raise CannotError("what was composed belongs to another conversation.")
    if proposal.status in _OPEN:  # an earlier try, or an earlier request, opened it
        return proposal
    if proposal.status != ProposalStatus.GENERATED or not proposal.base_sha:
        raise CannotError(f"what was composed is {proposal.status} and can no longer be opened. Compose it again.")
    if current is not None and current.created_at > proposal.created_at:
        raise CannotError("a newer draft is open in this conversation. Compose again on top of it, or reject that one.")
    return draft.open_draft(services, order, proposal, _as_prepared(services, proposal))


def _as_prepared(services: Services, proposal: Proposal) -> Prepared:
    """What is committed stands on the commit that was read; what came after it is merged by GitLab, or conflicts."""
    return Prepared(
        project=services.gitlab.project(proposal.project_id),
        base_branch=proposal.target_branch,
        base_sha=proposal.base_sha,
        paths=services.gitlab.tree(proposal.project_id, proposal.base_sha),
        survey=proposal.survey,
        composition=proposal.composition,
    )
