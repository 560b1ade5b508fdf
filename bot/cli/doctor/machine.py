"""This machine: the data folder and what is left on its disk."""

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bot.cli.doctor.diagnosis import Diagnosis

if TYPE_CHECKING:
    from bot.settings import Settings

_LEAST_FREE_MB = 50  # below it `serve` takes nothing in
_LITTLE_FREE_MB = 500


def look(settings: "Settings") -> Iterator[Diagnosis]:
    """Look at the data folder; it is needed by embedded parts only."""
    folder, needed = settings.data_dir, settings.database_url is None or settings.chroma_url is None
    nearest = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK):
        mend = f"Let this user write there (`chown`), or set PIPEWRIGHT_DATA_DIR to another folder than {folder}."
        yield Diagnosis("data folder", False, f"{nearest} cannot be written", mend, needed)
        return
    left = shutil.disk_usage(nearest).free // 1_000_000
    if left < _LITTLE_FREE_MB:
        mend = "Make room on that disk, or set PIPEWRIGHT_DATA_DIR to a folder on another."
        says = f"only {left} MB are left for {folder}"
        yield Diagnosis("data folder", False, says, mend, needed and left < _LEAST_FREE_MB)
        return
    yield Diagnosis("data folder", True, f"{folder} can be written")
