"""The database of our own: it keeps what it was given, has one owner at a time, and leaves nothing behind."""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bot.domain import CannotError
from bot.store.backup import save
from bot.store.embedded import EmbeddedPostgres
from bot.store.postgres_programs import binaries
from tests.world.waiting import until

QUICKLY = {"fsync": "off", "synchronous_commit": "off"}


@pytest.fixture(params=["open", "closed"])
def folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that everybody may pass through, and one (as below /root) that only its owner may."""
    with tempfile.TemporaryDirectory(prefix="pw-") as made:
        Path(made).chmod(0o755 if request.param == "open" else 0o700)
        yield Path(made)


def sockets(conninfo: str) -> Path:
    return Path(conninfo.split(maxsplit=1)[0].removeprefix("host="))


def test_what_was_stored_is_there_after_a_restart_and_no_socket_stays(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=QUICKLY)
    try:
        with psycopg.connect(server.start(), autocommit=True) as connection:
            connection.execute("create table kept as select 42 as number")
        server.stop()
        conninfo = server.start()
        with psycopg.connect(conninfo) as connection:
            assert connection.execute("select number from kept").fetchone() == (42,)
    finally:
        server.stop()
    assert sockets(conninfo) == folder.resolve() / "postgres" or not sockets(conninfo).exists()
    assert server.pid is None


def test_what_its_backends_write_goes_to_the_disk_in_small_pieces(folder: Path) -> None:
    """Else Linux writes it all at once half a minute later, and every COMMIT waits for that."""
    server = EmbeddedPostgres(folder, settings=QUICKLY)
    try:
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("show backend_flush_after").fetchone() == ("256kB",)
    finally:
        server.stop()


def test_its_programs_may_lie_below_a_folder_that_only_its_owner_may_pass(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with a clone in /root, which is closed to the user who then runs the server."""
    package = binaries().parents[1]
    (folder / "site-packages").mkdir()
    (folder / "site-packages" / package.name).symlink_to(package)
    monkeypatch.syspath_prepend(str(folder / "site-packages"))
    assert folder in binaries().parents
    server = EmbeddedPostgres(folder / "state", settings=QUICKLY)
    try:
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("select 42").fetchone() == (42,)
    finally:
        server.stop()


def test_the_way_to_its_sockets_may_hold_blanks_and_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a clone whose path has a blank: an ordinary user's sockets lie beside the data, root's in /tmp."""
    with tempfile.TemporaryDirectory(prefix="it's a folder ") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        server = EmbeddedPostgres(Path(folder) / "state", settings=QUICKLY)
        try:
            with psycopg.connect(server.start()) as connection:
                assert connection.execute("select 42").fetchone() == (42,)
        finally:
            server.stop()


@pytest.mark.parametrize(
    ("name", "value"),
    [("PGPORT", "5433"), ("PGHOSTADDR", "127.0.0.1"), ("PGOPTIONS", "-c search_path=theirs"), ("PGHOST", "db.invalid")],
)
def test_what_names_another_postgresql_to_its_clients_does_not_turn_ours_away(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, value)
    with tempfile.TemporaryDirectory(prefix="pw-") as folder:
        server = EmbeddedPostgres(Path(folder), settings=QUICKLY)
        try:
            conninfo = server.start()
            with psycopg.connect(conninfo) as connection:
                assert connection.execute("select current_user").fetchone() == ("pipewright",)
                connection.execute("create table ours ()")
            assert save(conninfo, tmp_path / "saved") > 0
        finally:
            server.stop()


def test_a_second_process_is_told_who_has_it_and_may_join(folder: Path) -> None:
    server, other = EmbeddedPostgres(folder, settings=QUICKLY), EmbeddedPostgres(folder, settings=QUICKLY)
    assert other.running() is None
    try:
        conninfo = server.start()
        assert other.running() == conninfo
        with pytest.raises(CannotError, match="another process uses the embedded database"):
            other.start()
    finally:
        server.stop()
    assert other.running() is None


def test_a_server_that_was_killed_comes_back_with_everything(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    try:
        with psycopg.connect(server.start(), autocommit=True) as connection:
            connection.execute("create table kept as select 42 as number")
        assert server._process is not None
        server._process.send_signal(signal.SIGKILL)
        server._process.wait()
        server.stop()
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("select number from kept").fetchone() == (42,)
    finally:
        server.stop()


def answers(conninfo: str) -> bool:
    try:
        with psycopg.connect(conninfo, connect_timeout=5) as connection:
            return connection.execute("select number from kept").fetchone() == (42,)
    except psycopg.OperationalError:
        return False


def test_a_server_that_dies_alone_is_started_again_with_everything(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    try:
        conninfo = server.start()
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("create table kept as select 42 as number")
        first = server.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        until(lambda: server.pid not in (None, first) and answers(conninfo), seconds=120)
    finally:
        server.stop()
    assert server.pid is None


def test_a_new_server_waits_until_what_is_left_of_an_old_one_is_gone(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=QUICKLY)
    server.start()
    server.stop()
    with subprocess.Popen(["sleep", "600"], cwd=folder / "postgres") as leftover:
        ready = threading.Thread(target=server.start)
        ready.start()
        ready.join(timeout=0.5)
        waited = ready.is_alive()
        leftover.kill()
        leftover.wait()
        ready.join()
    server.stop()
    assert waited, "it started beside what was left"
