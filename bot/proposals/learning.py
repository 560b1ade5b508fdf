"""Lets a group learn from a proposal that was merged and whose pipeline then passed on the default branch."""

import structlog

from bot.domain import CannotError, ProposalStatus
from bot.services import Services
from bot.store import conversations
from bot.store.proposals import Proposal

log = structlog.get_logger()


def learn_from(services: Services, proposal: Proposal) -> None:
    """Learn once, unless the proposal is not green after its merge, or came from a confidential conversation.

    Raises UnreachableError when GitLab does not answer: the event comes again, and nothing is lost.
    """
    if proposal.status != ProposalStatus.COMMITTED or proposal.after_merge_status != "success" or proposal.is_internal:
        return
    if proposal.merged_sha is None or _is_confidential(services, proposal):
        return
    if services.examples.knows(proposal.project_id, proposal.merged_sha):
        return
    try:
        project = services.gitlab.project(proposal.project_id)
        if project.default_branch != proposal.target_branch:
            return
        is_fit = services.examples.learn(project, proposal.merged_sha, proposal.survey)
    except CannotError as cannot:  # nobody asked for it, so nobody is told
        log.warning("nothing is learned", project_id=proposal.project_id, detail=str(cannot))
        return
    log.info("a merged pipeline", project_id=proposal.project_id, is_learned=is_fit)


def _is_confidential(services: Services, proposal: Proposal) -> bool:
    with services.pool.connection() as connection:
        conversation = conversations.get(connection, proposal.conversation_id)
    return conversation is None or conversation.is_confidential
