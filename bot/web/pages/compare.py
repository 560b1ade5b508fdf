"""What differs between two states of a draft, line by line: one list for both ways of showing it."""

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from msgspec import Struct

MOST_LINES = 4_000
_CONTEXT = 3

Kind = Literal["same", "added", "removed", "changed"]


class Row(Struct, frozen=True, kw_only=True):
    """One line on both sides, numbered from 1; a side that has nothing there is None."""

    kind: Kind
    old_number: int | None = None
    old: str | None = None
    new_number: int | None = None
    new: str | None = None


class FileDifference(Struct, frozen=True, kw_only=True):
    """How one file differs: `hunks` of rows with the unchanged lines around. None of them where it is too long."""

    path: str
    kind: Kind
    hunks: tuple[tuple[Row, ...], ...]
    is_too_long: bool = False

    @property
    def added(self) -> int:
        """How many lines came."""
        return sum(row.kind in ("added", "changed") for hunk in self.hunks for row in hunk)

    @property
    def removed(self) -> int:
        """How many lines went."""
        return sum(row.kind in ("removed", "changed") for hunk in self.hunks for row in hunk)


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> tuple[FileDifference, ...]:
    """Return every file that differs, by path."""
    paths = sorted({*old, *new})
    return tuple(_difference(path, old.get(path), new.get(path)) for path in paths if old.get(path) != new.get(path))


def one_below_the_other(hunk: tuple[Row, ...]) -> tuple[Row, ...]:
    """Return a hunk with every changed line as one that went and one that came, as unified diffs show it."""
    return tuple(_unified(hunk))


def _difference(path: str, old: str | None, new: str | None) -> FileDifference:
    before, after = (old or "").splitlines(), (new or "").splitlines()
    kind: Kind = "added" if old is None else "removed" if new is None else "changed"
    if max(len(before), len(after)) > MOST_LINES:
        return FileDifference(path=path, kind=kind, hunks=(), is_too_long=True)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    hunks = tuple(tuple(_rows(group, before, after)) for group in matcher.get_grouped_opcodes(_CONTEXT))
    return FileDifference(path=path, kind=kind, hunks=hunks)


def _rows(group: list[tuple[str, int, int, int, int]], before: list[str], after: list[str]) -> Iterator[Row]:
    for _, old_from, old_to, new_from, new_to in group:
        olds = [(number + 1, before[number]) for number in range(old_from, old_to)]
        news = [(number + 1, after[number]) for number in range(new_from, new_to)]
        for left, right in zip_longest(olds, news):
            yield _row(left, right)


def _row(left: tuple[int, str] | None, right: tuple[int, str] | None) -> Row:
    kind: Kind
    if left is None:
        kind = "added"
    elif right is None:
        kind = "removed"
    else:
        kind = "same" if left[1] == right[1] else "changed"
    old_number, old = left or (None, None)
    new_number, new = right or (None, None)
    return Row(kind=kind, old_number=old_number, old=old, new_number=new_number, new=new)


def _unified(hunk: tuple[Row, ...]) -> Iterator[Row]:
    waiting: list[Row] = []
    for row in hunk:
        if row.kind in ("removed", "changed"):
            yield Row(kind="removed", old_number=row.old_number, old=row.old)
        if row.kind in ("added", "changed"):
            waiting.append(Row(kind="added", new_number=row.new_number, new=row.new))
        if row.kind == "same":
            yield from waiting
            waiting = []
            yield row
    yield from waiting
