"""The commands about the draft's pipeline: run its failed jobs again, or stop it."""

from bot.domain import FINAL_PIPELINE_STATUSES, AccessLevel, CannotError, ProposalStatus
from bot.gitlab.values import Pipeline
from bot.handlers.orders import required_proposal
from bot.handlers.reply import Answering
from bot.proposals import note
from bot.proposals.order import Order
from bot.proposals.rights import require
from bot.proposals.status import refreshed
from bot.replies import progress
from bot.services import Services
from bot.store.proposals import Proposal

_TO_RUN_AGAIN = frozenset({"failed", "canceled"})
_WHERE = "of the draft"


def retry(services: Services, order: Order, reply: Answering) -> None:
    """Run the failed jobs of the draft's pipeline again; say why where there are none."""
    proposal, run = _pipeline_of(services, order, "retry a pipeline")
    if any(job.status in _TO_RUN_AGAIN for job in services.gitlab.jobs(proposal.project_id, run.id)):
        run = services.gitlab.retry_pipeline(proposal.project_id, run.id)
    elif order.attempts <= 1:  # else an earlier, interrupted try of this order may have begun them
        raise CannotError(progress.nothing_to_retry(_line(run), _what_else(services, proposal)))
    reply.show(_line(run))


def cancel(services: Services, order: Order, reply: Answering) -> None:
    """Stop the running pipeline of the draft; say why where it does not run."""
    proposal, run = _pipeline_of(services, order, "cancel a pipeline")
    if run.status not in FINAL_PIPELINE_STATUSES:
        run = services.gitlab.cancel_pipeline(proposal.project_id, run.id)
    elif order.attempts <= 1:
        raise CannotError(progress.nothing_to_cancel(_line(run), _what_else(services, proposal)))
    reply.show(_line(run))


def _pipeline_of(services: Services, order: Order, what: str) -> tuple[Proposal, Pipeline]:
    require(services, order, AccessLevel.DEVELOPER, what)
    proposal = refreshed(services, required_proposal(services, order))
    if proposal.pipeline_id is None:
        raise CannotError("no pipeline has run for the draft yet.")
    return proposal, services.gitlab.pipeline(proposal.project_id, proposal.pipeline_id)


def _line(run: Pipeline) -> str:
    return progress.pipeline_line(run.status, run.web_url, where=_WHERE)


def _what_else(services: Services, proposal: Proposal) -> str:
    """Say of a draft that is no longer open where to go on."""
    if proposal.status == ProposalStatus.COMMITTED:
        return progress.only_of_draft(note.pipeline_after_merge(proposal))
    if proposal.status == ProposalStatus.REJECTED:
        return progress.make_another(services.mention)
    return ""
