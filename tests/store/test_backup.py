"""The database's copy in a file: whole, private, put back only where nothing is; and data of the first version."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bot.domain import CannotError, Mention, Noteable, Person, ProjectRef, UnreachableError
from bot.store import conversations, history, proposals, sweeps
from bot.store.backup import put_back, save
from bot.store.migrate import migrate
from bot.tasks import queue_schema

FIRST_VERSION = Path(__file__).parent / "data" / "first_version.dump"  # what a demo of the first version left


def rows(conninfo: str) -> dict[str, int]:
    with psycopg.connect(conninfo) as connection:
        names = [row[0] for row in connection.execute("select tablename from pg_tables where schemaname = 'public'")]
        counts = {}
        for name in names:
            row = connection.execute(f'select count(*) from "{name}"'.encode()).fetchone()
            counts[name] = int(row[0]) if row else 0
    return counts


@pytest.fixture
def filled(database: str) -> str:
    with psycopg.connect(database) as connection:
        connection.execute("insert into conversations (project_id, project_path) values (1, 'a/b'), (2, 'c/d')")
    return database


def test_what_was_saved_is_put_back(filled: str, empty_database: str, tmp_path: Path) -> None:
    file = tmp_path / "pipewright.backup"
    assert save(filled, file) == file.stat().st_size > 0
    assert file.stat().st_mode & 0o777 == 0o600
    put_back(empty_database, file)
    assert rows(empty_database) == rows(filled)
    assert rows(empty_database)["conversations"] == 2
    assert migrate(empty_database, queue_schema()) == ()


def test_nothing_is_written_over(filled: str, tmp_path: Path) -> None:
    file = tmp_path / "pipewright.backup"
    save(filled, file)
    with pytest.raises(CannotError, match="not empty"):
        put_back(filled, file)
    assert rows(filled)["conversations"] == 2


def test_a_file_that_was_cut_off_leaves_the_database_empty(filled: str, empty_database: str, tmp_path: Path) -> None:
    file = tmp_path / "pipewright.backup"
    save(filled, file)
    file.write_bytes(file.read_bytes()[:-2000])
    with pytest.raises(CannotError, match="pg_restore could not do it"):
        put_back(empty_database, file)
    assert rows(empty_database) == {}


def test_a_file_that_is_none_is_said(empty_database: str, tmp_path: Path) -> None:
    with pytest.raises(CannotError, match="is no file"):
        put_back(empty_database, tmp_path / "nowhere")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(CannotError, match="pg_restore could not do it"):
        put_back(empty_database, tmp_path / "text")


def test_a_failed_copy_leaves_no_half_file_and_keeps_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "pipewright.backup"
    file.write_text("yesterday's")
    with pytest.raises(UnreachableError):
        save("host=127.0.0.1 port=9 user=x dbname=y connect_timeout=1", file)
    assert [each.name for each in tmp_path.iterdir()] == ["pipewright.backup"]
    assert file.read_text() == "yesterday's"


def test_data_of_the_first_version_is_brought_up_to_date_and_read(empty_database: str) -> None:
    put_back(empty_database, FIRST_VERSION)
    before = rows(empty_database)
    applied = migrate(empty_database, queue_schema())
    assert applied[0] == "0002_changes.sql"
    after = rows(empty_database)
    kept = ("conversations", "orders", "messages", "pipelines", "approvals", "deliveries")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    with psycopg.connect(empty_database) as connection:
        (id_,) = connection.execute("select id from conversations").fetchone() or (None,)
        assert conversations.get(connection, id_) is not None
        (offer,) = proposals.for_conversation(connection, id_)
        assert offer.status == "committed"
        assert ".gitlab-ci.yml" in offer.composition.files
        assert [turn.state for turn in history.turns(connection, id_)] != []


def test_what_the_first_version_took_in_is_known_by_its_note(empty_database: str) -> None:
    put_back(empty_database, FIRST_VERSION)
    migrate(empty_database, queue_schema())
    written_at = datetime(2026, 11, 25, 17, 5, 32, tzinfo=UTC)

    def is_known(note_id: int | None, *, iid: int = 1) -> bool:
        mention = Mention(
            project=ProjectRef(id=104, path="demo/teatimer", web_url=""),
            noteable=Noteable(kind="issue", iid=iid),
            author=Person(id=100, username="mia"),
            text="@pipewright please set up CI for this project",
            note_id=note_id,
        )
        with psycopg.connect(empty_database) as connection:
            return sweeps.has_taken_in(connection, mention, written_at=written_at)

    assert [is_known(107), is_known(118)] == [True, True]
    assert [is_known(108), is_known(None), is_known(107, iid=2)] == [False, False, False]
