"""The tools, bound to one order: the model can choose what, never where or as whom."""

from collections.abc import Mapping

from bot.agent.tool import Tool
from bot.ci.children import is_pipeline
from bot.domain import AccessLevel, CannotError, ToolError
from bot.gitlab.answers import RefusedError
from bot.proposals import draft
from bot.proposals.order import Order
from bot.proposals.prepare import Prepared, prepare
from bot.proposals.rights import require_person
from bot.proposals.status import branch_status
from bot.replies.texts import fact_list
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import Proposal
from bot.tools import specs
from bot.tools.editing import EditingTools, changed_before
from bot.tools.explaining import explaining_tool
from bot.tools.guessing import with_guesses
from bot.tools.search import found_blocks

MOST_CHARACTERS = 6_000
MOST_FILES = 200


class ProjectTools:
    """What the model may do for one order; remembers the draft it opened so that the reply can show it."""

    def __init__(self, services: Services, order: Order, words: str) -> None:
        self._services = services
        self._order = order
        self._words = words
        self._prepared: Prepared | None = None
        self._before = self._made_before()
        self.opened: Proposal | None = self._before if self._before and self._before.merge_request_iid else None
        self.opened = changed_before(services, order) or self.opened
        self._editing = EditingTools(services, order, lambda: self._prepared, self._set_opened)
        self.statuses: list[str] = []

    def all(self) -> Mapping[str, Tool]:
        """Return the tools by name."""
        here: Mapping[str, object] = {"repo_url": self._order.project.web_url}
        offered = (
            Tool(spec=specs.GENERATE, call=self._generate, defaults=here),
            Tool(spec=specs.COMMIT, call=self._commit, has_effect=True, is_legal=self._may_commit, defaults=here),
            Tool(spec=specs.STATUS, call=self._status, defaults={**here, "branch": ""}),
            Tool(spec=specs.READ_FILE, call=self._read_file),
            Tool(spec=specs.LIST_FILES, call=self._list_files, defaults={"folder": ""}),
            Tool(spec=specs.SEARCH_TEMPLATES, call=self._search),
            explaining_tool(self._services, self._order),
            *self._editing.all(),
        )
        return {tool.spec.name: tool for tool in offered}

    def _set_opened(self, proposal: Proposal) -> None:
        self.opened = proposal

    def _may_commit(self) -> bool:
        return (self._prepared or self._before) is not None and self.opened is None

    def _made_before(self) -> Proposal | None:
        """Return what an interrupted try of this order made: its results are known to the model already."""
        if self._order.attempts <= 1:
            return None
        with self._services.pool.connection() as connection:
            return proposals.find_by_order(connection, self._order.id)

    def _generate(self, arguments: dict[str, object]) -> str:
        self._same_project(arguments)
        self._require(AccessLevel.DEVELOPER, "ask for a pipeline")
        try:
            prepared = prepare(self._services, self._order.project.id, self._words)
        except CannotError as cannot:
            raise ToolError(str(cannot)) from cannot
        self._prepared = with_guesses(self._services, prepared, self._words)
        draft.record(self._services, self._order, self._prepared)
        jobs = ", ".join(job.name for job in self._prepared.composition.jobs)
        return f"Composed {', '.join(self._prepared.composition.files)} with the jobs {jobs}.\n{self._facts()}"

    def _facts(self) -> str:
        return fact_list(self._prepared.survey) if self._prepared else ""

    def _commit(self, arguments: dict[str, object]) -> str:
        self._same_project(arguments)
        self._require(AccessLevel.DEVELOPER, "ask for a draft")
        if self._prepared is None and self._before is None:
            raise ToolError("call generate_pipeline first")
        if self.opened is not None:
            raise ToolError("the draft is open already; answer now")
        try:
            prepared = self._prepared or prepare(self._services, self._order.project.id, self._words)
            proposal = draft.record(self._services, self._order, prepared)
            self.opened = draft.open_draft(self._services, self._order, proposal, prepared)
        except CannotError as cannot:
            raise ToolError(str(cannot)) from cannot
        return f"Opened draft merge request {self.opened.merge_request_iid}. A person must approve it."

    def _status(self, arguments: dict[str, object]) -> str:
        self._same_project(arguments)
        self._require(AccessLevel.REPORTER, "ask for the status")
        branch = str(arguments.get("branch", "")) or None
        try:
            told = branch_status(self._services, self._order.project.id, branch)
        except CannotError as cannot:
            raise ToolError(str(cannot)) from cannot
        self.statuses.append(told)
        return told

    def _read_file(self, arguments: dict[str, object]) -> str:
        self._require(AccessLevel.REPORTER, "read files")
        path = str(arguments["path"]).lstrip("/")
        text = self._in_draft(path)
        if text is None:
            text = self._in_repository(path)
        if text is None:
            raise ToolError(f"there is no text file {path!r}; list_files shows what there is")
        return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "\n… (cut)"

    def _in_draft(self, path: str) -> str | None:
        """What the draft changes is read as the draft has it."""
        if not is_pipeline(path) and "Dockerfile" not in path and not path.endswith(".dockerignore"):
            return None
        with self._services.pool.connection() as connection:
            current = proposals.open_for_conversation(connection, self._order.conversation_id)
        return current.composition.files.get(path) if current else None

    def _in_repository(self, path: str) -> str | None:
        try:
            return self._services.gitlab.read_file(self._order.project.id, self._default_branch(), path)
        except RefusedError as refused:
            if refused.status != 400:  # said of a path that no file can have
                raise
            return None

    def _list_files(self, arguments: dict[str, object]) -> str:
        self._require(AccessLevel.REPORTER, "read files")
        folder = str(arguments["folder"]).strip("/")
        folder = "" if folder == "." else folder.removeprefix("./")
        paths = self._services.gitlab.tree(self._order.project.id, self._default_branch())
        inside = [path for path in paths if not folder or path.startswith(folder + "/")]
        if not inside:
            raise ToolError(f"there is nothing below {folder!r}")
        more = f"\n… and {len(inside) - MOST_FILES} more" if len(inside) > MOST_FILES else ""
        return "\n".join(inside[:MOST_FILES]) + more

    def _search(self, arguments: dict[str, object]) -> str:
        words = str(arguments["query"])
        return found_blocks(self._services, self._order.project.id, words) or "nothing fits"

    def _default_branch(self) -> str:
        branch = self._services.gitlab.project(self._order.project.id).default_branch
        if branch is None:
            raise ToolError("the repository is empty")
        return branch

    def _same_project(self, arguments: dict[str, object]) -> None:
        """A model that was talked into another project's address gets nowhere."""
        asked = str(arguments.get("repo_url", "")).strip().rstrip("/").removesuffix(".git").lower()
        project = self._order.project
        if asked not in {project.web_url.rstrip("/").lower(), project.path.lower()}:
            raise ToolError(f"only this conversation's project is within reach: {project.web_url}")

    def _require(self, level: AccessLevel, what: str) -> None:
        try:
            require_person(self._services, self._order, level, what)
        except CannotError as cannot:
            raise ToolError(f"the person may not do that: {cannot}") from cannot
