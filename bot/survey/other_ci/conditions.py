"""Decides a step's condition as GitHub would (docs.github.com/en/actions/reference/workflows-and-actions/expressions).

Values are texts, compared without case; None is what nobody knows before the run, such as the event or a secret.
"""

import re
from collections.abc import Callable, Mapping, Sequence

Value = str | None
_TOKEN = re.compile(r"\s*(?:(\|\||&&|[=!<>]=|[<>!(),])|('(?:[^']|'')*')|([\w.*\[\]-]+))")
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_LONGEST, _DEEPEST = 2_000, 40  # nobody writes such a one, but to keep its reader busy
_FALSY = frozenset({"", "false", "0", "null"})
_STATES = {"always": "true", "success": "true", "failure": "false", "cancelled": "false"}
_ORDERS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (1, 0)}


def holds(condition: str, row: Mapping[str, str]) -> bool:
    """Decide a condition for one row of the matrix, on Linux, before anything failed; the unknown does not hold."""
    written = EXPRESSION.sub(lambda match: match.group(1), condition).strip()
    if not written:
        return True
    if len(written) > _LONGEST or max(written.count("("), written.count("!")) > _DEEPEST:
        return False
    try:
        return _truth(_Reader(_tokens(written), row).whole()) == "true"
    except ValueError:
        return False


def _tokens(written: str) -> list[str]:
    tokens, at = [], 0
    while at < len(written):
        found = _TOKEN.match(written, at)
        if found is None:
            raise ValueError(written)
        tokens.append(found.group(found.lastindex or 0))
        at = found.end()
    return tokens


class _Reader:
    """Reads an expression by its operators' ranks; each method takes what it reads from the tokens."""

    def __init__(self, tokens: Sequence[str], row: Mapping[str, str]) -> None:
        self._left = list(tokens)
        self._row = row

    def whole(self) -> Value:
        value = self._any()
        if self._left:
            raise ValueError(self._left)
        return value

    def _next(self, *wanted: str) -> str:
        """Take the next token if it is one of these; "" says that it is another."""
        return self._left.pop(0) if self._left and self._left[0] in wanted else ""

    def _any(self) -> Value:
        return self._joined("||", "true", self._all)

    def _all(self) -> Value:
        return self._joined("&&", "false", self._compared)

    def _joined(self, sign: str, settles: str, part: Callable[[], Value]) -> Value:
        """Read parts between signs: the first whose truth settles the whole is its value, else the last is."""
        value = part()
        while self._next(sign):
            other = part()
            if _truth(value) != settles:
                value = other if value is not None else _if_truth(other, settles)
        return value

    def _compared(self) -> Value:
        value = self._negated()
        sign = self._next("==", "!=", *_ORDERS)
        return _compare(value, sign, self._negated()) if sign else value

    def _negated(self) -> Value:
        if self._next("!"):
            truth = _truth(self._negated())
            return None if truth is None else _text(truth == "false")
        return self._one()

    def _one(self) -> Value:
        if self._next("("):
            value = self._any()
            self._close()
            return value
        if not self._left or re.match(r"[|&=!<>(),]", self._left[0]):
            raise ValueError(self._left)
        word = self._left.pop(0)
        return _call(word, self._given()) if self._next("(") else _named(word, self._row)

    def _given(self) -> list[Value]:
        if self._next(")"):
            return []
        given = [self._any()]
        while self._next(","):
            given.append(self._any())
        self._close()
        return given

    def _close(self) -> None:
        if not self._next(")"):
            raise ValueError(self._left)


def _named(word: str, row: Mapping[str, str]) -> Value:
    name = word.lower()
    if word.startswith("'"):
        return name[1:-1].replace("''", "'")
    if name in _STATES or re.fullmatch(r"-?\d[\d.]*|true|false|null", name):
        return _STATES.get(name, name)
    if name.startswith("matrix."):
        return row.get(word.partition(".")[2], "ubuntu-latest" if name == "matrix.os" else "").lower()
    if name == "runner.os":
        return "linux"
    known = re.fullmatch(r"steps\.[\w-]+\.(outcome|conclusion|outputs\.cache-hit)", name)
    return ("" if name.endswith("cache-hit") else "success") if known else None


def _call(name: str, given: list[Value]) -> Value:
    if not given:
        return _STATES.get(name.lower())
    within, sought = given[0], given[-1]
    if len(given) != 2 or within is None or sought is None:
        return None
    found = {"contains": sought in within, "startswith": within.startswith(sought), "endswith": within.endswith(sought)}
    return _text(found[name.lower()]) if name.lower() in found else None


def _compare(left: Value, sign: str, right: Value) -> Value:
    if left is None or right is None:
        return None
    if sign in {"==", "!="}:
        return _text((left == right) == (sign == "=="))
    numbers = [float(each) if re.fullmatch(r"-?\d+(\.\d+)?", each) else None for each in (left, right)]
    first, second = numbers
    if first is None or second is None:
        return "false"
    return _text((first > second) - (first < second) in _ORDERS[sign])


def _truth(value: Value) -> Value:
    return None if value is None else _text(value not in _FALSY)


def _if_truth(value: Value, truth: str) -> Value:
    """Beside the unknown only what settles the whole by itself counts."""
    return value if _truth(value) == truth else None


def _text(is_so: bool) -> str:
    return "true" if is_so else "false"
