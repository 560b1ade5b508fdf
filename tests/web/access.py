"""Every address, everybody, every kind of project: what is allowed, and the table that says so."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx

from bot.domain import Composition, JobRow, Survey
from bot.sandbox import acts, seed
from bot.sandbox.state import MergeRequest, Project
from bot.store import conversations, proposals
from tests.web.house import House
from tests.world.conversations import open_conversation

ROLES = {
    "nobody": "no account",
    "stranger": "account",
    "external": "external",
    "guest": "Guest",
    "reporter": "Reporter",
    "developer": "Developer",
    "maintainer": "Maintainer",
    "admin": "admin",
    "blocked": "blocked",
}
LEVELS = {"guest": 10, "reporter": 20, "developer": 30, "maintainer": 40, "blocked": 30}
SHOWN = {"allowed": "✓", "sign in": "sign in", "hidden": "404", "refused": "403", "left out": "–"}

SHA = "a" * 40
CI = "test:\n  script: [make test]\n"

TAKEN_IN = "taken in"

Outcome = str


@dataclass(frozen=True)
class Place:
    """A project with a conversation about an issue of it, from which a draft came."""

    visibility: str
    is_confidential: bool
    project: Project
    conversation_id: UUID
    proposal_id: UUID
    title: str

    @property
    def name(self) -> str:
        return self.visibility + (", confidential" if self.is_confidential else "")


# --- what GitLab would do, by its documented rules and not by what we measure ---


def sees_project(role: str, place: Place) -> bool:
    """docs.gitlab.com/user/public_access and /user/permissions."""
    is_member = role in LEVELS or role == "admin"
    if place.visibility == "public":
        return True
    return is_member or (place.visibility == "internal" and role != "external")


def reads(role: str, place: Place) -> bool:
    """Merge requests of private projects are not for Guests, internal notes only for Planners and upwards."""
    if not sees_project(role, place):
        return False
    is_trusted = role == "admin" or LEVELS.get(role, 0) >= 15
    return is_trusted or (place.visibility != "private" and not place.is_confidential)


def _known(role: str) -> Outcome | None:
    return {"nobody": "sign in", "blocked": "refused"}.get(role)


def everybody(_role: str, _place: Place) -> Outcome:
    return "allowed"


def readers(role: str, place: Place) -> Outcome:
    return _known(role) or ("allowed" if reads(role, place) else "hidden")


def listed(role: str, place: Place) -> Outcome:
    return _known(role) or ("allowed" if reads(role, place) else "left out")


def members_of_project(role: str, place: Place) -> Outcome:
    return _known(role) or ("allowed" if sees_project(role, place) else "hidden")


def talkers(role: str, place: Place) -> Outcome:
    if LEVELS.get(role, 0) < 20 and readers(role, place) == "allowed":
        return "refused"
    return readers(role, place)


def beginners(role: str, place: Place) -> Outcome:
    if LEVELS.get(role, 0) < 20 and members_of_project(role, place) == "allowed":
        return "refused"
    return members_of_project(role, place)


def developers(role: str, place: Place) -> Outcome:
    if LEVELS.get(role, 0) < 30 and members_of_project(role, place) == "allowed":
        return "refused"
    return members_of_project(role, place)


def drafters(role: str, place: Place) -> Outcome:
    """To go on with composed files one reads their conversation, too."""
    return developers(role, place) if developers(role, place) != "allowed" else readers(role, place)


def code_readers(role: str, place: Place) -> Outcome:
    """Guests see no code of private projects, and so none of its branches."""
    sees_none = place.visibility == "private" and role == "guest"
    return "hidden" if sees_none else members_of_project(role, place)


def operators(role: str, _place: Place) -> Outcome:
    return _known(role) or ("allowed" if role == "admin" else "refused")


# --- how each address is asked ---

Ask = Callable[[httpx.Client, Place], httpx.Response]
Judge = Callable[[httpx.Response, Place], Outcome]


def judged(answer: httpx.Response, _place: Place) -> Outcome:
    if answer.status_code == 401 or answer.headers.get("location", "").startswith("/sign-in?"):
        return "sign in"
    if answer.headers.get("location") == "/sign-in":
        return "sign in"
    return {403: "refused", 404: "hidden"}.get(answer.status_code) or _good(answer)


def _good(answer: httpx.Response) -> Outcome:
    if answer.status_code == 409 and TAKEN_IN in answer.text:
        return "allowed"
    assert answer.status_code in (200, 202, 204, 303), f"{answer.status_code} {answer.text}"
    return "allowed"


def by_title(answer: httpx.Response, place: Place) -> Outcome:
    outcome = judged(answer, place)
    return "left out" if outcome == "allowed" and place.title not in answer.text else outcome


def by_id(answer: httpx.Response, place: Place) -> Outcome:
    outcome = judged(answer, place)
    return "left out" if outcome == "allowed" and str(place.conversation_id) not in answer.text else outcome


def nothing(_place: Place) -> Mapping[str, Any]:
    return {}


def get(path: str) -> Ask:
    def ask(client: httpx.Client, place: Place) -> httpx.Response:
        return client.get(_filled(path, place))

    return ask


def _filled(path: str, place: Place) -> str:
    return path.format(id=place.conversation_id, proposal=place.proposal_id, project_id=place.project.id)


def post(path: str, body: Callable[[Place], Mapping[str, Any]]) -> Ask:
    """Send a form to a page and JSON to the API."""

    def ask(client: httpx.Client, place: Place) -> httpx.Response:
        kind = "json" if path.startswith("/api/") else "data"
        sent: dict[str, Any] = {kind: body(place)}
        return client.post(_filled(path, place), **sent)

    return ask


@dataclass(frozen=True)
class Case:
    """An address: who may, and how to see whether they are let."""

    what: str
    may: Callable[[str, Place], Outcome]
    ask: Ask
    judge: Judge = judged

    def relevant(self, all_places: Sequence[Place]) -> Sequence[Place]:
        """Return where to ask: once is enough of what has nothing to do with projects."""
        return all_places[:1] if self.may in (everybody, operators) else all_places


_OPEN_TO_ALL = "sign in, see whether it is ready, the API's description and the files of pages"
_LIST, _READ = "see a conversation and its draft in lists", "read a conversation and its drafts"
_TALK, _BEGIN = "talk in a conversation", "begin one about a project"
_COMPOSE, _COMMIT = "have files composed", "have composed files opened as a draft"
_STATUS, _PROJECT, _OPERATOR = "ask how a branch stands", "see a project's page", "see the operator's page"
_DECIDE = "answer Yes or No (it counts for those whom GitLab lets)"

CASES: dict[str, Case] = {
    "GET /sign-in": Case(_OPEN_TO_ALL, everybody, get("/sign-in")),
    "GET /health/live": Case(_OPEN_TO_ALL, everybody, get("/health/live")),
    "GET /health/ready": Case(_OPEN_TO_ALL, everybody, get("/health/ready")),
    "GET /api": Case(_OPEN_TO_ALL, everybody, get("/api")),
    "GET /schema": Case(_OPEN_TO_ALL, everybody, get("/schema")),
    "GET /static/{file_path}": Case(_OPEN_TO_ALL, everybody, get("/static/style.css")),
    "GET /": Case(_LIST, listed, get("/"), by_title),
    "GET /api/v1/conversations": Case(_LIST, listed, get("/api/v1/conversations"), by_id),
    "GET /api/v1/pipelines": Case(_LIST, listed, get("/api/v1/pipelines"), by_id),
    "GET /conversations/{conversation_id}": Case(_READ, readers, get("/conversations/{id}")),
    "GET /conversations/{conversation_id}/live": Case(_READ, readers, get("/conversations/{id}/live")),
    "GET /conversations/{conversation_id}/proposals/{proposal_id}": Case(
        _READ, readers, get("/conversations/{id}/proposals/{proposal}")
    ),
    "GET /conversations/{conversation_id}/earlier": Case(_READ, readers, get("/conversations/{id}/earlier")),
    "GET /conversations/{conversation_id}/states": Case(_READ, readers, get("/conversations/{id}/states")),
    "GET /api/v1/chat/history/{session_id}": Case(_READ, readers, get("/api/v1/chat/history/{id}")),
    "GET /api/v1/pipelines/{pipeline_id}": Case(_READ, readers, get("/api/v1/pipelines/{proposal}")),
    "POST /conversations/{conversation_id}/messages": Case(
        _TALK, talkers, post("/conversations/{id}/messages", lambda _: {"message": "hi"})
    ),
    "POST /api/v1/chat with session_id": Case(
        _TALK,
        talkers,
        post("/api/v1/chat", lambda place: {"message": "hi", "session_id": str(place.conversation_id)}),
    ),
    "POST /conversations": Case(
        _BEGIN, beginners, post("/conversations", lambda place: {"message": "hi", "project": place.project.path})
    ),
    "POST /api/v1/chat": Case(
        _BEGIN,
        beginners,
        post("/api/v1/chat", lambda place: {"message": "hi", "project": place.project.path}),
    ),
    "POST /conversations/{conversation_id}/decisions": Case(
        _DECIDE,
        readers,
        post(
            "/conversations/{id}/decisions",
            lambda place: {"proposal": str(place.proposal_id), "sha": SHA, "decision": "no"},
        ),
    ),
    "POST /api/v1/chat/approve/{session_id}": Case(_DECIDE, readers, post("/api/v1/chat/approve/{id}", nothing)),
    "POST /api/v1/chat/reject/{session_id}": Case(_DECIDE, readers, post("/api/v1/chat/reject/{id}", nothing)),
    "POST /api/v1/pipeline/generate": Case(
        _COMPOSE,
        developers,
        post("/api/v1/pipeline/generate", lambda place: {"repo_url": place.project.path}),
    ),
    "POST /api/v1/pipeline/commit": Case(
        _COMMIT,
        drafters,
        post(
            "/api/v1/pipeline/commit",
            lambda place: {"repo_url": place.project.path, "pipeline_id": str(place.proposal_id)},
        ),
    ),
    "POST /api/v1/pipeline/status": Case(
        _STATUS,
        code_readers,
        post("/api/v1/pipeline/status", lambda place: {"repo_url": place.project.path}),
    ),
    "GET /projects/{project}": Case(_PROJECT, members_of_project, get("/projects/{project_id}")),
    "GET /operator": Case(_OPERATOR, operators, get("/operator")),
}
# Addresses that no role opens or closes.
ELSEWHERE = {
    "GET /metrics": "by where a machine stands, or by METRICS_TOKEN",
    "POST /webhooks/gitlab": "by the webhook's secret or signature",
    "GET /sign-in/gitlab": "sends to GitLab",
    "GET /sign-in/callback": "by GitLab's code and our own state",
    "POST /sign-out": "by the session it ends",
    "GET /schema/openapi.json": "as /schema",
    "GET /schema/{path}": "as /schema",
    "HEAD /static/{file_path}": "as GET",
}


def places(house: House) -> list[Place]:
    """Make a project of each kind, with everybody in it who is somebody."""
    return [
        _place(house, visibility, is_confidential=is_confidential)
        for visibility in ("private", "internal", "public")
        for is_confidential in (False, True)
    ]


def people(house: House) -> None:
    """Make everybody there is to be."""
    with house.sandbox.world.lock:
        for role in ROLES:
            if role != "nobody":
                house.people[role] = seed.add_user(house.sandbox.world, role)
        house.people["admin"].is_admin = house.people["external"].is_external = True


def _place(house: House, visibility: str, *, is_confidential: bool) -> Place:
    world, name = house.sandbox.world, f"{visibility}-{'closed' if is_confidential else 'open'}"
    with world.lock:
        roles = {house.people["max"]: 40, **{house.people[role]: level for role, level in LEVELS.items()}}
        project = seed.add_project(world, f"places/{name}", {"README.md": "x"}, roles, visibility=visibility)
        issue = acts.open_issue(world, project, house.people["max"], name, "", is_confidential=is_confidential)
        project.merge_requests.append(MergeRequest(world.next_id(), 1, project, house.people["max"], "Draft: CI", ""))
    title = f"About {name}"
    with house.pool.connection() as connection:
        id_ = open_conversation(
            connection,
            project_id=project.id,
            project_path=project.path,
            kind="issue",
            iid=issue.iid,
            title=title,
            is_confidential=is_confidential,
            asked_by="max",
        )
        conversations.add_noteable(connection, id_, project.id, "merge_request", 1)
        drafted = proposals.add(connection, _proposal(id_, project, is_confidential=is_confidential))
        proposals.set_opened(connection, drafted.id, commit_id=SHA, merge_request_iid=1)
    return Place(visibility, is_confidential, project, id_, drafted.id, title)


def _proposal(conversation_id: UUID, project: Project, *, is_confidential: bool) -> proposals.NewProposal:
    return proposals.NewProposal(
        conversation_id=conversation_id,
        order_id=None,
        repo_url=f"https://gitlab.test/{project.path}",
        dockerfile=None,
        gitlab_ci=CI,
        project_id=project.id,
        target_branch="main",
        source_branch="pipewright/1",
        is_internal=is_confidential,
        requested_by_id=1,
        requested_by="max",
        survey=Survey(units=()),
        composition=Composition(
            files={".gitlab-ci.yml": CI}, jobs=(JobRow(name="test", stage="test", image="x", does="tests"),), sources=()
        ),
    )


HEAD = "| who | " + " | ".join(ROLES.values()) + " |\n|---|" + "---|" * len(ROLES) + "\n"
# What is asked together: each is one test, so that several can run at once.
PARTS = {
    "lists": (_OPEN_TO_ALL, _LIST),
    "reading": (_READ,),
    "talking": (_TALK, _BEGIN),
    "deciding": (_DECIDE, _COMPOSE, _COMMIT, _STATUS, _PROJECT, _OPERATOR),
}


def lines_about(
    what: str, measured: Mapping[str, Mapping[tuple[str, str], Outcome]], all_places: Sequence[Place]
) -> str:
    """Return the lines of the table about one thing; addresses that serve it share them."""
    keys = [key for key, case in CASES.items() if case.what == what]
    names = [place.name for place in CASES[keys[0]].relevant(all_places)]
    title = f"| **{what}**: {', '.join(f'`{key}`' for key in keys)} |" + " |" * len(ROLES)
    return "\n".join([title, *_lines(measured[keys[0]], names)]) + "\n"


def _lines(outcomes: Mapping[tuple[str, str], Outcome], names: list[str]) -> list[str]:
    """Kinds of projects with the same outcomes share one line."""
    rows: dict[tuple[Outcome, ...], list[str]] = {}
    for name in names:
        rows.setdefault(tuple(outcomes[role, name] for role in ROLES), []).append(name)
    return [
        f"| {'any' if len(rows) == 1 else '; '.join(alike)} | " + " | ".join(SHOWN[each] for each in row) + " |"
        for row, alike in rows.items()
    ]
