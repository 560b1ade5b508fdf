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


class ProcessorSeconds(Struct, frozen=True, kw_only=True):
    """The time of all processors since the start of the machine, and what its host kept of it (proc_stat(5), "steal").

    A virtual machine wanted to run then and could not. Where nobody tells, it is none.
    """

    all: float
    stolen: float

    def stolen_since(self, before: "ProcessorSeconds") -> float:
        """Return the stolen share of the time since then."""
        return (self.stolen - before.stolen) / max(self.all - before.all, 1.0)


def processor_seconds(stat: Path = Path("/proc/stat")) -> ProcessorSeconds:
    """Return them as they are now."""
    if not stat.exists():
        return ProcessorSeconds(all=0.0, stolen=0.0)
    ticks = [int(number) for number in stat.read_text().splitlines()[0].split()[1:9]]
    each = os.sysconf("SC_CLK_TCK")
    return ProcessorSeconds(all=sum(ticks) / each, stolen=ticks[7] / each)


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
