"""However much was said and proposed in a conversation, its page stays small, and everything is found behind links."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest

from bot.domain import Chat, Composition, JobRow, Person, ProjectRef, Survey
from bot.store import conversations, proposals
from tests.web.house import House, open_house

TURNS, STATES, MOST_BYTES = 22, 75, 1_500_000


@pytest.fixture
def house(database: str, tmp_path: Path) -> Iterator[House]:
    with open_house(database, tmp_path) as opened:
        yield opened


@pytest.fixture
def endless(house: House) -> UUID:
    """A talk of mia's in which every turn, message, file and list is long."""
    mia, project = house.people["mia"], house.project
    with house.pool.connection() as connection:
        id_ = conversations.open_for_person(
            connection,
            project_id=project.id,
            project_path=project.path,
            title="Endless",
            owner_id=mia.id,
            asked_by="mia",
        )
        event = Chat(
            project=ProjectRef(id=project.id, path=project.path),
            author=Person(id=mia.id, username="mia"),
            text="**why** <b>" * 3_000,
            channel=UUID(int=1),
        )
        connection.execute(
            "insert into orders (delivery_key, conversation_id, event, kind, state, answer, created_at)"
            " select 'k' || n,"
            " %s, %s::jsonb, 'chat', 'done', repeat('*so* ', 9000), now() - n / 4 * interval '1 minute'"  # four at once
            " from generate_series(1, %s) n",
            (id_, msgspec.json.encode(event).decode(), TURNS),
        )
        connection.execute(
            "insert into messages (conversation_id, order_id, role, content, tool_name, tool_calls)"
            " select %s, o.id, role, repeat('<i>&word ', 4000), 'read_file',"
            " jsonb_build_array(jsonb_build_object('name', repeat('x', 50000))) from orders o,"
            " unnest(array['user', 'assistant', 'tool', 'assistant']) role",
            (id_,),
        )
        for number in range(STATES):
            _propose(house, id_, number, connection=connection)
        connection.execute(  # one transaction's moments are all the same
            "update pipelines set created_at = created_at + interval '1 second' where change_key = %s",
            (str(STATES - 1),),
        )
    return id_


def _propose(house: House, id_: UUID, number: int, *, connection: object) -> None:
    size = 300 if number == STATES - 1 else 1  # the newest is shown whole
    files = {f"part{each}/.gitlab-ci.yml": "job:\n  script: [make]\n" * 3 * size for each in range(8)}
    jobs = tuple(JobRow(name=f"job{each}", stage="test", image="x", does="tests") for each in range(size))
    added = proposals.add(
        connection,  # type: ignore[arg-type]
        proposals.NewProposal(
            conversation_id=id_,
            order_id=None,
            repo_url=f"https://gitlab.test/{house.project.path}",
            dockerfile=None,
            gitlab_ci="".join(f"job{each}:\n  script: [make]\n" for each in range(size)),
            project_id=house.project.id,
            target_branch="main",
            source_branch="pipewright/1",
            is_internal=True,
            requested_by_id=house.people["mia"].id,
            requested_by="mia",
            survey=Survey(units=()),
            composition=Composition(files=files, jobs=jobs, sources=()),
            change_key=str(number),
            change_title=f"change {number}",
        ),
    )
    proposals.set_opened(connection, added.id, commit_id=f"{number:040x}", merge_request_iid=1)  # type: ignore[arg-type]


@pytest.fixture
def mia(house: House) -> httpx.Client:
    browser = house.browser()
    browser.headers["Authorization"] = f"Bearer {house.token('mia')}"
    return browser


def read(mia: httpx.Client, address: str) -> str:
    answer = mia.get(address)
    assert answer.status_code == 200, answer.text[:500]
    assert len(answer.content) < MOST_BYTES, (address, len(answer.content))
    return answer.text


def test_the_page_is_small_and_nothing_is_lost(endless: UUID, mia: httpx.Client, house: House) -> None:
    page = read(mia, f"/conversations/{endless}")
    read(mia, f"/conversations/{endless}/live")
    assert "it goes on; the API tells all of it" in page
    assert len(_turns(page)) >= 3
    assert "6 more files" in page
    seen, link = _turns(page), _link(page, "What happened before")
    while link:
        house.pass_time(5)
        page = read(mia, link)
        seen += _turns(page)
        link = _link(page, "Older", at=f"/conversations/{endless}/earlier")
    assert len(seen) == len(set(seen)) == TURNS


def test_every_state_of_a_draft_is_found(endless: UUID, mia: httpx.Client) -> None:
    page = read(mia, f"/conversations/{endless}")
    seen, link = [_proposal(page), *_states(page)], _link(page, "Still earlier states")
    assert len(seen) <= 12
    while link:
        page = read(mia, link)
        seen += _states(page)
        link = _link(page, "Older", at=f"/conversations/{endless}/states")
    assert len(set(seen)) == STATES
    for state in (seen[0], seen[-1]):
        shown = mia.get(f"/conversations/{endless}/proposals/{state}").text
        assert "all states" in shown
        assert shown.count("?against=") <= 25


@pytest.mark.parametrize("place", ["earlier", "states"])
@pytest.mark.parametrize("mark", ["yesterday", "2026-01-01T00:00:00_x", "2026-01-01T00:00:00_" + "0" * 32, "_"])
def test_a_broken_link_to_older_ones_is_told(house: House, mia: httpx.Client, place: str, mark: str) -> None:
    with house.pool.connection() as connection:
        id_ = conversations.open_for_person(
            connection,
            project_id=house.project.id,
            project_path=house.project.path,
            title="",
            owner_id=house.people["mia"].id,
            asked_by="mia",
        )
    answer = mia.get(f"/conversations/{id_}/{place}", params={"before": mark})
    assert (answer.status_code, "start again at the first page" in answer.text) == (400, True)
    assert mia.get(f"/conversations/{id_}/{place}").status_code == 200


def _turns(page: str) -> list[str]:
    return re.findall(r'<li id="order-([0-9a-f-]+)"', page)


def _states(page: str) -> list[str]:
    return re.findall(r'<li><a href="/conversations/[^/]+/proposals/([0-9a-f-]+)"', page)


def _proposal(page: str) -> str:
    found = re.search(r'/proposals/([0-9a-f-]+)">Files, facts', page)
    assert found is not None
    return found[1]


def _link(page: str, words: str, at: str = "") -> str:
    found = re.search(rf'<a href="([^"]+)"[^>]*>{words}</a>', page)
    return at + html.unescape(found[1]) if found else ""
