"""A scripted Ollama for the client of the model."""

from collections.abc import Iterator

import pytest

from tests.world.scripted_ollama import ScriptedOllama
from tests.world.wire import WireServer


@pytest.fixture
def ollama() -> Iterator[ScriptedOllama]:
    """The model's host, which has llama3.1:8b and qwen3:8b."""
    server = ScriptedOllama(models=["llama3.1:8b", "qwen3:8b"]).start()
    yield server
    server.stop()


@pytest.fixture
def wires() -> Iterator[WireServer]:
    """A host whose answers are written byte by byte."""
    server = WireServer().start()
    yield server
    server.stop()
