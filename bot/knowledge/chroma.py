"""Opens Chroma, embedded in a folder or on a server, so that no call waits for ever."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.domain import UnreachableError
from bot.knowledge.owner import own

_CONNECT_SECONDS, _ANSWER_SECONDS = 3.0, 20.0


@contextmanager
def reaching_chroma() -> Iterator[None]:
    """Turn whatever Chroma's library raises inside into UnreachableError."""
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, httpx.HTTPError, ValueError, ConnectionError) as error:
        raise UnreachableError("Chroma", str(error)[:200] or type(error).__name__) from error


def open_collection(
    name: str, *, data_dir: Path | None, chroma_url: str | None, answer_seconds: float = _ANSWER_SECONDS
) -> Any:
    """Return the collection, made when it is not there; raises UnreachableError."""
    with reaching_chroma():
        client = _on_server(chroma_url, answer_seconds) if chroma_url else _in_folder(data_dir or Path(".pipewright"))
        return client.get_or_create_collection(
            name,
            # We always hand over our own vectors; the default function would download a model.
            embedding_function=None,
            metadata={"hnsw:space": "cosine"},
        )


def _in_folder(data_dir: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    own((data_dir / "chroma").absolute())
    return chromadb.PersistentClient(path=str(data_dir / "chroma"), settings=Settings(anonymized_telemetry=False))


def _on_server(url: str, answer_seconds: float) -> Any:
    """Its client waits without limit, from its first call on and with no setting for it: ask first, then set one."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    timeout = httpx.Timeout(answer_seconds, connect=_CONNECT_SECONDS)
    httpx.get(f"{url}/api/v2/heartbeat", timeout=timeout).raise_for_status()
    address = urlsplit(url)
    client = chromadb.HttpClient(
        host=address.hostname or "",
        port=address.port or (443 if address.scheme == "https" else 80),
        ssl=address.scheme == "https",
        settings=Settings(anonymized_telemetry=False),
    )
    client._server._session.timeout = timeout  # type: ignore[attr-defined]
    return client
