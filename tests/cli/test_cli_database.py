"""`migrate`, `backup` and `restore`, as one calls them."""

from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import run


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in (("GITLAB_URL", "http://127.0.0.1:9"), ("GITLAB_TOKEN", "x"), ("WEBHOOK_SECRET", "x")):
        monkeypatch.setenv(f"PIPEWRIGHT_{name}", value)


def test_a_server_is_saved_and_an_embedded_database_filled_from_it(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("insert into conversations (project_id, project_path) values (1, 'a/b')")
    monkeypatch.setenv("PIPEWRIGHT_DATABASE_URL", database)
    assert run("migrate").stdout == "nothing to do: the database is up to date\n"
    assert run("backup", tmp_path / "copy").exit_code == 0
    assert run("restore", tmp_path / "copy").exit_code == 1  # it is not empty
    monkeypatch.delenv("PIPEWRIGHT_DATABASE_URL")
    monkeypatch.setenv("PIPEWRIGHT_DATA_DIR", str(tmp_path / "data"))
    restored = run("restore", tmp_path / "copy")
    assert restored.exit_code == 0, restored.output
    assert run("backup", tmp_path / "second").exit_code == 0
    assert (tmp_path / "second").stat().st_size > 10_000


def test_a_new_database_is_made_by_migrate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIPEWRIGHT_DATA_DIR", str(tmp_path / "data"))
    assert run("migrate").stdout.startswith("applied: 0000_queue, 0001_tables.sql")
