"""The index: keeps documents in Chroma, brings only changes up to date, answers with passages."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from bot.knowledge.chroma import open_collection, reaching_chroma
from bot.knowledge.embed import Embedder
from bot.knowledge.rank import mixed

_MOST_CANDIDATES = 200


class Document(Struct, frozen=True, kw_only=True):
    """Something to be found; `content_hash` changes whenever the text or what it stands for changes."""

    id: str
    text: str
    content_hash: str
    metadata: dict[str, str] = {}


class Passage(Struct, frozen=True, kw_only=True):
    """Something found."""

    id: str
    text: str
    score: float
    content_hash: str


class IndexReport(Struct, frozen=True, kw_only=True):
    """What indexing did, in numbers of documents."""

    changed: int
    removed: int
    unchanged: int


class Knowledge:
    """One collection of documents.

    Embedded, one process must own it: another's `query` would not see its writes (chroma-core/chroma#3792).
    """

    def __init__(self, collection: Any, embedder: Embedder) -> None:
        self._collection = collection
        self._embedder = embedder

    @classmethod
    def open(cls, *, data_dir: Path | None, chroma_url: str | None, embedder: Embedder) -> "Knowledge":
        """Open the index, embedded in a folder or on a server; raises UnreachableError when it does not answer.

        Vectors of another embedder are of no use, so each embedder has a collection of its own.
        """
        name = f"pipewright-{embedder.name.replace(':', '-').replace('/', '-')}"[:120]
        collection = open_collection(name, data_dir=data_dir, chroma_url=chroma_url)
        return cls(collection, embedder)

    def index(self, documents: Sequence[Document]) -> IndexReport:
        """Bring the index to exactly these documents, embedding only what changed."""
        with reaching_chroma():
            return self._index(documents)

    def _index(self, documents: Sequence[Document]) -> IndexReport:
        stored = self._collection.get(include=["metadatas"])
        known = {id_: meta.get("content_hash") for id_, meta in zip(stored["ids"], stored["metadatas"], strict=True)}
        wanted = {document.id: document for document in documents}
        changed = [document for document in documents if known.get(document.id) != document.content_hash]
        removed = [id_ for id_ in known if id_ not in wanted]
        if removed:
            self._collection.delete(ids=removed)
        if changed:
            self._collection.upsert(
                ids=[document.id for document in changed],
                documents=[document.text for document in changed],
                embeddings=self._embedder.embed([document.text for document in changed]),
                metadatas=[{**document.metadata, "content_hash": document.content_hash} for document in changed],
            )
        return IndexReport(changed=len(changed), removed=len(removed), unchanged=len(documents) - len(changed))

    def search(
        self, query: str, *, where: Mapping[str, str | Sequence[str]] | None = None, limit: int = 5
    ) -> tuple[Passage, ...]:
        """Return the best documents, best first: 0.3 words + 0.7 meaning.

        `where` keeps those whose metadata has the value, or one of the values.
        """
        with reaching_chroma():
            return self._search(query, where, limit)

    def _search(self, query: str, where: Mapping[str, str | Sequence[str]] | None, limit: int) -> tuple[Passage, ...]:
        total = self._collection.count()
        if total == 0:
            return ()
        found = self._collection.query(
            query_embeddings=self._embedder.embed([query]),
            n_results=min(total, _MOST_CANDIDATES),
            where=_filter(where),
            include=["documents", "distances", "metadatas"],
        )
        ids, texts = found["ids"][0], found["documents"][0]
        scores = mixed(query, texts, [-distance for distance in found["distances"][0]])
        passages = [
            Passage(id=id_, text=text, score=score, content_hash=str(meta["content_hash"]))
            for id_, text, score, meta in zip(ids, texts, scores, found["metadatas"][0], strict=True)
        ]
        return tuple(sorted(passages, key=lambda passage: -passage.score)[:limit])


def _filter(where: Mapping[str, str | Sequence[str]] | None) -> dict[str, Any] | None:
    """Chroma wants several conditions under `$and`."""
    if not where:
        return None
    conditions = [{key: value if isinstance(value, str) else {"$in": list(value)}} for key, value in where.items()]
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}
