"""A GitLab whose answers are written beforehand, and the client that asks it."""

from collections.abc import Iterator

import pytest

from bot.gitlab.client import GitLab
from tests.world.wire import WireServer


@pytest.fixture
def wires() -> Iterator[WireServer]:
    """The other end."""
    server = WireServer().start()
    yield server
    server.stop()


@pytest.fixture
def waits() -> list[float]:
    """How long the client wanted to wait, each time it did."""
    return []


@pytest.fixture
def gitlab(wires: WireServer, waits: list[float]) -> GitLab:
    """The client; it notes its waits instead of waiting."""
    return GitLab(wires.url, "glpat-of-a-test", timeout=(5.0, 5.0), sleep=waits.append)
