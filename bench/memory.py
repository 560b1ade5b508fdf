"""How the jobs of a pipeline went, kept in a folder: a run that was cut off goes on, and equal pipelines run once."""

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.jobs import JobRun


class Kept(Struct, frozen=True, kw_only=True):
    """What came of one pipeline. `mutation` is "" as long as nobody broke the repository on purpose."""

    runs: list[JobRun] = []
    noticed: bool | None = None
    mutation: str = ""


class Memory(Struct, frozen=True, kw_only=True):
    """A folder with one file for each pipeline of each checkout."""

    folder: Path

    def clear(self) -> None:
        """Forget everything: the next run measures anew."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def recall(self, repo: str, files: Mapping[str, str]) -> Kept | None:
        """Return how this pipeline went, None when it did not run yet."""
        place = self._place(repo, files)
        return msgspec.json.decode(place.read_bytes(), type=Kept) if place.is_file() else None

    def keep(self, repo: str, files: Mapping[str, str], kept: Kept) -> None:
        """Write down how this pipeline went; a process killed meanwhile leaves the old file, or none."""
        place = self._place(repo, files)
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = place.with_suffix(".new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode(kept)))
        fresh.replace(place)

    def _place(self, repo: str, files: Mapping[str, str]) -> Path:
        told = repr(sorted(files.items()))
        return self.folder / f"{repo}-{hashlib.sha256(told.encode()).hexdigest()[:12]}.json"
