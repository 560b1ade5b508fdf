"""Finding conversations again: by words, filters and pages, as the triggers keep them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import TupleRow

from bot.store import conversations, messages, orders, search
from bot.store.pool import Pool
from bot.store.search import Entry, Query
from tests.world.conversations import add_order, open_conversation

MAX, MIA = 1, 2
CONVERSATIONS = [
    # project, path, iid, title, asker, what the bot said
    (1, "shop/web-front", 1, "We need CI", "mia", "I read pyproject.toml and propose ruff and pytest."),
    (1, "shop/web-front", 2, "Größe prüfen", "max", "The job fails with exit code 137: out of memory."),
    (2, "shop/api", 1, "Nightly Postgres 16", "mia", "There is a service postgres:16 now."),
    (3, "secret/plans", 1, "We need CI too", "eve", "Nobody shall see pytest here."),
]


@pytest.fixture
def connection(pool: Pool) -> Iterator[Connection[TupleRow]]:
    with pool.connection() as opened:
        for project_id, path, iid, title, asker, said in CONVERSATIONS:
            id_ = open_conversation(
                opened,
                project_id=project_id,
                project_path=path,
                kind="issue",
                iid=iid,
                title=title,
                is_confidential=False,
                asked_by=asker,
            )
            messages.add(opened, conversation_id=id_, order_id=None, role="assistant", content=said)
            messages.add(opened, conversation_id=id_, order_id=None, role="tool", content="kubernetes")
            opened.commit()  # each at a time of its own
        yield opened


def found(connection: Connection[TupleRow], **query: Any) -> list[str]:
    asked = Query(**{"projects": (1, 2), "person_id": MIA, **query})
    return [entry.title for entry in search.find(connection, asked)]


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("pytest", ["We need CI"]),
        ("PyTest", ["We need CI"]),
        ("pyproject", ["We need CI"]),
        ("pyproject.toml", ["We need CI"]),
        ("exit 137", ["Größe prüfen"]),
        ("größe", ["Größe prüfen"]),
        ("web-front", ["Größe prüfen", "We need CI"]),
        ("web-front need", ["We need CI"]),
        ("postg", ["Nightly Postgres 16"]),
        ("postgres:16", ["Nightly Postgres 16"]),
        ("po", []),
        ("kubernetes", []),  # only a tool said so
        ("mia", ["Nightly Postgres 16", "We need CI"]),
        ("???", []),
        ("", []),
        ("' | !", []),
        ("nothing of the sort", []),
    ],
)
def test_words_find_what_was_said_in_projects_one_sees(
    connection: Connection[TupleRow], text: str, titles: list[str]
) -> None:
    assert found(connection, text=text) == titles


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, ["Nightly Postgres 16", "Größe prüfen", "We need CI"]),
        ({"projects": ()}, []),
        ({"projects": (3,)}, ["We need CI too"]),
        ({"asker": "mia"}, ["Nightly Postgres 16", "We need CI"]),
        ({"project_path": "shop/api"}, ["Nightly Postgres 16"]),
        ({"project_path": "secret/plans"}, []),
        ({"status": "none", "asker": "max"}, ["Größe prüfen"]),
        ({"status": "proposed"}, []),
        ({"since": datetime.now(UTC) + timedelta(days=1)}, []),
        ({"until": datetime.now(UTC) - timedelta(days=1)}, []),
        ({"asker": "mia", "text": "ci", "project_path": "shop/web-front"}, ["We need CI"]),
    ],
)
def test_filters_narrow_the_list(connection: Connection[TupleRow], query: dict[str, Any], titles: list[str]) -> None:
    assert found(connection, **query) == titles


def test_pages_follow_each_other_without_gap_or_repetition(connection: Connection[TupleRow]) -> None:
    query = Query(projects=(1, 2, 3), person_id=MIA)
    whole = search.find(connection, query)
    pages: list[Entry] = []
    while page := search.find(connection, query, before=pages[-1].mark if pages else None, limit=1):
        pages += page
    assert (len(whole), pages) == (4, whole)


def test_a_talk_over_our_own_address_is_in_its_owners_list_alone(connection: Connection[TupleRow]) -> None:
    conversations.open_for_person(
        connection, project_id=1, project_path="shop/web-front", title="A quiet word", owner_id=MAX, asked_by="max"
    )
    assert found(connection, text="quiet", person_id=MAX) == ["A quiet word"]
    assert found(connection, text="quiet", person_id=MIA) == []


def test_what_was_ordered_is_found_once_work_on_it_begins(connection: Connection[TupleRow]) -> None:
    oldest = search.find(connection, Query(projects=(1,), person_id=MIA))[-1]
    event = '{"text": "generate without docker", "author": {"id": 2, "username": "mia"}}'
    order = add_order(connection, key="k", conversation=oldest.id, event=event)
    assert found(connection, text="docker") == []
    orders.start(connection, order)
    assert found(connection, text="docker") == ["We need CI"]


def test_what_was_ordered_is_found_though_no_work_on_it_began(connection: Connection[TupleRow]) -> None:
    talk = search.find(connection, Query(projects=(1,), person_id=MIA))[0]
    event = '{"text": "generate without docker"}'
    order = add_order(connection, key="k", conversation=talk.id, event=event)
    orders.finish(connection, order, state="skipped", result="too old")
    assert found(connection, text="docker") == [talk.title]


def test_every_project_talked_in_is_known(connection: Connection[TupleRow]) -> None:
    assert search.projects(connection) == [1, 2, 3]


def test_no_projects_without_conversations(pool: Pool) -> None:
    with pool.connection() as connection:
        assert search.projects(connection) == []


def test_a_conversation_with_more_words_than_search_holds_is_still_kept(connection: Connection[TupleRow]) -> None:
    known = search.find(connection, Query(projects=(1,), person_id=MIA))[0]
    for part in range(30):
        words = " ".join(f"{part}word{number}{'x' * 200}" for number in range(1_000))
        messages.add(connection, conversation_id=known.id, order_id=None, role="user", content=words)
    assert len(messages.for_conversation(connection, known.id)) == 32
    assert found(connection, text="0word1x") == [known.title]


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=60))
def test_any_text_can_be_looked_for(connection: Connection[TupleRow], text: str) -> None:
    assert set(found(connection, text=text)) <= {row[3] for row in CONVERSATIONS}


def test_what_says_nothing_new_is_not_written_to_the_index_again(connection: Connection[TupleRow]) -> None:
    known = conversations.open_for_person(
        connection, project_id=7, project_path="team/app", title="Talk", owner_id=5, asked_by="ada"
    )

    def version_after(content: str) -> object:
        messages.add(connection, conversation_id=known, order_id=None, role="user", content=content)
        sql = "select ctid::text, words::text from conversation_words where conversation_id = %s"
        return connection.execute(sql, (known,)).fetchone()

    first = version_after("Please add a pipeline")
    assert version_after("add a PIPELINE, please!") == first
    assert version_after("add caches") != first


def test_a_rare_word_is_found_by_the_index_of_words_alone(connection: Connection[TupleRow]) -> None:
    ids = [each.id for each in search.find(connection, Query(projects=(1, 2, 3), person_id=MIA, text="pytest"))]
    assert sorted(search.few_hits(connection, "pytest") or []) == sorted(ids)
    assert search.few_hits(connection, "nobodysaidthis") == []


def test_a_word_that_is_everywhere_is_met_on_the_way(connection: Connection[TupleRow]) -> None:
    connection.execute(
        "insert into conversations (project_id, project_path, title, asked_by)"
        " select 9, 'many/talks', 'everywhere ' || number, 'eve' from generate_series(1, 1001) as number"
    )
    assert search.few_hits(connection, "everywhere") is None
    found_first = search.find(connection, Query(projects=(9,), person_id=MIA, text="everywhere"), limit=5)
    assert len(found_first) == 5


def test_a_word_that_was_common_long_ago_is_found_page_by_page(connection: Connection[TupleRow]) -> None:
    connection.execute(
        "insert into conversations (project_id, project_path, title, asked_by, updated_at)"
        " select 9, 'many/talks', case when number > 1200 then 'bygone ' else 'recent ' end || number, 'eve',"
        " now() - number / 2 * interval '1 minute' from generate_series(1, 2500) as number"  # two at once
    )
    assert search.few_hits(connection, "bygone") is None
    query, mark, titles = Query(projects=(9,), person_id=MIA, text="bygone"), None, list[str]()
    while page := search.find(connection, query, before=mark, limit=400):
        titles += [each.title for each in page]
        mark = page[-1].mark
    assert sorted(titles) == sorted(f"bygone {number}" for number in range(1201, 2501))
    newest_first = [int(title.split()[1]) // 2 for title in titles]
    assert newest_first == sorted(newest_first)
    assert search.find(connection, Query(projects=(9,), person_id=MIA, text="bygone", asker="mia")) == []
