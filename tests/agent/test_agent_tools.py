"""The tools in the hands of a talked-over model: only this conversation's project is within reach."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast
from uuid import uuid4

import pytest

from bot.agent.tool import Tool
from bot.domain import Noteable, Person, ProjectRef, ToolError
from bot.gitlab.client import GitLab
from bot.proposals.order import Order
from bot.services import Services
from bot.tools.project_tools import ProjectTools
from tests.world.wire import Wire, WireServer

URL = "https://gitlab.example.test/Team/app"
ORDER = Order(
    id=uuid4(),
    conversation_id=uuid4(),
    project=ProjectRef(id=7, path="Team/app", web_url=URL),
    noteable=Noteable(kind="issue", iid=1),
    person=Person(id=5, username="ada"),
    is_internal=False,
    note_id=11,
    discussion_id=None,
    attempts=1,
    created_at=datetime(2026, 11, 24, tzinfo=UTC),
)
WITH_ADDRESS = ("generate_pipeline", "commit_pipeline", "check_pipeline_status")


@pytest.fixture
def gitlab() -> Iterator[WireServer]:
    """A GitLab in which the person is no member."""
    server = WireServer().start()
    server.script = [Wire(404, '{"message":"404 Not found"}')]
    yield server
    server.stop()


MEMBER = Wire(body='{"id":5,"username":"ada","access_level":30}')
PROJECT = Wire(body=f'{{"id":7,"path_with_namespace":"Team/app","web_url":"{URL}","default_branch":"main"}}')


def tool(gitlab: WireServer, name: str) -> Tool:
    services = cast(Services, SimpleNamespace(gitlab=GitLab(gitlab.url, "t", sleep=lambda _: None), is_admin=False))
    return ProjectTools(services, ORDER, "words").all()[name]


def call(gitlab: WireServer, name: str, **arguments: object) -> str:
    """Call a tool; return what it tells the model when it refuses."""
    with pytest.raises(ToolError) as refused:
        tool(gitlab, name).call(dict(arguments))
    return str(refused.value)


@pytest.mark.parametrize("name", WITH_ADDRESS)
@pytest.mark.parametrize(
    "address",
    [
        "https://gitlab.example.test/team/other",
        "https://gitlab.example.test/team/app-evil",
        "https://gitlab.example.test/team/app/../other",
        "https://evil.example/team/app",
        "https://gitlab.example.test@evil.example/team/app",
        "https://gitlab.example.test.evil.example/team/app",
        "evil/team/app",
        "app",
        "",
        None,
        7,
    ],
)
def test_another_address_is_refused_before_gitlab_hears_of_it(gitlab: WireServer, name: str, address: object) -> None:
    assert (
        call(gitlab, name, repo_url=address, branch="main")
        == f"only this conversation's project is within reach: {URL}"
    )
    assert gitlab.asked == []


@pytest.mark.parametrize("name", WITH_ADDRESS)
@pytest.mark.parametrize("address", [URL, URL + "/", URL + ".git", URL.upper(), f"  {URL} ", "Team/app", "team/app"])
def test_the_projects_own_address_leads_to_the_persons_rights(gitlab: WireServer, name: str, address: str) -> None:
    assert call(gitlab, name, repo_url=address, branch="main").startswith("the person may not do that")
    assert [asked.path for asked in gitlab.asked] == ["/api/v4/projects/7/members/all/5"]


@pytest.mark.parametrize(("name", "argument"), [("read_file", "path"), ("list_files", "folder")])
def test_reading_too_needs_the_persons_rights(gitlab: WireServer, name: str, argument: str) -> None:
    assert call(gitlab, name, **{argument: "src"}).startswith("the person may not do that")


def test_a_draft_needs_something_composed_first(gitlab: WireServer) -> None:
    gitlab.script = [MEMBER]
    assert call(gitlab, "commit_pipeline", repo_url=URL) == "call generate_pipeline first"


def test_a_path_that_gitlab_calls_none_is_told_to_the_model(gitlab: WireServer) -> None:
    gitlab.script = [MEMBER, PROJECT, Wire(400, '{"error":"file_path should be a valid file path"}')]
    assert call(gitlab, "read_file", path="../../etc/passwd").startswith("there is no text file")


@pytest.mark.parametrize("folder", [".github", "/.github/", "./.github"])
def test_a_folder_whose_name_begins_with_a_dot_is_listed(gitlab: WireServer, folder: str) -> None:
    tree = '[{"path":".github/ci.yml","type":"blob"},{"path":"github/x","type":"blob"}]'
    gitlab.script = [MEMBER, PROJECT, Wire(body=tree)]
    assert tool(gitlab, "list_files").call({"folder": folder}) == ".github/ci.yml"


@pytest.mark.parametrize("folder", ["", ".", "./", "/"])
def test_the_top_has_several_names(gitlab: WireServer, folder: str) -> None:
    gitlab.script = [MEMBER, PROJECT, Wire(body='[{"path":"a/b","type":"blob"}]')]
    assert tool(gitlab, "list_files").call({"folder": folder}) == "a/b"
