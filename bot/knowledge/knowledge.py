"""The index: keeps documents in Chroma, brings only changes up to date, answers with passages."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from bot.knowledge.chroma import open_collection
from bot.knowledge.embed import Embedder
from bot.knowledge.rank import Candidate, ranked
from bot.knowledge.shelf import Shelf

# Chroma's answer takes longer with each candidate; what is no likelier than these is not compared by its words.
CANDIDATES = 60

Where = Mapping[str, str | Sequence[str]]


class Document(Struct, frozen=True, kw_only=True):
    """Something to be found; `content_hash` changes whenever the text or what it stands for changes.

    `kind` keeps documents of different owners apart: bringing one kind up to date touches no other. `names` are the
    words and files by which people mean it.
    """

    id: str
    text: str
    content_hash: str
    kind: str = "template"
    names: tuple[str, ...] = ()
    is_usual: bool = False
    is_chosen_by_facts: bool = False
    metadata: dict[str, str] = {}


class Passage(Struct, frozen=True, kw_only=True):
    """Something found."""

    id: str
    text: str
    score: float
    content_hash: str
    metadata: dict[str, str] = {}


class IndexReport(Struct, frozen=True, kw_only=True):
    """What indexing did, in numbers of documents."""

    changed: int
    removed: int
    unchanged: int


class Knowledge:
    """One collection of documents, opened when it is first used; every method may raise UnreachableError.

    Embedded, one process must own it: another's `query` would not see its writes (chroma-core/chroma#3792).
    """

    def __init__(self, shelf: Shelf, embedder: Embedder) -> None:
        self._shelf = shelf
        self._embedder = embedder

    @classmethod
    def open(cls, *, data_dir: Path | None, chroma_url: str | None, embedder: Embedder) -> "Knowledge":
        """Return the index, embedded in a folder or on a server.

        Vectors of another embedder are of no use, so each embedder has a collection of its own.
        """
        name = f"pipewright-{embedder.name.replace(':', '-').replace('/', '-')}"[:120]
        return cls(Shelf(partial(open_collection, name, data_dir=data_dir, chroma_url=chroma_url)), embedder)

    @property
    def openings(self) -> int:
        """How often the collection was opened; after another opening it may be an empty one."""
        return self._shelf.openings

    def count(self) -> int:
        """Return how many documents there are."""
        with self._shelf.collection() as collection:
            return int(collection.count())

    def index(self, documents: Sequence[Document], kind: str = "template", *, removes: bool = True) -> IndexReport:
        """Bring one kind of documents to exactly these, embedding only what changed; no other kind is touched.

        Without `removes` those that are not among them stay: another process may have put them there meanwhile.
        """
        with self._shelf.collection() as collection:
            known = _hashes(collection, kind)
            wanted = {_key(kind, document.id): document for document in documents}
            changed = [document for key, document in wanted.items() if known.get(key) != document.content_hash]
            removed = [key for key in known if removes and key not in wanted]
            if removed:
                collection.delete(ids=removed)
            self._put(collection, changed)
        return IndexReport(changed=len(changed), removed=len(removed), unchanged=len(wanted) - len(changed))

    def stale(self, documents: Sequence[Document], kind: str) -> int:
        """Return how many documents of a kind are missing, changed or no longer wanted; nothing is changed."""
        with self._shelf.collection() as collection:
            known = _hashes(collection, kind)
        wanted = {_key(kind, document.id): document.content_hash for document in documents}
        return sum(known.get(key) != wanted.get(key) for key in known.keys() | wanted.keys())

    def put(self, documents: Sequence[Document]) -> None:
        """Add documents, or replace those of the same kind and id."""
        if not documents:
            return
        with self._shelf.collection() as collection:
            self._put(collection, documents)

    def forget(self, kind: str, ids: Collection[str]) -> None:
        """Take documents out; one that is not there is as good as taken out."""
        if ids:
            with self._shelf.collection() as collection:
                collection.delete(ids=[_key(kind, each) for each in ids])

    def _put(self, collection: Any, documents: Sequence[Document]) -> None:
        if documents:
            collection.upsert(
                ids=[_key(document.kind, document.id) for document in documents],
                documents=[document.text for document in documents],
                embeddings=self._embedder.embed([document.text for document in documents]),
                metadatas=[_metadata(document) for document in documents],
            )

    def search(
        self,
        query: str,
        *,
        where: Where | None = None,
        fitting: Collection[str] = (),
        limit: int = 5,
        among: int = CANDIDATES,
    ) -> tuple[Passage, ...]:
        """Return the best documents, best first.

        `where` keeps those whose metadata has the value, or one of the values. `fitting` are the ids of those that fit
        a repository's facts: these come before all others that facts decide about. `among` is how many of the
        likest by meaning are ranked.
        """
        with self._shelf.collection() as collection:
            found = collection.query(
                query_embeddings=self._embedder.embed([query]),
                n_results=max(among, limit),
                where=_filter(where),
                include=["documents", "distances", "metadatas"],
            )
        rows = list(zip(*(found[part][0] for part in ("ids", "documents", "distances", "metadatas")), strict=True))
        scores = ranked(query, [_candidate(*row) for row in rows], fitting)
        passages = [_passage(key, text, meta, score) for (key, text, _, meta), score in zip(rows, scores, strict=True)]
        return tuple(sorted(passages, key=lambda passage: -passage.score)[:limit])


def search_words(
    documents: Sequence[Document], query: str, *, fitting: Collection[str] = (), limit: int = 5
) -> tuple[str, ...]:
    """Return the ids of the best documents by their words alone, for when no index answers."""
    candidates = [_as_candidate(document) for document in documents]
    scored = zip(ranked(query, candidates, fitting), candidates, strict=True)
    best = sorted(scored, key=lambda pair: -pair[0])[:limit]
    return tuple(candidate.id for _, candidate in best)


def _as_candidate(document: Document) -> Candidate:
    return Candidate(
        id=document.id,
        text=document.text,
        meaning=0.0,
        names=document.names,
        is_usual=document.is_usual,
        is_chosen_by_facts=document.is_chosen_by_facts,
    )


def _hashes(collection: Any, kind: str) -> dict[str, Any]:
    stored = collection.get(where={"kind": kind}, include=["metadatas"])
    return {key: meta.get("content_hash") for key, meta in zip(stored["ids"], stored["metadatas"], strict=True)}


def _key(kind: str, id_: str) -> str:
    return f"{kind}:{id_}"


def _metadata(document: Document) -> dict[str, str | bool]:
    return {
        **document.metadata,
        "kind": document.kind,
        "content_hash": document.content_hash,
        "names": "\n".join(document.names),
        "is_usual": document.is_usual,
        "is_chosen_by_facts": document.is_chosen_by_facts,
    }


def _candidate(key: str, text: str, distance: float, meta: Mapping[str, Any]) -> Candidate:
    return Candidate(
        id=key.partition(":")[2],
        text=text,
        meaning=-distance,
        names=tuple(str(meta.get("names", "")).split("\n")),
        is_usual=bool(meta.get("is_usual")),
        is_chosen_by_facts=bool(meta.get("is_chosen_by_facts")),
    )


def _passage(key: str, text: str, meta: Mapping[str, Any], score: float) -> Passage:
    known = {name: value for name, value in meta.items() if isinstance(value, str) and name != "names"}
    return Passage(
        id=key.partition(":")[2], text=text, score=score, content_hash=str(meta["content_hash"]), metadata=known
    )


def _filter(where: Where | None) -> dict[str, Any] | None:
    """Chroma wants several conditions under `$and`."""
    if not where:
        return None
    conditions = [{key: value if isinstance(value, str) else {"$in": list(value)}} for key, value in where.items()]
    return conditions[0] if len(conditions) == 1 else {"$and": conditions}
