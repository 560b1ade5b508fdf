"""What the runs of this folder share, started once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.matrix import ground
from tests.crash.scene import Ground
from tests.world.chroma_server import started


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A PostgreSQL, a Chroma and a forking process."""
    chroma = started(tmp_path_factory.mktemp("chroma"))
    folder: Path = tmp_path_factory.mktemp("crash")
    with ground(folder, chroma.url) as opened:
        yield opened
    chroma.stop()
