"""Orders what was found: facts first, then names, then 0.3 likeness of words + 0.7 likeness of meaning."""

import re
from collections.abc import Collection, Sequence
from functools import lru_cache

from msgspec import Struct

from bot.knowledge.names import named

_WORD = re.compile(r"[^\W_]+[+#]*")
_STOP = frozenset(
    "a an and are as at be by can do for from how i in is it my of on or our please so that the to we".split()
)
_WORDS_SHARE, _MEANING_SHARE = 0.3, 0.7
# Deviations stay within a few units: this puts what the facts decide before all else.
_FACTS_WEIGHT = 5.0
_USUAL_WEIGHT = 0.3


class Candidate(Struct, frozen=True, kw_only=True):
    """A document as the ranking sees it; `meaning` grows with likeness, in any unit.

    `is_chosen_by_facts` is true for what a repository's facts decide about, and not a person's words.
    """

    id: str
    text: str
    meaning: float
    names: tuple[str, ...] = ()
    is_usual: bool = False
    is_chosen_by_facts: bool = False


def ranked(query: str, candidates: Sequence[Candidate], fitting: Collection[str] = ()) -> list[float]:
    """Return a score for each candidate; `fitting` are the ids that fit a repository's facts, when it is known."""
    likeness = mixed(query, [each.text for each in candidates], [each.meaning for each in candidates])
    names = named(query, [each.names for each in candidates])
    return [like + _rules(each, name, fitting) for each, like, name in zip(candidates, likeness, names, strict=True)]


def _rules(candidate: Candidate, name: float, fitting: Collection[str]) -> float:
    usual = _USUAL_WEIGHT if candidate.is_usual else 0.0
    if not fitting:
        return name + usual
    if candidate.is_chosen_by_facts:
        return usual + (_FACTS_WEIGHT if candidate.id in fitting else -_FACTS_WEIGHT)
    return name + (_FACTS_WEIGHT if name else 0.0)


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[str, ...]:
    """Return the words that carry meaning, lightly stemmed; documents come again with every question."""
    return tuple(_stem(word) for word in _WORD.findall(text.lower()) if word not in _STOP)


def _stem(word: str) -> str:
    for ending in ("ing", "ies", "es", "ed", "s"):
        if len(word) > len(ending) + 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def mixed(query: str, texts: Sequence[str], meaning: Sequence[float]) -> list[float]:
    """Return a score for each text: 0.3 words + 0.7 meaning, both as deviations; silent words don't count."""
    from rank_bm25 import BM25Okapi

    if not texts:
        return []
    by_words = [
        float(score) for score in BM25Okapi([tokens(text) or ("-",) for text in texts]).get_scores(tokens(query))
    ]
    by_meaning = _deviations(meaning)
    if max(by_words) <= 0:
        return by_meaning
    return [
        _WORDS_SHARE * words + _MEANING_SHARE * sense
        for words, sense in zip(_deviations(by_words), by_meaning, strict=True)
    ]


def _deviations(scores: Sequence[float]) -> list[float]:
    mean = sum(scores) / len(scores)
    spread = (sum((score - mean) ** 2 for score in scores) / len(scores)) ** 0.5
    return [(score - mean) / spread if spread else 0.0 for score in scores]
