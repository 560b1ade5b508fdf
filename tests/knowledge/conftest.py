"""A real Chroma server for the few tests that need one."""

from collections.abc import Iterator

import pytest

from tests.world.chroma_server import ChromaServer, started


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """The server that ships with Chroma's own wheel."""
    server = started(tmp_path_factory.mktemp("chroma"))
    yield server
    server.stop()
