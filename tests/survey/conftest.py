"""Small hand-written repositories for the survey."""

from collections.abc import Callable, Mapping

import pytest

from bot.domain import Snapshot, Survey, Unit
from bot.survey.report import survey


def snapshot_of(files: Mapping[str, str]) -> Snapshot:
    return Snapshot(paths=tuple(sorted(files)), texts={path: text for path, text in files.items() if text})


@pytest.fixture
def look() -> Callable[[Mapping[str, str]], Survey]:
    """Survey a repository given as path → text; a file with an empty text has a path only."""
    return lambda files: survey(snapshot_of(files))


@pytest.fixture
def unit_of() -> Callable[[Mapping[str, str]], Unit]:
    """Survey a repository that holds exactly one unit."""

    def one(files: Mapping[str, str]) -> Unit:
        found = survey(snapshot_of(files))
        assert len(found.units) == 1, [(unit.root, unit.ecosystem) for unit in found.units]
        return found.units[0]

    return one
