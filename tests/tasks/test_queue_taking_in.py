"""Many deliveries taken in together: each as if it were alone, whatever the others are."""

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import msgspec
import psycopg
import pytest
from psycopg import DataError, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool

from bot.domain import Chat, Decision, Event, Mention, Noteable, PipelineChanged, ProjectRef, Reaction
from bot.store import intake, orders
from bot.store.pool import Pool
from bot.tasks import Queue
from tests.tasks.arriving import ADA, mention, told


def rows(pool: Pool, sql: str) -> list[tuple[object, ...]]:
    with pool.connection() as connection:
        return connection.execute(sql.encode()).fetchall()


@pytest.fixture
def queue(database: str, pool: Pool) -> Queue:
    return Queue(database, pool, None)


def test_each_of_many_gets_its_own_answer_in_its_place(queue: Queue, pool: Pool) -> None:
    reaction = Reaction(
        project=ProjectRef(id=7, path="team/app7"),
        noteable=Noteable(kind="issue", iid=9),
        author=ADA,
        emoji="thumbsup",
        is_award=True,
    )
    run = PipelineChanged(project=reaction.project, pipeline_id=1, ref="main", sha="a" * 40, status="running")
    many: list[tuple[str, Event]] = [
        ("k1", mention(1)),
        ("k2", reaction),
        ("k1", mention(1)),
        ("k3", mention(1, "@pipewright \x00")),
        ("k4", mention(2, project=3)),
        ("k5", run),
    ]
    assert told(queue.accept_all(many)) == [
        "queued",
        "ignored",
        "duplicate",
        "UntranslatableCharacter",
        "queued",
        "ignored",
    ]
    assert rows(pool, "select delivery_key from orders order by delivery_key") == [("k1",), ("k4",)]
    assert rows(pool, "select count(*) from procrastinate_jobs") == [(2,)]
    unlinked = "select count(*) from deliveries d left join orders o on o.id = d.order_id where o.id is null"
    assert rows(pool, unlinked) == [(0,)]


def test_nothing_taken_in_together_is_taken_in_again(queue: Queue, pool: Pool) -> None:
    many: list[tuple[str, Event]] = [(f"k{number}", mention(number)) for number in range(1, 6)]
    assert told(queue.accept_all(many)) == ["queued"] * 5
    assert told(queue.accept_all([*many, ("k6", mention(6))])) == ["duplicate"] * 5 + ["queued"]
    assert rows(pool, "select count(*) from orders") == [(6,)]


def test_first_mentions_of_one_issue_share_one_conversation_and_keep_their_order(queue: Queue, pool: Pool) -> None:
    many: list[tuple[str, Event]] = [(f"k{number}", mention(1, f"@pipewright {number}")) for number in range(5)]
    assert told(queue.accept_all(many)) == ["queued"] * 5
    assert rows(pool, "select count(*) from conversations") == [(1,)]
    in_turn = (
        "select o.delivery_key from procrastinate_jobs j join orders o on o.id = (j.args ->> 'order_id')::uuid"
        " order by j.priority desc, j.id"
    )
    assert rows(pool, in_turn) == [(f"k{number}",) for number in range(5)]


def test_a_conversation_becomes_confidential_and_stays_so(queue: Queue, pool: Pool) -> None:
    for number, is_internal in enumerate((False, True, False)):
        queue.accept(f"k{number}", mention(1, is_internal=is_internal))
    assert rows(pool, "select is_confidential from conversations") == [(True,)]


def test_what_comes_together_opens_a_conversation_once_and_follows_the_project(queue: Queue, pool: Pool) -> None:
    first = mention(1)
    moved = msgspec.structs.replace(
        mention(1, is_internal=True), project=ProjectRef(id=7, path="moved/app7"), noteable_title="Renamed since"
    )
    queue.accept_all([("k1", msgspec.structs.replace(first, noteable_title="Please add CI")), ("k2", moved)])
    shown = "select project_path, title, is_confidential from conversations"
    assert rows(pool, shown) == [("moved/app7", "Please add CI", True)]
    back = msgspec.structs.replace(first, project=ProjectRef(id=7, path="back/app7"))
    queue.accept_all([("k2", first), ("k3", first), ("k4", back)])
    assert rows(pool, shown) == [("back/app7", "Please add CI", True)]
    assert rows(pool, "select count(*), count(distinct conversation_id) from orders") == [(4, 1)]


def test_a_mention_in_a_draft_that_is_being_opened_joins_its_conversation(queue: Queue, pool: Pool) -> None:
    """Whoever opens a draft holds no lock of its project; the mention waits for it."""
    queue.accept("k1", mention(1))
    in_draft = Mention(
        project=ProjectRef(id=7, path="team/app7"),
        noteable=Noteable(kind="merge_request", iid=3),
        author=ADA,
        text="@pipewright help",
    )
    waits = "select count(*) > 0 from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'pipewright_take_in'"
    with ThreadPoolExecutor(1) as thread, pool.connection() as opening:
        opening.execute(
            "insert into conversation_noteables select project_id, 'merge_request', 3, id from conversations"
        )
        taken = thread.submit(queue.accept, "k2", in_draft)
        deadline = time.monotonic() + 60
        while rows(pool, waits) != [(True,)]:
            assert time.monotonic() < deadline
        opening.commit()
        assert taken.result() == "queued"
    assert rows(pool, "select count(*), count(distinct conversation_id) from orders") == [(2, 1)]
    assert rows(pool, "select count(*) from conversations") == [(1,)]


def test_many_writers_at_once_neither_lose_nor_double_nor_wait_crosswise(queue: Queue, pool: Pool) -> None:
    """The same new issues and the same keys everywhere, in opposite orders."""

    def accept(forward: int) -> list[str]:
        numbers = range(40) if forward % 2 else reversed(range(40))
        return told(queue.accept_all([(f"k{number}", mention(number % 10, project=number % 4)) for number in numbers]))

    with ThreadPoolExecutor(4) as threads:
        answers = [answer for one in threads.map(accept, range(4)) for answer in one]
    assert (answers.count("queued"), answers.count("duplicate")) == (40, 120)
    counts = {name: rows(pool, f"select count(*) from {name}") for name in ("orders", "conversations")}
    assert counts == {"orders": [(40,)], "conversations": [(20,)]}


def test_an_order_for_a_conversation_that_is_not_there_is_refused_alone(queue: Queue, pool: Pool) -> None:
    lost = Decision(
        project=ProjectRef(id=7, path="team/app7"),
        conversation_id=uuid4(),
        proposal_id=uuid4(),
        author=ADA,
        channel=uuid4(),
        sha="a" * 40,
        is_yes=True,
    )
    assert told(queue.accept_all([("k1", lost), ("k2", mention(1))])) == ["ForeignKeyViolation", "queued"]
    assert rows(pool, "select key from deliveries") == [("k2",)]


def test_a_talk_without_a_conversation_opens_one_of_its_own(queue: Queue, pool: Pool) -> None:
    talk = Chat(project=ProjectRef(id=7, path="team/app7"), author=ADA, text="hello", channel=uuid4())
    assert queue.accept("k1", talk) == "queued"
    assert rows(pool, "select owner_id, is_confidential from conversations") == [(5, True)]


def test_what_cannot_be_stored_is_raised_to_whoever_sent_it_alone(queue: Queue) -> None:
    with pytest.raises(DataError):
        queue.accept("k1", mention(1, "@pipewright \x00"))


def test_while_postgresql_is_away_nothing_is_said_to_be_stored(database: str) -> None:
    dead: Pool = ConnectionPool("host=127.0.0.1 port=1 user=x dbname=x", timeout=0.2, open=False, min_size=1)
    dead.open(wait=False)
    try:
        with pytest.raises(OperationalError):
            Queue(database, dead, None).accept_all([("k1", mention(1)), ("k2", mention(2))])
    finally:
        dead.close(timeout=1)


def test_what_is_taken_in_together_was_still_taken_in_one_after_another(queue: Queue, pool: Pool) -> None:
    """Rates are counted in the order of taking in."""
    queue.accept_all([(f"k{number}", mention(number)) for number in range(5)])
    in_order = "select delivery_key from orders order by created_at"
    assert rows(pool, in_order) == [(f"k{number}",) for number in range(5)]
    assert rows(pool, "select count(distinct created_at) from orders") == [(5,)]


def test_workers_are_woken_once_for_all_that_is_taken_in_together(database: str, queue: Queue) -> None:
    with psycopg.connect(database, autocommit=True) as listening:
        listening.execute('listen "procrastinate_queue_v1#orders"')
        queue.accept_all([(f"k{number}", mention(number)) for number in range(1, 6)])
        listening.execute("notify \"procrastinate_queue_v1#orders\", 'the end'")
        heard = list(listening.notifies(timeout=20, stop_after=2))
    assert [notice.payload for notice in heard] == ['{"type": "job_inserted", "job_id": 0}', "the end"]


def test_taking_in_does_not_read_what_waits(pool: Pool) -> None:
    """Also where nobody waited when PostgreSQL last looked: then reading and sorting all looks cheaper than it is."""
    with pool.connection() as connection:
        connection.execute("analyze procrastinate_jobs")
    many = [arrival(number) for number in range(1, 201)]
    with pool.connection() as connection:
        assert {one.result for one in intake.take_in(connection, many, queue="orders", task="run_event")} == {"queued"}
        row = connection.execute(
            "select n_tup_ins, idx_tup_fetch + seq_tup_read from pg_stat_xact_user_tables"
            " where relname = 'procrastinate_jobs'"
        ).fetchone()
    assert row is not None
    written, read = row
    assert written == len(many)
    assert read <= 3 * len(many)


def test_taking_in_does_not_read_what_was_said(database: str, pool: Pool) -> None:
    """Also where plans were made while nothing was stored yet, and are kept: each looks up what it needs."""
    long_past = (
        "set session_replication_role = replica; with c as (insert into conversations (project_id, project_path)"
        " select number, 'old/talk' from generate_series(1000, 5000) number returning id), w as (insert into"
        " conversation_words select id, pipewright_words('talk') from c)"
        " insert into orders (delivery_key, conversation_id, event, kind) select id, id, '{}', 'mention' from c"
    )
    with pool.connection() as connection:
        take_in(connection, range(1, 21))
        connection.commit()
        with psycopg.connect(database) as other:
            other.execute(long_past)
        connection.execute("select pg_stat_force_next_flush()")
        connection.commit()
        take_in(connection, range(11, 31))
        read = connection.execute(
            "select relname, idx_tup_fetch + seq_tup_read from pg_stat_xact_user_tables"
            " where relname in ('conversations', 'conversation_words', 'orders', 'conversation_noteables')"
        ).fetchall()
    assert len(read) == 4
    assert all(count <= 10 * 20 for _, count in read), read


def take_in(connection: psycopg.Connection[TupleRow], numbers: Iterable[int]) -> None:
    key = uuid4().hex
    many = [
        msgspec.structs.replace(arrival(number), key=f"{key}{number}", kind="mention", event=b'{"text": "help"}')
        for number in numbers
    ]
    assert {one.result for one in intake.take_in(connection, many, queue="orders", task="run_event")} == {"queued"}


def arrival(number: int) -> intake.Arrival:
    place = intake.Place(
        noteable=Noteable(kind="issue", iid=1), project_path="a/b", title="", is_confidential=False, asked_by="ada"
    )
    return intake.Arrival(key=f"k{number}", event=b"{}", kind="pipeline", project_id=number, conversation=place)


def words_of(pool: Pool) -> dict[object, set[str]]:
    held = "select n.iid, tsvector_to_array(words) from conversation_words join conversation_noteables n"
    return {iid: set(words) for iid, words in rows(pool, f"{held} using (conversation_id)")}  # type: ignore[call-overload]


def begin(pool: Pool) -> None:
    """Begin work on every order, the first one first."""
    with pool.connection() as connection:
        for (order,) in connection.execute(
            "select id from orders where state = 'queued' order by created_at"
        ).fetchall():
            orders.start(connection, order)


def test_what_is_opened_is_found_at_once(queue: Queue, pool: Pool) -> None:
    queue.accept_all([("k1", mention(1, "@pipewright quokka")), ("k2", mention(2, "@pipewright bilby"))])
    assert words_of(pool) == {1: {"team", "app7", "ada"}, 2: {"team", "app7", "ada"}}


def test_the_words_of_all_that_comes_together_are_found_once_work_on_it_begins(queue: Queue, pool: Pool) -> None:
    queue.accept("k0", mention(1, "@pipewright quokka"))
    many: list[tuple[str, Event]] = [
        ("k1", mention(1, "@pipewright wombat/numbat")),
        ("k2", mention(2, "@pipewright bilby")),
        ("k3", mention(3, "@pipewright kowari")),
        ("k4", mention(3, "@pipewright dunnart_potoroo")),
    ]
    assert told(queue.accept_all(many)) == ["queued"] * 4
    begin(pool)
    own = {"team", "app7", "ada", "pipewright"}
    assert words_of(pool) == {
        1: own | {"quokka", "wombat", "numbat"},
        2: own | {"bilby"},
        3: own | {"kowari", "dunnart", "potoroo"},
    }


def test_a_conversation_with_many_words_gets_those_of_what_comes_later_too(queue: Queue, pool: Pool) -> None:
    queue.accept("k0", mention(1, "@pipewright " + " ".join(f"word{number}" for number in range(400))))
    assert told(queue.accept_all([("k1", mention(1, "@pipewright quokka")), ("k2", mention(2))])) == ["queued"] * 2
    begin(pool)
    assert {"quokka", "word399"} <= words_of(pool)[1]
    assert "help" in words_of(pool)[2]


def test_a_conversation_may_say_more_than_its_words_hold(queue: Queue, pool: Pool) -> None:
    long = [" ".join(f"{part}word{number}{'x' * 40}" for number in range(400)) for part in range(64)]
    many: list[tuple[str, Event]] = [(f"k{part}", mention(1, f"@pipewright {text}")) for part, text in enumerate(long)]
    assert told(queue.accept_all(many)) == ["queued"] * 64
    begin(pool)
    assert "0word1" + "x" * 40 in words_of(pool)[1]


def test_an_order_in_a_conversation_that_is_known_makes_it_the_newest_again(queue: Queue, pool: Pool) -> None:
    newest_first = (
        "select n.iid from conversations c join conversation_noteables n on n.conversation_id = c.id"
        " order by c.updated_at desc, n.iid"
    )
    for number in (1, 2, 3):
        queue.accept(f"k{number}", mention(number))
    assert rows(pool, newest_first) == [(3,), (2,), (1,)]
    queue.accept_all([("k4", mention(1)), ("k5", mention(2))])
    assert rows(pool, newest_first) == [(1,), (2,), (3,)]


def test_what_followed_its_project_is_the_newest_too(queue: Queue, pool: Pool) -> None:
    for number in (1, 2):
        queue.accept(f"k{number}", mention(number))
    moved = msgspec.structs.replace(mention(1), project=ProjectRef(id=7, path="other/app7"))
    queue.accept("k3", moved)
    newest_first = "select project_path from conversations order by updated_at desc"
    assert rows(pool, newest_first) == [("other/app7",), ("team/app7",)]


def test_an_older_version_takes_in_beside_this_one(pool: Pool) -> None:
    """It calls what the database had for it."""
    given = {"number": 0, "key": "k1", "order_id": str(uuid4()), "event": {"text": "help"}, "kind": "mention"}
    opens = {"noteable": "issue", "iid": 1, "path": "a/b", "title": "", "confidential": False, "asker": "ada"}
    arrivals = msgspec.json.encode([{**given, **opens, "project_id": 7, "conversation_id": str(uuid4())}]).decode()
    with pool.connection() as connection:
        connection.execute("select * from pipewright_take_in(%s::json, 'orders', 'run_event')", (arrivals,))
    assert rows(
        pool, "select count(*) from procrastinate_jobs j join orders o on o.id = (j.args ->> 'order_id')::uuid"
    ) == [(1,)]


def test_each_of_many_mentions_stands_in_the_audit_in_its_order(queue: Queue, pool: Pool) -> None:
    queue.accept_all([(f"k{number}", mention(number % 2, f"@pipewright {number}")) for number in range(6)])
    asked = (
        "select o.delivery_key, a.act, a.actor, a.detail ->> 'text_hash' = 'sha256:' ||"
        " encode(sha256(convert_to(o.event ->> 'text', 'UTF8')), 'hex')"
        " from audit a join orders o on o.id = a.order_id order by a.id"
    )
    assert rows(pool, asked) == [(f"k{number}", "asked", "ada", True) for number in range(6)]
