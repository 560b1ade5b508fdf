"""A YAML file as a tree that knows where in the text every part of it stands; nothing is ever written from it."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import yaml
from msgspec import Struct

from bot.ci.nesting import FAST, refuse_endless_nesting
from bot.domain import CannotError

BYTE_ORDER_MARK = "\ufeff"
BREAKS = "\n\r\x85\u2028\u2029"
Kind = Literal["scalar", "alias", "mapping", "sequence"]


class Node(Struct, frozen=True, kw_only=True):
    """A value. `text[start:end]` is the value without the comments, blank lines and line break that follow it."""

    kind: Kind
    start: int
    end: int
    value: str = ""
    is_flow: bool = False
    entries: tuple[Entry, ...] = ()

    @property
    def is_block(self) -> bool:
        """Whether it is a list or mapping over several lines, without brackets."""
        return bool(self.entries) and not self.is_flow

    @property
    def is_null(self) -> bool:
        """Whether nothing is written at all."""
        return self.kind == "scalar" and self.start == self.end


class Entry(Struct, frozen=True, kw_only=True):
    """A key with its value, or an item. `colon` is the index behind the `:` or `-`, 0 where there is none."""

    key: str
    start: int
    colon: int
    node: Node


def read_tree(text: str) -> Node:
    """Return the last document of a file; raise CannotError with the line when it holds no mapping."""
    refuse_endless_nesting(text.removeprefix(BYTE_ORDER_MARK))
    try:
        root = _Reader(text).root()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CannotError(f"the file is not valid YAML: {error.problem} (line {line})") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise CannotError(f"the file is not valid YAML: {error} (line 1)") from error
    if root is None or root.kind != "mapping" or root.is_flow:
        raise CannotError("the file does not hold jobs by name (line 1)")
    return root


def find(node: Node, path: Sequence[str | int]) -> tuple[Node, int]:
    """Follow a path of keys and positions as far as it exists; return where it ended and how far it came."""
    for depth, step in enumerate(path):
        position = position_of(node, step)
        if position is None:
            return node, depth
        node = node.entries[position].node
    return node, len(path)


def position_of(node: Node, step: str | int) -> int | None:
    """Return where a key or item stands among the entries, None when it is not there."""
    if isinstance(step, int):
        return step if node.kind == "sequence" and 0 <= step < len(node.entries) else None
    if node.kind != "mapping":
        return None
    # Of a key given twice, the last one counts.
    return next((number for number in reversed(range(len(node.entries))) if node.entries[number].key == step), None)


def column_of(text: str, index: int) -> int:
    """Return how far from the beginning of its line something stands."""
    return index - line_start(text, index)


def line_start(text: str, index: int) -> int:
    """Return where the line of a place begins."""
    while index > 0 and text[index - 1] not in BREAKS + BYTE_ORDER_MARK:
        index -= 1
    return index


def line_end(text: str, index: int) -> int:
    """Return where the line of a place ends, before its break."""
    while index < len(text) and text[index] not in BREAKS:
        index += 1
    return index


def next_line(text: str, end: int) -> int:
    """Return where the line after a line's end begins."""
    return end + 2 if text.startswith("\r\n", end) else min(end + 1, len(text))


def line_number(text: str, index: int) -> int:
    """Return the number of a line, counted from 1."""
    return len(re.findall(f"\r\n|[{BREAKS}]", text[:index])) + 1


class _Reader:
    """Builds the tree from PyYAML's events; the tokens say where colons and dashes are."""

    def __init__(self, text: str) -> None:
        self.text = text
        # The parsers do not agree on whether a byte order mark counts.
        self.shift = int(text.startswith(BYTE_ORDER_MARK))
        written = text[self.shift :]
        tokens = list(yaml.scan(written, Loader=FAST))
        self.colons = [self._index(each.start_mark) for each in tokens if isinstance(each, yaml.ValueToken)]
        self.dashes = [self._index(each.start_mark) for each in tokens if isinstance(each, yaml.BlockEntryToken)]
        self.events: Iterator[yaml.Event] = iter(yaml.parse(written, Loader=FAST))
        # Only composing tells whether every alias has its anchor.
        list(yaml.compose_all(written, Loader=FAST))

    def root(self) -> Node | None:
        found: Node | None = None
        for event in self.events:
            if isinstance(event, yaml.NodeEvent):
                found = self._node(event)
        return None if found is None or found.is_null else found

    def _node(self, event: yaml.Event) -> Node:
        start, end = self._index(event.start_mark), self._index(event.end_mark)
        if isinstance(event, yaml.AliasEvent):
            return Node(kind="alias", start=start, end=end)
        if isinstance(event, yaml.ScalarEvent):
            return Node(kind="scalar", start=start, end=self._trimmed(event), value=event.value)
        kind: Kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
        is_flow = isinstance(event, yaml.CollectionStartEvent) and bool(event.flow_style)
        entries: list[Entry] = []
        while not isinstance(inner := next(self.events), (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            entries.append(self._pair(inner) if kind == "mapping" else self._item(inner, is_flow=is_flow))
        if not is_flow and entries:
            return Node(
                kind=kind, start=start, end=max(entries[-1].node.end, entries[-1].colon), entries=tuple(entries)
            )
        return Node(kind=kind, start=start, end=self._index(inner.end_mark), is_flow=is_flow, entries=tuple(entries))

    def _pair(self, event: yaml.Event) -> Entry:
        key = self._node(event)
        node = self._node(next(self.events))
        colon = self._before(self.colons, node.start)
        return Entry(key=key.value, start=key.start, colon=colon if colon > key.end - 1 else 0, node=node)

    def _item(self, event: yaml.Event, *, is_flow: bool) -> Entry:
        node = self._node(event)
        if is_flow:
            return Entry(key="", start=node.start, colon=0, node=node)
        dash = self._before(self.dashes, node.start)
        return Entry(key="", start=max(dash - 1, 0), colon=dash, node=node)

    def _index(self, mark: Any) -> int:
        """Return the index of a mark; PyYAML's types allow that there is none."""
        return int(mark.index) + self.shift

    def _before(self, places: list[int], index: int) -> int:
        """Return the index behind the last colon or dash before a place, 0 when there is none."""
        number = bisect.bisect_left(places, index)
        return places[number - 1] + 1 if number else 0

    def _trimmed(self, event: yaml.ScalarEvent) -> int:
        """A block scalar ends behind its last line that counts; blank lines count only after `|+`."""
        start, end = self._index(event.start_mark), self._index(event.end_mark)
        if event.style not in {"|", ">"}:
            return end
        header = self.text[start : line_end(self.text, start)].partition("#")[0]
        written = self.text[start:end]
        if "+" in header:
            return end - _last_break(written)
        return start + len(written.rstrip(f" \t{BREAKS}"))


def _last_break(written: str) -> int:
    """Return the length of the line break that a text ends with."""
    return 2 if written.endswith("\r\n") else int(written[-1:] in set(BREAKS))
