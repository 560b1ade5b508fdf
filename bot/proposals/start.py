"""Where a change begins: at the conversation's open draft, at the project's own pipeline, or at a fresh composition."""

from collections.abc import Iterable

from msgspec import Struct, structs

from bot.ci.changed import recomposed
from bot.ci.compose import CI_FILE
from bot.domain import CannotError, Composition
from bot.proposals import draft
from bot.proposals.change import carry_out, planned, texts_before
from bot.proposals.draft import Told
from bot.proposals.order import Order
from bot.proposals.prepare import Prepared, prepare, prepared_with, read_project
from bot.replies import changes
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import Proposal
from bot.survey.report import survey


class Start(Struct, frozen=True, kw_only=True):
    """The texts to change, by path; either the draft they are in, or what a first draft would hold."""

    files: dict[str, str]
    current: Proposal | None = None
    prepared: Prepared | None = None


def start(services: Services, order: Order, paths: Iterable[str], prepared: Prepared | None = None) -> Start:
    """Return where a change of these files begins; `prepared` is what was composed in this order and not opened yet."""
    with services.pool.connection() as connection:
        current = proposals.open_for_conversation(connection, order.conversation_id)
    wanted = sorted({CI_FILE, *paths})
    if current is not None:
        texts = {**current.composition.files, **texts_before(services, current, wanted)}
        return Start(files=texts, current=current)
    return _fresh(services, prepared or _prepared(services, order), wanted)


def open_changed(
    services: Services, order: Order, begun: Start, files: dict[str, str], told: Told, *, key: str
) -> Proposal:
    """Bring changed files into the open draft, or open a first draft with them."""
    if begun.current is not None:
        return carry_out(services, order, begun.current, planned(services, begun.current, files, told, key=key))
    if begun.prepared is None:
        raise CannotError("there is nothing to change yet.")
    old = begun.prepared.composition
    before = {path: text for path, text in begun.files.items() if path in files}
    composition = recomposed(old, files, before=begun.files)
    prepared = structs.replace(begun.prepared, composition=composition)
    told = structs.replace(told, diff=changes.diff_of(before, files))
    return draft.open_draft(services, order, draft.record(services, order, prepared, told), prepared)


def _prepared(services: Services, order: Order) -> Prepared:
    """A pipeline that is there is changed as it is; only where there is none, one is composed first."""
    read = read_project(services, order.project.id)
    if read.snapshot.read(CI_FILE) is None:
        return prepare(services, order.project.id, "")
    kept = tuple(row.name for row in recomposed(_NOTHING, {CI_FILE: read.snapshot.texts[CI_FILE]}, before={}).jobs)
    return prepared_with(read, survey(read.snapshot), structs.replace(_NOTHING, kept=kept))


_NOTHING = Composition(files={}, jobs=(), sources=())


def _fresh(services: Services, prepared: Prepared, wanted: Iterable[str]) -> Start:
    files = dict(prepared.composition.files)
    for path in wanted:
        if path not in files and path in prepared.paths:
            text = services.gitlab.read_file(prepared.project.id, prepared.base_sha, path)
            if text is not None:
                files[path] = text
    return Start(files=files, prepared=prepared)
