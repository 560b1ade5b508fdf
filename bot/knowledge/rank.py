"""Mixes likeness of meaning with likeness of words."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"[a-z0-9+#]+")
_STOP = frozenset(
    "a an and are as at be by can do for from how i in is it my of on or our please so that the to we".split()
)
_WORDS_SHARE, _MEANING_SHARE = 0.3, 0.7


def tokens(text: str) -> list[str]:
    """Return the words that carry meaning, lightly stemmed."""
    return [_stem(word) for word in _WORD.findall(text.lower()) if word not in _STOP]


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
        float(score) for score in BM25Okapi([tokens(text) or ["-"] for text in texts]).get_scores(tokens(query))
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
