"""Which documents a question names: by a tool, a file or a word that stands for them."""

import math
import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

_WORD = re.compile(r"[^\s,;:!?()\[\]{}\"'’`„“”«»]+")
# What stands behind one of these is not wanted.
_NOT = re.compile(r"\b(?:without|no|not|skip|ohne|kein|keine|sans|pas de|sin|без)\s+(?:an?\s+|any\s+|the\s+)?\S+")
_PLAIN = re.compile(r"[\w-]+")


class Question:
    """A question, taken apart once for all names it is compared with."""

    def __init__(self, words: str) -> None:
        text = _NOT.sub(" ", words.lower())
        self.words = frozenset(word.rstrip(".") for word in _WORD.findall(text)) - {""}
        self._parts = frozenset(part for word in self.words for part in re.split(r"[./_-]", word)) | self.words
        self._line = f" {' '.join(word.rstrip('.') for word in _WORD.findall(text))} "

    def says(self, name: str) -> bool:
        """Tell whether the name is in it: a word, several words in a row, or a file, perhaps by a pattern."""
        name = name.lower()
        if "*" in name:
            return any(fnmatchcase(word.rsplit("/", 1)[-1], name) for word in self.words)
        if " " in name:
            return f" {name} " in self._line
        if _PLAIN.fullmatch(name):
            return name in self._parts
        return any(word == name or word.endswith("/" + name) for word in self.words)


def rarity(names: Iterable[Sequence[str]]) -> dict[str, float]:
    """Return how much each name tells: the fewer documents have it, the more."""
    every = [set(each) for each in names]
    counts: dict[str, int] = {}
    for each in every:
        for name in each:
            counts[name] = counts.get(name, 0) + 1
    return {name: math.log(1 + len(every) / count) for name, count in counts.items()}


def named(question: str, names: Sequence[Sequence[str]]) -> list[float]:
    """Return for each document how clearly the question names it; 0 when not at all."""
    weights = rarity(names)
    asked = Question(question)
    said = {name for name in weights if asked.says(name)}
    return [sum(weights[name] for name in said.intersection(each)) for each in names]
