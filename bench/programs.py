"""Running other programs, always under a time limit that ends their children too."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct


class Ran(Struct, frozen=True, kw_only=True):
    """How a program ended. `output` is what it printed, `said` is that and its errors in one."""

    code: int
    output: str
    said: str
    is_late: bool = False

    def tail(self, lines: int = 20) -> str:
        """Return the last lines that are not empty."""
        return "\n".join([line for line in self.said.splitlines() if line.strip()][-lines:])


def run(
    command: Sequence[str],
    *,
    limit: float,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    text: str = "",
) -> Ran:
    """Run a program; after `limit` seconds its whole group is killed and the result is late."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(text.encode(), timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        return _ran(124, output, errors, is_late=True)
    return _ran(process.returncode, output, errors)


def _ran(code: int, output: bytes, errors: bytes, *, is_late: bool = False) -> Ran:
    printed = output.decode(errors="replace")
    return Ran(code=code, output=printed, said=printed + errors.decode(errors="replace"), is_late=is_late)
