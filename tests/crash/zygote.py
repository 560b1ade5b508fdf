"""Starts bots fast: a process that has imported everything forks, and the child is the bot as a user starts it.

Importing takes most of a start, and a matrix of kills starts hundreds. What the child runs is the console script.
"""

import ctypes
import faulthandler
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path

import certifi
import litestar

_PR_SET_PDEATHSIG = 1
# What the bot and its libraries import when they first need it.
_IMPORTED_LATE = (
    *("bot.cli", "bot.cli.serve", "bot.main", "chromadb", "chromadb.api.fastapi", "wordllama", "gitlab.v4.objects"),
    *("procrastinate.builtin_tasks", "pydantic.v1", "uvicorn.loops.auto", "uvicorn.protocols.http.auto"),
    *("uvicorn.protocols.websockets.auto", "uvicorn.lifespan.off"),
)


class Process:
    """A bot's process, which is not our child: its death is seen through its descriptor."""

    def __init__(self, pid: int, log: Path) -> None:
        self.pid, self.log = pid, log
        self._descriptor = os.pidfd_open(pid)

    def wait(self, seconds: float) -> bool:
        """Wait until it is dead; False when it still lives."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000))

    @property
    def is_dead(self) -> bool:
        return self.wait(0)

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)

    def kill(self) -> None:
        """Kill it as the kernel's memory killer would, and wait until it is gone with all its threads."""
        self.send(signal.SIGKILL)
        assert self.wait(120), "a killed process lives"

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-6000:]


def _one_certificate(folder: Path) -> Path:
    """Return a file with one authority: every HTTP client reads all of them, and nothing here speaks TLS."""
    path = folder / "one.pem"
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")
    path.write_text(first + end + "\n")
    return path


class Zygote:
    """The forking process; `start` may be called from any thread."""

    def __init__(self, folder: Path) -> None:
        few = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "SSL_CERT_FILE": str(_one_certificate(folder))}
        environment = {**os.environ, **few}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env=environment,
        )
        self._lock = threading.Lock()

    def start(self, words: list[str], environment: dict[str, str], log: Path) -> Process:
        """Run `pipewright` with these words."""
        request = {"words": words, "environment": environment, "log": str(log)}
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return Process(int(self._process.stdout.readline()), log)

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def _main() -> None:
    for name in _IMPORTED_LATE:
        importlib.import_module(name)
    litestar.Litestar([])  # it imports its own plugins only then
    gc.freeze()  # nothing of this is ever garbage, and so it stays shared with the children
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the dead
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(request["words"], request["environment"], request["log"])
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _become(words: list[str], environment: dict[str, str], log: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.environ.update(environment)
    sys.argv = ["pipewright", *words]
    faulthandler.enable()
    from bot.cli import main

    try:
        main()
    finally:
        if isinstance(sys.exception(), Exception):
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    _main()
