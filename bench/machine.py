"""Tells which machine and versions figures come from, without a name or a path of it."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from msgspec import Struct

_PACKAGES = ("litestar", "uvicorn", "psycopg", "procrastinate", "msgspec", "chromadb")


class Machine(Struct, frozen=True, kw_only=True):
    """What a figure depends on beside the program. `busy` is how many programs wanted a processor at the end."""

    processor: str
    processors: int
    memory_gb: float
    system: str
    python: str
    postgresql: str
    packages: dict[str, str]
    at: str
    busy: float


def this_machine(postgresql: str) -> Machine:
    """Return this machine's description."""
    return Machine(
        processor=_field(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        processors=os.cpu_count() or 0,
        memory_gb=round(int((_field(Path("/proc/meminfo"), "MemTotal") or "0 kB").split()[0]) / 1024**2, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        postgresql=postgresql,
        packages={name: version(name) for name in _PACKAGES},
        at=datetime.now(UTC).isoformat(timespec="minutes"),
        busy=round(os.getloadavg()[0], 1),
    )


def _field(file: Path, name: str) -> str:
    if not file.exists():
        return ""
    lines = (line.partition(":") for line in file.read_text().splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")
