"""The history pages: nothing without signing in, nothing confidential, nothing that runs."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from litestar.testing import TestClient

from bot.domain import Composition, Fact, JobRow, Mention, Noteable, Person, ProjectRef, ProposalStatus, Survey, Unit
from bot.sandbox import acts, seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import MergeRequest
from bot.settings import read_settings
from bot.store import approvals, conversations, messages, proposals
from bot.store.pool import Pool
from bot.tasks import Queue
from bot.web.app import WebParts, create_app

CI = 'stages: [test]\ntest:\n  image: python:3.13\n  script: ["pytest"]\n'
NASTY = '<script>alert("x")</script>'
SHA = "a" * 40


def open_client(pool: Pool, **values: str) -> TestClient[Any]:
    given = {"GITLAB_URL": "https://gitlab.test", "GITLAB_TOKEN": "t", "WEBHOOK_SECRET": "s"} | values
    settings = read_settings({f"PIPEWRIGHT_{name}": value for name, value in given.items()}, env_file=None)
    queue = Queue(str(pool.conninfo), pool, None)
    bot = Person(id=99, username="pipewright-bot")
    return TestClient(
        create_app(WebParts(settings=settings, queue=queue, pool=pool, bot=bot, mention_names=("pipewright",)))
    )


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[Sandbox]:
    """A GitLab with the project 7, which the history is about, and two issues in it."""
    sandbox = Sandbox(tmp_path).start()
    ada = seed.add_user(sandbox.world, "ada")
    gus = seed.add_user(sandbox.world, "gus")
    project = seed.add_project(sandbox.world, "team/app", {"x": "x"}, {ada: 30, gus: 10})
    del sandbox.world.projects[project.id]
    project.id, sandbox.world.projects[7] = 7, project
    for title in ("One", "Two"):
        acts.open_issue(sandbox.world, project, ada, title, "")
    draft = MergeRequest(90, 3, project, ada, "Draft: CI", "", source_branch="pipewright/1", target_branch="main")
    project.merge_requests.append(draft)
    seed.add_token(sandbox.world, ada, "read_api", value="glpat-ada")
    seed.add_token(sandbox.world, gus, "read_api", value="glpat-gus")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def client(pool: Pool, gitlab: Sandbox) -> Iterator[TestClient[Any]]:
    with open_client(pool, GITLAB_URL=gitlab.url) as opened:
        opened.headers["Authorization"] = "Bearer glpat-ada"
        yield opened


def ask(pool: Pool, *, iid: int = 1, title: str = "Please add CI", text: str = "hello", secret: bool = False) -> UUID:
    """Let a mention come in, as the webhook does."""
    event = Mention(
        project=ProjectRef(id=7, path="team/app"),
        noteable=Noteable(kind="issue", iid=iid),
        author=Person(id=5, username="ada"),
        text=text,
        note_id=100 + iid,
        is_internal=secret,
        noteable_title=title,
    )
    Queue(str(pool.conninfo), pool, None).accept(f"key-{iid}-{text[:9]}", event)
    with pool.connection() as connection:
        found = conversations.find_by_noteable(connection, 7, "issue", iid)
    assert found is not None
    return found


def propose(pool: Pool, conversation_id: UUID, *, is_internal: bool = False) -> proposals.Proposal:
    new = proposals.NewProposal(
        conversation_id=conversation_id,
        order_id=None,
        repo_url="https://gitlab.test/team/app",
        dockerfile="FROM python:3.13\n",
        gitlab_ci=CI,
        project_id=7,
        target_branch="main",
        source_branch="pipewright/1",
        is_internal=is_internal,
        requested_by_id=5,
        requested_by="ada",
        survey=Survey(units=(Unit(root="", ecosystem="python", facts=(Fact(name="v", value="1", because="b"),)),)),
        composition=Composition(
            files={".gitlab-ci.yml": CI, "Dockerfile": "FROM python:3.13\nUSER 10001\n"},
            jobs=(JobRow(name="test", stage="test", image="python:3.13", does="runs pytest"),),
            sources=(),
        ),
    )
    with pool.connection() as connection:
        added = proposals.add(connection, new)
        conversations.add_noteable(connection, conversation_id, 7, "merge_request", 3)
        return proposals.set_opened(connection, added.id, commit_id=SHA, merge_request_iid=3)


def test_nobody_sees_anything_without_signing_in(pool: Pool, client: TestClient[Any]) -> None:
    id_ = ask(pool)
    del client.headers["Authorization"]
    for path in ("/", f"/conversations/{id_}"):
        answer = client.get(path, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=%2F")
        assert "Please add CI" not in answer.text


def test_an_empty_history_says_what_to_do(client: TestClient[Any]) -> None:
    assert "Nothing here yet" in client.get("/").text


def test_the_list_shows_the_last_changed_first(client: TestClient[Any], pool: Pool) -> None:
    ask(pool, iid=1, title="First")
    ask(pool, iid=2, title="Second")
    ask(pool, iid=1, title="First", text="again")
    page = client.get("/").text
    assert page.index("First") < page.index("Second")


def as_guest(client: TestClient[Any]) -> TestClient[Any]:
    client.headers["Authorization"] = "Bearer glpat-gus"
    return client


def test_confidential_conversations_are_nowhere(client: TestClient[Any], pool: Pool) -> None:
    """They are for whoever may read them in GitLab, and for nobody else."""
    secret = ask(pool, iid=1, title="Leak", secret=True)
    ask(pool, iid=2, title="Open")
    assert "Leak" in client.get("/").text
    assert client.get(f"/conversations/{secret}").status_code == 200
    page = as_guest(client).get("/").text
    assert ("Open" in page, "Leak" in page) == (True, False)
    for path in ("", "/live", f"/proposals/{secret}"):
        assert client.get(f"/conversations/{secret}{path}").status_code == 404


def test_a_conversation_that_turns_confidential_disappears(client: TestClient[Any], pool: Pool) -> None:
    id_ = ask(pool)
    assert as_guest(client).get(f"/conversations/{id_}").status_code == 200
    ask(pool, text="psst", secret=True)
    assert client.get(f"/conversations/{id_}").status_code == 404
    assert "psst" not in client.get("/").text


def test_a_talk_over_the_api_is_its_owners_alone(client: TestClient[Any], gitlab: Sandbox, pool: Pool) -> None:
    ada = next(user.id for user in gitlab.world.users.values() if user.username == "ada")
    for owner, title in ((ada, "Of ada"), (ada + 1, "Of somebody")):
        with pool.connection() as connection:
            conversations.open_for_person(
                connection, project_id=7, project_path="team/app", title=title, owner_id=owner, asked_by="x"
            )
    page = client.get("/").text
    assert ("Of ada" in page, "Of somebody" in page) == (True, False)


def test_a_conversation_shows_files_jobs_approvals_and_links(
    client: TestClient[Any], gitlab: Sandbox, pool: Pool
) -> None:
    id_ = ask(pool, text="@pipewright generate please")
    offer = propose(pool, id_)
    with pool.connection() as connection:
        approvals.add(
            connection,
            proposal_id=offer.id,
            order_id=None,
            user_id=6,
            username="grace",
            signal="reaction",
            sha=SHA,
            outcome="refused",
            reason="she may not merge",
        )
        proposals.set_pipeline(connection, offer.id, pipeline_id=55, status="success")
    page = client.get(f"/conversations/{id_}").text
    for words in (
        "@pipewright generate please",
        f"{gitlab.url}/team/app/-/issues/1",
        f"{gitlab.url}/team/app/-/merge_requests/3",
        f"{gitlab.url}/team/app/-/pipelines/55",
        "runs pytest",
        "she may not merge",
        '<span class="nt">script</span>',
        '<span class="k">FROM</span>',
    ):
        assert words in page


def test_what_people_write_is_shown_but_never_runs(client: TestClient[Any], pool: Pool) -> None:
    id_ = ask(pool, title=NASTY, text=NASTY)
    with pool.connection() as connection:
        row = connection.execute("select id from orders").fetchone()
        for role, call in (("assistant", [{"name": NASTY, "arguments": {}}]), ("tool", None)):
            messages.add(
                connection,
                conversation_id=id_,
                order_id=row[0] if row else None,
                role=role,
                content=NASTY,
                tool_calls=call,  # type: ignore[arg-type]
                tool_name=NASTY,
            )
    for path in ("/", f"/conversations/{id_}"):
        page = client.get(path).text
        assert NASTY not in page
        assert "<script>" not in page
        assert "&lt;script&gt;alert" in page
        assert "&amp;lt;" not in page


def test_a_secret_is_not_cut_in_half_before_it_is_masked(client: TestClient[Any], pool: Pool) -> None:
    token = "ghp_" + "aB3x9ZqW" * 5
    conversation_id = ask(pool, text=f"{'x ' * 5_990}{token} and more")
    assert token[:8] not in client.get(f"/conversations/{conversation_id}").text


def test_secrets_that_somebody_wrote_are_masked(client: TestClient[Any], pool: Pool) -> None:
    id_ = ask(pool, text="my token is glpat-abcdefghijklmnopqrst")
    page = client.get(f"/conversations/{id_}").text
    assert "glpat-abc" not in page
    assert "[secret]" in page


@pytest.mark.parametrize("path", ["/", "/nowhere", "/static/style.css", "/health/live"])
def test_every_answer_forbids_scripts_and_foreign_parts(client: TestClient[Any], path: str) -> None:
    answer = client.get(path)
    assert answer.headers["content-security-policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'"
    )
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/nowhere"])
def test_pages_hold_no_inline_style_or_script(client: TestClient[Any], path: str) -> None:
    page = client.get(path).text
    assert re.findall(r"<style|style=|\bon[a-z]+=|<script(?! src=\"/static/)", page) == []


@pytest.mark.parametrize(
    "path", ["/nowhere", "/conversations/12", "/conversations/00000000-0000-0000-0000-000000000000"]
)
def test_what_does_not_exist_is_a_page_of_its_own(client: TestClient[Any], path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1>Not found</h1>" in answer.text


def test_pages_follow_each_other_without_gap_or_repetition(client: TestClient[Any], pool: Pool) -> None:
    with pool.connection() as connection:
        for number in range(65):
            connection.execute(
                "insert into conversations (project_id, project_path, title, updated_at)"
                # all at the same moment: only the id tells them apart
                " values (7, 'team/app', %s, '2026-01-01')",
                (f"No. {number:02}",),
            )
    seen: list[str] = []
    path = "/"
    for _ in range(3):
        page = client.get(path).text
        seen += re.findall(r"No\. (\d\d)", page)
        older = re.search(r'href="([^"]+)" rel="next"', page)
        path = html.unescape(older[1]) if older else ""
    assert path == ""
    assert sorted(seen) == [f"{number:02}" for number in range(65)]


@pytest.mark.parametrize(
    ("status", "shown"),
    [pytest.param("proposed", ["With"], id="proposed"), pytest.param("none", ["Without"], id="no proposal")],
)
def test_the_list_can_be_narrowed_to_a_status(
    client: TestClient[Any], pool: Pool, status: str, shown: list[str]
) -> None:
    propose(pool, ask(pool, iid=1, title="With"))
    ask(pool, iid=2, title="Without")
    page = client.get(f"/?status={status}").text
    assert [title for title in ("With", "Without") if f">{title}</span>" in page] == shown


@pytest.mark.parametrize(
    "query", ["status=wrong", "before=wrong", "before=2026-01-01_x", "before=a%00b_c", "words=a%00b"]
)
def test_a_broken_link_is_a_clear_400(client: TestClient[Any], query: str) -> None:
    answer = client.get(f"/?{query}")
    assert answer.status_code == 400
    assert "<h1>" in answer.text


def test_every_status_has_a_filter(client: TestClient[Any]) -> None:
    page = client.get("/").text
    assert all(f'<option value="{status.value}"' in page for status in ProposalStatus)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param("words=pipeline", ["Add a Pipeline"], id="a word of the title"),
        pytest.param("words=TEAM", ["Add a Pipeline", "100 % done_"], id="the project"),
        pytest.param("words=%25", [], id="a percent sign is no word"),
        pytest.param("words=done_", ["100 % done_"], id="an underscore ends a word"),
        pytest.param("asked_by=ada", ["Add a Pipeline", "100 % done_"], id="who asked"),
        pytest.param("asked_by=nobody", [], id="nobody asked"),
        pytest.param("project=team/app", ["Add a Pipeline", "100 % done_"], id="a project"),
        pytest.param("project=team/other", [], id="another project"),
        pytest.param("words=pipeline&status=none", ["Add a Pipeline"], id="two at once"),
    ],
)
def test_the_list_can_be_searched(client: TestClient[Any], pool: Pool, query: str, shown: list[str]) -> None:
    ask(pool, iid=1, title="Add a Pipeline")
    ask(pool, iid=2, title="100 % done_")
    page = client.get(f"/?{query}").text
    assert [title for title in ("Add a Pipeline", "100 % done_") if f">{title}</span>" in page] == shown
    assert ("Nothing fits" in page) == (shown == [])
