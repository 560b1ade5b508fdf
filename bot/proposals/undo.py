"""Takes the last changes of the open draft back: a new commit that brings the state before them, step by step."""

from bot.domain import CannotError
from bot.proposals.change import Change, carry_out, texts_before
from bot.proposals.draft import Told
from bot.proposals.order import Order
from bot.replies import changes
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import Proposal

_KEY = "undo"
MOST_STEPS = 5


def undo(services: Services, order: Order, *, steps: int = 1) -> Proposal:
    """Return the draft to the state before its last change, or so many changes back; once for each order.

    Undoing again goes further back. Raises CannotError when there is nothing to undo.
    """
    with services.pool.connection() as connection:
        done = proposals.find_by_order(connection, order.id, _KEY)
        current = proposals.open_for_conversation(connection, order.conversation_id)
    if current is None:
        raise CannotError(f"there is no open draft to change. `{services.mention} generate` makes one.")
    if done is not None and done.id == current.id:
        return done
    target = _target(services, current, steps)
    return carry_out(services, order, current, _change(services, current, target))


def may_undo(services: Services, order: Order) -> bool:
    """Tell whether the conversation's open draft has a state to go back to."""
    with services.pool.connection() as connection:
        current = proposals.open_for_conversation(connection, order.conversation_id)
    return current is not None and current.before_id is not None


def _target(services: Services, current: Proposal, steps: int) -> Proposal:
    target = current
    for _ in range(min(max(steps, 1), MOST_STEPS)):
        if target.before_id is None:
            if target is not current:  # fewer changes than steps: the first state is as far back as one can go
                return target
            raise CannotError(
                "there is nothing to undo: the draft stands as I first opened it. "
                f"`{services.mention} reject` closes it."
            )
        with services.pool.connection() as connection:
            target = proposals.get(connection, target.before_id)
    return target


def _change(services: Services, current: Proposal, target: Proposal) -> Change:
    now, then = current.composition.files, target.composition.files
    there = texts_before(services, target, sorted({*now, *then}))
    files = {path: text for path, text in there.items() if now.get(path) != text}
    title = f"undid: {current.change_title}" if current.change_title else "undid the last change"
    diff = changes.diff_of(texts_before(services, current, sorted({*now, *then})), there)
    return Change(
        key=_KEY,
        told=Told(title=title, diff=diff),
        files=files,
        removed=tuple(sorted(set(now) - set(there))),
        composition=target.composition,
        before_id=target.before_id,
        survey=target.survey,
    )
