"""One request to the API: who asks, with which parameters, and how an answer is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from bot.sandbox import acts
from bot.sandbox.acts import message
from bot.sandbox.state import MergeRequest, Note, Noteable, NoteableKind, Pipeline, Project, Token, User, World

Row = TypeVar("Row")
_KINDS: dict[str, NoteableKind] = {"issues": "issue", "merge_requests": "merge_request"}
_MOST_ROWS = 100


@dataclass
class Answer:
    """What goes back; `body` is JSON unless it is bytes."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """A request, authenticated; `ids` come from the path, `params` from the query and the body alike."""

    world: World
    token: Token
    path: str
    ids: dict[str, str]
    params: dict[str, Any]

    @property
    def user(self) -> User:
        """Who asks."""
        return self.token.user

    @property
    def project(self) -> Project:
        """The project of the path; what one may not see is not found."""
        found = self.world.project_at(self.ids["project"])
        if found is None or not acts.may_see(found, self.user):
            raise message(404, "404 Project Not Found")
        return found

    @property
    def noteable(self) -> Noteable:
        """The issue or merge request of the path."""
        return acts.find(self.project, _KINDS[self.ids["kind"]], self.number("iid"), self.user)

    @property
    def merge_request(self) -> MergeRequest:
        """The merge request of the path."""
        found = acts.find(self.project, "merge_request", self.number("iid"), self.user)
        assert isinstance(found, MergeRequest)  # asked for by kind
        return found

    @property
    def note(self) -> Note:
        """The note of the path."""
        wanted = self.number("note")
        found = next((one for one in self.noteable.notes if one.id == wanted), None)
        if found is None or (found.is_internal and acts.level(self.project, self.user) < 15):
            raise message(404, "404 Note Not Found")
        return found

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline of the path."""
        wanted = self.number("pipeline")
        found = next((one for one in self.project.pipelines if one.id == wanted), None)
        if found is None:
            raise message(404, "404 Pipeline Not Found")
        return found

    def number(self, name: str) -> int:
        """Return a number of the path."""
        if not self.ids[name].isdigit():
            raise acts.ApiError(400, {"error": f"{name} is invalid"})
        return int(self.ids[name])

    def text(self, name: str) -> str | None:
        """Return a parameter as text."""
        value = self.params.get(name)
        return None if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Return a parameter as a truth value; null counts as false."""
        return str(self.params.get(name)).lower() in ("true", "1")

    def require(self, *names: str) -> None:
        """Refuse like Grape when parameters are missing."""
        missing = [f"{name} is missing" for name in names if self.params.get(name) is None]
        if missing:
            raise acts.ApiError(400, {"error": ", ".join(missing)})

    def need_level(self, level: int) -> None:
        """Refuse with 403 whoever has a lower role."""
        if acts.level(self.project, self.user) < level:
            raise message(403, "403 Forbidden")


def paged(call: Call, rows: Sequence[Row], shape: Callable[[Row], Any]) -> Answer:
    """Return one page with GitLab's headers; 20 rows unless asked, 100 at most."""
    size = min(max(int(call.params.get("per_page") or 20), 1), _MOST_ROWS)
    page = max(int(call.params.get("page") or 1), 1)
    pages = max(-(-len(rows) // size), 1)
    chosen = rows[(page - 1) * size : page * size]
    following = str(page + 1) if page < pages else ""
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Next-Page": following,
        "X-Prev-Page": str(page - 1) if page > 1 else "",
        "X-Total": str(len(rows)),
        "X-Total-Pages": str(pages),
        "Link": _links(call, page, pages, size),
    }
    return Answer(200, [shape(row) for row in chosen], headers)


def _links(call: Call, page: int, pages: int, size: int) -> str:
    places = {"prev": page - 1 if page > 1 else None, "next": page + 1 if page < pages else None}
    places |= {"first": 1, "last": pages}
    query = {key: value for key, value in call.params.items() if isinstance(value, str) and key != "page"}
    links = []
    for rel, number in places.items():
        if number is not None:
            asked = urlencode({**query, "page": number, "per_page": size})
            links.append(f'<{call.world.base_url}/api/v4{call.path}?{asked}>; rel="{rel}"')
    return ", ".join(links)
