"""The commands about failures: `explain` for any pipeline of the project, `repair` for the bot's own draft."""

from bot.domain import AccessLevel, CannotError
from bot.handlers.reply import Answering
from bot.proposals import note
from bot.proposals.explain import explained_text
from bot.proposals.order import Order
from bot.proposals.repair import failed_pipeline, repair
from bot.proposals.rights import require
from bot.proposals.which import newest_proposal
from bot.replies import progress
from bot.services import Services


def explain(services: Services, order: Order, words: str, reply: Answering) -> None:
    """Say why a pipeline, or one job of it, failed."""
    require(services, order, AccessLevel.REPORTER, "have a pipeline explained")
    reply.show_working("I'm reading the logs.")
    reply.show(explained_text(services, order, words))


def carry_out_repair(services: Services, order: Order, reply: Answering) -> None:
    """Mend the red pipeline of the conversation's draft on a person's word."""
    require(services, order, AccessLevel.DEVELOPER, "have a draft repaired")
    proposal = newest_proposal(services, order)
    if proposal is None:
        raise CannotError(progress.no_proposal(services.mention))
    reply.show_working("I'm reading the logs.")
    repaired = repair(services, order, proposal, failed_pipeline(services, proposal).id, is_asked=True)
    note.refresh(services, note.latest(services, repaired))
    reply.show(note.repair_story(services, repaired))
