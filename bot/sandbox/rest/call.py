"""One request to the API: who asks, with which parameters, and how an answer is made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

from bot.sandbox import acts, rights
from bot.sandbox.rights import message
from bot.sandbox.state import MergeRequest, Note, Noteable, NoteableKind, Pipeline, Project, Token, User, World

Row = TypeVar("Row")
_KINDS: dict[str, NoteableKind] = {"issues": "issue", "merge_requests": "merge_request"}
_MOST_ROWS = 100
_MOST_COUNTED = 10_000
_LONGEST_TITLE = 255
_LONGEST_DESCRIPTION = 1_048_576


@dataclass
class Answer:
    """What goes back; `body` is JSON unless it is bytes. With `is_cut` only half of it is sent."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False


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
        if found is None or not rights.may_see(found, self.user):
            raise message(404, "404 Project Not Found")
        return found

    @property
    def code(self) -> Project:
        """The project of the path, to read files of."""
        if not rights.may_read_code(self.project, self.user):
            raise message(403, "403 Forbidden")
        return self.project

    @property
    def runs(self) -> Project:
        """The project of the path, to read pipelines of (app/policies/project_policy.rb)."""
        if "builds" in self.project.off:
            raise message(403, "403 Forbidden")
        return self.project

    def need_open(self) -> None:
        """Refuse whatever would be written into an archived project (app/policies/project_policy.rb)."""
        if self.project.is_archived:
            raise message(403, "403 Forbidden")

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
        if found is None or (found.is_internal and rights.level(self.project, self.user) < 15):
            raise message(404, "404 Note Not Found")
        return found

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline of the path."""
        wanted = self.number("pipeline")
        found = next((one for one in self.runs.pipelines if one.id == wanted), None)
        if found is None:
            raise message(404, "404 Pipeline Not Found")
        return found

    def number(self, name: str) -> int:
        """Return a number of the path."""
        if not self.ids[name].isdigit():
            raise rights.ApiError(400, {"error": f"{name} is invalid"})
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
            raise rights.ApiError(400, {"error": ", ".join(missing)})

    def need_level(self, level: int) -> None:
        """Refuse with 403 whoever has a lower role."""
        if rights.level(self.project, self.user) < level:
            raise message(403, "403 Forbidden")


def paged(call: Call, rows: Sequence[Row], shape: Callable[[Row], Any]) -> Answer:
    """Return one page with GitLab's headers; 20 rows unless asked, 100 at most."""
    size = min(_whole_number(call, "per_page", 20), _MOST_ROWS)
    page = _whole_number(call, "page", 1)
    pages = max(-(-len(rows) // size), 1)
    chosen = rows[(page - 1) * size : page * size]
    following = str(page + 1) if page < pages else ""
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Next-Page": following,
        "X-Prev-Page": str(page - 1) if page > 1 else "",
        "Link": _links(call, page, pages, size, counts=len(rows) <= _MOST_COUNTED),
    }
    if len(rows) <= _MOST_COUNTED:
        headers |= {"X-Total": str(len(rows)), "X-Total-Pages": str(pages)}
    return Answer(200, [shape(row) for row in chosen], headers)


def keyset(call: Call, rows: Sequence[dict[str, Any]]) -> Answer:
    """Return the rows after the one named by `page_token`; only `Link` leads on, and nothing is counted."""
    size, token = min(_whole_number(call, "per_page", 20), _MOST_ROWS), call.text("page_token")
    ids = [row["id"] for row in rows]
    start = ids.index(token) + 1 if token in ids else 0
    chosen = rows[start : start + size]
    if start + size >= len(rows):
        return Answer(200, chosen)
    asked = urlencode({**_asked(call), "per_page": size, "page_token": chosen[-1]["id"]})
    return Answer(200, chosen, {"Link": f'<{call.world.base_url}/api/v4{call.path}?{asked}>; rel="next"'})


def _asked(call: Call) -> dict[str, str]:
    return {key: value for key, value in call.params.items() if isinstance(value, str) and key != "page"}


def _whole_number(call: Call, name: str, default: int) -> int:
    value = str(call.params.get(name) or default)
    if not value.isdigit() or int(value) < 1:
        raise rights.ApiError(400, {"error": f"{name} does not have a valid value"})
    return int(value)


def checked_title(call: Call) -> str:
    """Return the title, or refuse like the model does."""
    title = call.text("title") or ""
    if not title.strip():
        raise message(400, {"title": ["can't be blank"]})
    if len(title) > _LONGEST_TITLE:
        raise message(400, {"title": [f"is too long (maximum is {_LONGEST_TITLE} characters)"]})
    return title


def checked_description(call: Call) -> str | None:
    """Return the description, or refuse like the model does."""
    description = call.text("description")
    if description is not None and len(description) > _LONGEST_DESCRIPTION:
        raise message(400, {"description": [f"is too long (maximum is {_LONGEST_DESCRIPTION} characters)"]})
    return description


def _links(call: Call, page: int, pages: int, size: int, *, counts: bool) -> str:
    places = {"prev": page - 1 if page > 1 else None, "next": page + 1 if page < pages else None}
    places |= {"first": 1, "last": pages if counts else None}
    query = _asked(call)
    links = []
    for rel, number in places.items():
        if number is not None:
            asked = urlencode({**query, "page": number, "per_page": size})
            links.append(f'<{call.world.base_url}/api/v4{call.path}?{asked}>; rel="{rel}"')
    return ", ".join(links)
