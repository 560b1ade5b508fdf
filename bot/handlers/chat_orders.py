"""The commands of a talk over our own address: the same as in a comment, with the answer told instead of noted."""

from collections.abc import Callable, Mapping

from bot.domain import AccessLevel, CannotError
from bot.handlers import explaining, orders, running
from bot.handlers.reply import Answering
from bot.proposals import draft, note
from bot.proposals.command import Command, CommandName
from bot.proposals.order import Order
from bot.proposals.prepare import prepare
from bot.proposals.rights import require, require_person
from bot.proposals.status import branch_status
from bot.proposals.undo import undo
from bot.replies import texts
from bot.services import Services
from bot.store.proposals import Proposal
from bot.tools.guessing import with_guesses

_ONLY_READS = frozenset({"help", "status", "explain"})


class Told:
    """An answer that is told, not written into a note; `said` is the last text, stages go to `on_step`."""

    def __init__(self, on_step: Callable[[str], None]) -> None:
        self._on_step = on_step
        self.said = ""

    def show(self, markdown: str) -> int:
        """Keep this text as the answer; there is no note, so its id is 0."""
        self.said = markdown
        return 0

    def show_working(self, stage: str) -> None:
        """Tell what is being done now."""
        self._on_step(stage)


def carry_out(services: Services, order: Order, command: Command, on_step: Callable[[str], None]) -> str:
    """Do what the person ordered and return the answer. Raises CannotError."""
    if not order.may_change and command.name not in _ONLY_READS:
        raise CannotError("the token only reads; to change something it needs the scope `api`.")
    told = Told(on_step)
    _CARRY_OUT[command.name](services, order, command.rest, told)
    return told.said


def _help(services: Services, _order: Order, _rest: str, told: Answering) -> None:
    told.show(texts.help_text(services.mention))


def _status(services: Services, order: Order, rest: str, told: Answering) -> None:
    branch = orders.branch_named(rest)
    proposal = None if branch else orders.newest_proposal(services, order)
    if proposal is not None:
        told.show(orders.proposal_status(services, proposal))
    else:
        told.show(branch_status(services, order.project.id, branch))


def _generate(services: Services, order: Order, words: str, told: Answering) -> None:
    require_person(services, order, AccessLevel.DEVELOPER, "ask for a pipeline")
    told.show_working("I'm reading the repository.")
    prepared = with_guesses(services, prepare(services, order.project.id, words), words)
    proposal = draft.record(services, order, prepared)
    told.show_working(f"I read {len(prepared.paths)} files and am opening the draft merge request.")
    told.show(_shown(services, draft.open_draft(services, order, proposal, prepared)))


def _undo(services: Services, order: Order, _rest: str, told: Answering) -> None:
    require(services, order, AccessLevel.DEVELOPER, "change the draft")
    told.show(_shown(services, undo(services, order)))


def _shown(services: Services, proposal: Proposal) -> str:
    parts = (note.standing(services, proposal), draft.summary(proposal, services.mention))
    return "\n\n".join(part for part in parts if part)


_CARRY_OUT: Mapping[CommandName, Callable[[Services, Order, str, Answering], None]] = {
    "help": _help,
    "generate": _generate,
    "status": _status,
    "approve": orders.approve,
    "reject": lambda services, order, _, told: orders.reject(services, order, told),
    "retry": lambda services, order, _, told: running.retry(services, order, told),
    "cancel": lambda services, order, _, told: running.cancel(services, order, told),
    "undo": _undo,
    "explain": explaining.explain,
    "repair": lambda services, order, _, told: explaining.carry_out_repair(services, order, told),
}
