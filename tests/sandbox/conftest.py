"""A running stand-in, a project in it, and somebody to ask its API as."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import MergeRequest, Project, User, World

FILES = {"README.md": "# app\n", "src/app.py": "print(1)\n"}
CI = "test:\n  rules: [{when: always}]\n  script: [echo ok]\n"


class Api:
    """The REST API as one account sees it; `path` comes after the project."""

    def __init__(self, sandbox: Sandbox, token: str, project: Project) -> None:
        self._client = httpx.Client(
            base_url=sandbox.url + "/api/v4", headers={"PRIVATE-TOKEN": token}, trust_env=False, timeout=60
        )
        self.project = project

    def call(self, method: str, path: str, json: Any = None, /, **query: Any) -> httpx.Response:
        place = path if path.startswith("//") else f"/projects/{self.project.id}{path}"
        return self._client.request(method, place.replace("//", "/", 1), json=json, params=query or None)

    def get(self, path: str, /, **query: Any) -> httpx.Response:
        return self.call("GET", path, **query)

    def post(self, path: str, /, **body: Any) -> httpx.Response:
        return self.call("POST", path, body)

    def put(self, path: str, /, **body: Any) -> httpx.Response:
        return self.call("PUT", path, body)

    def delete(self, path: str) -> httpx.Response:
        return self.call("DELETE", path)

    def close(self) -> None:
        self._client.close()


@dataclass
class Place:
    """A project with a person of each role; `as_` gives the API as one of them."""

    sandbox: Sandbox
    world: World
    project: Project
    people: dict[str, User]
    as_: Callable[[str], Api]

    @property
    def api(self) -> Api:
        return self.as_("max")

    def push(self, branch: str, path: str, content: str, *, by: str = "max") -> httpx.Response:
        is_new = self.api.get("/repository/branches/" + branch.replace("/", "%2F")).status_code == 404
        ref = "main" if is_new else branch
        known = self.api.get("/repository/files/" + path.replace("/", "%2F"), ref=ref).status_code == 200
        body: dict[str, Any] = {
            "branch": branch,
            "commit_message": f"Change {path}",
            "actions": [{"action": "update" if known else "create", "file_path": path, "content": content}],
            **({"start_branch": "main"} if is_new else {}),
        }
        answer = self.as_(by).post("/repository/commits", **body)
        assert answer.status_code == 201, answer.text
        return answer

    def open(self, branch: str = "topic", title: str = "A topic", **more: Any) -> MergeRequest:
        """Open a merge request with one commit, as the developer, with the checks in the background done."""
        self.push(branch, f"{branch}.txt", "new\n")
        answer = self.as_("mia").post(
            "/merge_requests", source_branch=branch, target_branch="main", title=title, **more
        )
        assert answer.status_code == 201, answer.text
        return self.settled(int(answer.json()["iid"]))

    def settled(self, iid: int) -> MergeRequest:
        found = self.project.noteable("merge_request", iid)
        assert isinstance(found, MergeRequest)
        found.unsettled_reads = 0
        return found


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A stand-in for a whole file of tests."""
    folder: Path = tmp_path_factory.mktemp("stand-in")
    running = Sandbox(folder, job_seconds=0).start()
    yield running
    running.stop()


@pytest.fixture
def place(sandbox: Sandbox) -> Iterator[Place]:
    """A private project of its own for each test."""
    world, number = sandbox.world, sandbox.world.next_id()
    opened: dict[str, Api] = {}
    with world.lock:
        roles = {"olga": 50, "max": 40, "mia": 30, "rob": 20, "gina": 10}
        people = {name: seed.add_user(world, f"{name}{number}") for name in (*roles, "sam")}
        members = {people[name]: role for name, role in roles.items()}
        project = seed.add_project(world, f"group{number}/app", FILES, members)
        tokens = {name: seed.add_token(world, user).value for name, user in people.items()}

    def as_(name: str) -> Api:
        if name not in opened:
            opened[name] = Api(sandbox, tokens[name], project)
        return opened[name]

    yield Place(sandbox, world, project, people, as_)
    for api in opened.values():
        api.close()


@pytest.fixture
def issue(place: Place) -> str:
    """The path of an open issue."""
    return f"/issues/{place.api.post('/issues', title='We need CI').json()['iid']}"
