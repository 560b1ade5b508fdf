"""Turns words into vectors: from a wheel, without any download, or by Ollama."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import httpx

from bot.domain import UnreachableError


class Embedder(Protocol):
    """Turns texts into vectors of one length; `name` tells indexes of different embedders apart."""

    name: str

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text."""


class StaticEmbedder:
    """Static word vectors shipped in a wheel: 0.1 ms a text, no model server."""

    name = "wordllama-256"

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text."""
        some = [text if text.strip() else "-" for text in texts]  # an empty text would have no direction: NaN
        return [[float(number) for number in row] for row in self._model.embed(some, norm=True)]

    @cached_property
    def _model(self) -> Any:
        import wordllama

        # Plainly loaded it would download the tokenizer that lies in its own folder.
        folder = Path(wordllama.__file__).parent
        return wordllama.WordLlama.load(cache_dir=folder, disable_download=True)


class OllamaEmbedder:
    """An embedding model on Ollama; a chat model answers 501 there."""

    def __init__(self, url: str, model: str) -> None:
        self.name = f"ollama-{model}"
        self._url = url
        self._model = model

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """Return one vector for each text."""
        try:
            answer = httpx.post(
                f"{self._url}/api/embed",
                json={"model": self._model, "input": list(texts), "keep_alive": "30m"},
                timeout=httpx.Timeout(120.0, connect=2.0),
                trust_env=False,
            )
            answer.raise_for_status()
            vectors: list[list[float]] = answer.json()["embeddings"]
        except httpx.HTTPStatusError as error:
            raise self._unreachable(error.response.text[:200]) from error
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise self._unreachable(f"{type(error).__name__} {error}") from error
        if len(vectors) != len(texts):
            raise self._unreachable(f"{len(vectors)} vectors for {len(texts)} texts")
        return vectors

    def _unreachable(self, why: str) -> UnreachableError:
        return UnreachableError("Ollama", f"embedding with {self._model}: {why}")
