"""How much memory idle processes take, and how long each takes from its start until it is ready."""

import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import psycopg
from msgspec import Struct

from bench.place import Place

_REST_SECONDS = 5.0
_PATIENCE_SECONDS = 120.0


class Idle(Struct, frozen=True, kw_only=True):
    """A process once it is ready: its resident memory, and how long that took."""

    name: str
    megabytes: float
    seconds: float


def idle(opened: Place) -> list[Idle]:
    """Start a web and a worker on a database that is there already, and look at them when they rest."""
    with opened.web():  # migrates, and byte-compiles what was not
        pass
    started = time.monotonic()
    with opened.web() as (web, _):
        web_seconds = time.monotonic() - started
        workers = _workers(opened)
        started = time.monotonic()
        with opened.process(["bot", "worker"], opened.environment(DATA_DIR=str(opened.folder / "worker"))) as worker:
            while _workers(opened) <= workers and time.monotonic() - started < _PATIENCE_SECONDS:
                time.sleep(0.02)
            worker_seconds = time.monotonic() - started
            time.sleep(_REST_SECONDS)
            return [
                Idle(name="web", megabytes=memory(web, "VmRSS"), seconds=web_seconds),
                Idle(name="worker", megabytes=memory(worker, "VmRSS"), seconds=worker_seconds),
            ]


def _workers(opened: Place) -> int:
    with psycopg.connect(opened.conninfo) as connection:
        row = connection.execute("select coalesce(max(id), 0) from procrastinate_workers").fetchone()
    assert row is not None  # an aggregate always answers
    return int(row[0])


def memory(process: subprocess.Popen[bytes], kind: Literal["VmRSS", "VmHWM"]) -> float:
    """Return how much memory a process has resident now, or had at most, in MB, as the kernel counts it."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith(f"{kind}:"):
                return int(line.split()[1]) / 1024
    return float("nan")
