"""The tools that change the draft by typed operations: code edits the files, the check ladder judges, people see what.

The model names operations and values; it never writes YAML, and nothing it says reaches a file it did not name.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from bot.agent.tool import Tool
from bot.ci.asked import DOCKER, Operation, Outcome, apply_operations, read_operations
from bot.ci.compose import CI_FILE
from bot.domain import AccessLevel, CannotError, Finding, JobRow, ToolError
from bot.proposals.change import checked, find_change
from bot.proposals.draft import Told
from bot.proposals.order import Order
from bot.proposals.prepare import Prepared
from bot.proposals.rights import require
from bot.proposals.start import Start, open_changed, start
from bot.proposals.undo import may_undo, undo
from bot.replies import changes
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import Proposal
from bot.tools import specs

# The first try, and two more with what was wrong.
MOST_TRIES = 3
MOST_NAMED = 40


class EditingTools:
    """Changes of the draft for one order.

    `prepared` gives what was composed in this order and not opened yet; `on_opened` hears of the changed draft.
    """

    def __init__(
        self,
        services: Services,
        order: Order,
        prepared: Callable[[], Prepared | None],
        on_opened: Callable[[Proposal], None],
    ) -> None:
        self._services = services
        self._order = order
        self._prepared = prepared
        self._on_opened = on_opened
        self._failures = 0

    def all(self) -> tuple[Tool, ...]:
        """Return the tools."""
        return (
            Tool(spec=specs.EDIT, call=self._edit, has_effect=True, is_legal=self._may_edit),
            Tool(spec=specs.UNDO, call=self._undo, has_effect=True, is_legal=self._may_undo, defaults={"steps": 1}),
        )

    def _may_edit(self) -> bool:
        return self._failures < MOST_TRIES

    def _may_undo(self) -> bool:
        return may_undo(self._services, self._order)

    def _edit(self, arguments: dict[str, object]) -> str:
        self._require_developer()
        given = arguments["operations"]
        try:
            opened = self._changed(list(given) if isinstance(given, list | tuple) else [])
        except CannotError as cannot:
            raise self._told(cannot) from cannot
        self._on_opened(opened)
        return f"Done: {opened.change_title}. The draft shows it; a person must approve it. Now tell the person."

    def _told(self, cannot: CannotError) -> ToolError:
        """What was wrong goes back to the model at most twice."""
        self._failures += 1
        if self._failures < MOST_TRIES:
            return ToolError(f"nothing was changed: {cannot}\nMend the operations and call edit_pipeline again.")
        return ToolError(f"nothing was changed: {cannot}\nDo not try again. Tell the person what did not work.")

    def _changed(self, given: Sequence[object]) -> Proposal:
        operations = read_operations(given)
        key = _key(given)
        done = find_change(self._services, self._order, key)
        if done is not None:
            return done
        begun = start(self._services, self._order, _files_of(operations), self._prepared())
        outcome = apply_operations(begun.files, operations)
        flagged = self._flagged(begun, outcome)
        told = Told(title="; ".join(outcome.said), notes=changes.notes_of(outcome.notes, flagged))
        return open_changed(self._services, self._order, begun, outcome.files, told, key=key)

    def _flagged(self, begun: Start, outcome: Outcome) -> tuple[Finding, ...]:
        """Climb the ladder with what changed; return what policy says about it."""
        before: Mapping[str, str] = {path: text for path, text in begun.files.items() if path in outcome.files}
        found = checked(self._services, self._order.project.id, outcome.files, before=before)
        return (*outcome.findings, *found)

    def _undo(self, arguments: dict[str, object]) -> str:
        self._require_developer()
        steps = arguments.get("steps")
        try:
            opened = undo(self._services, self._order, steps=steps if isinstance(steps, int) else 1)
        except CannotError as cannot:
            raise ToolError(str(cannot)) from cannot
        self._on_opened(opened)
        return f"Done: {opened.change_title}. Now tell the person."

    def _require_developer(self) -> None:
        try:
            require(self._services, self._order, AccessLevel.DEVELOPER, "change the draft")
        except CannotError as cannot:
            raise ToolError(f"the person may not do that: {cannot}") from cannot


def _files_of(operations: Sequence[Operation]) -> set[str]:
    """Return the files that operations name, beside the pipeline itself."""
    named = {one.file for one in operations if one.file}
    docker = {one.operation for one in operations} & set(DOCKER)
    return named | ({"Dockerfile", ".dockerignore"} if docker else set()) - {CI_FILE}


def _key(given: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()


def changed_before(services: Services, order: Order) -> Proposal | None:
    """Return the last change that an interrupted try of the order brought into the draft."""
    if order.attempts <= 1:
        return None
    with services.pool.connection() as connection:
        made = proposals.changes_of_order(connection, order.id)
    return made[-1] if made else None


def outline(services: Services, order: Order) -> str:
    """Return the open draft's jobs in a few lines for the model, nothing where there is no draft."""
    with services.pool.connection() as connection:
        current = proposals.open_for_conversation(connection, order.conversation_id)
    if current is None:
        return ""
    rows = [_outlined(row) for row in current.composition.jobs]
    names = [*rows, *(f"{name} (was there before)" for name in current.composition.kept)]
    files = ", ".join(sorted(current.composition.files))
    return f"files: {files}; jobs: {', '.join(names[:MOST_NAMED])}"


def _outlined(row: JobRow) -> str:
    file = f"file {row.file}, " if row.file else ""
    return f"{row.name} ({file}stage {row.stage}, image {row.image or 'default'})"
