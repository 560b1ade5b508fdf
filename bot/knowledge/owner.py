"""Keeps an embedded index to one process: another's queries would go on without seeing what this one wrote."""

import fcntl
import os
from functools import cache
from pathlib import Path
from typing import TextIO

from bot.domain import CannotError


@cache
def own(folder: Path) -> TextIO:
    """Take the folder for this process, as long as it lives; raises CannotError when another has it.

    The kernel gives the lock back however the process ends; one that owns the folder already simply gets it again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "owner").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise CannotError(
            f"the embedded index in {folder} belongs to another running program (process {owner}), which keeps it up "
            "to date by itself. For several programs set PIPEWRIGHT_CHROMA_URL to a Chroma server; else use another "
            "PIPEWRIGHT_DATA_DIR."
        ) from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
