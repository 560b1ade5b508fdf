"""The three things one can do to a tree as text, each with its exact inverse: insert, delete, replace.

What is inserted, or put in the place of a value, is text: nothing else in the file is written again, so every other
byte stays. A deleted entry goes with the comment right above it and the blank lines before that.
"""

from collections.abc import Sequence

from msgspec import Struct

from bot.ci.edit.tree import (
    Entry,
    Node,
    column_of,
    find,
    line_end,
    line_number,
    line_start,
    next_line,
    position_of,
    read_tree,
)
from bot.domain import CannotError

Path = tuple[str | int, ...]
Span = tuple[int, int]


class Insert(Struct, frozen=True, kw_only=True, tag="insert"):
    """Put an entry, as text, into a list or mapping. `offset` moves the place past text that lies between entries."""

    path: Path
    position: int
    text: str
    offset: int = 0


class Delete(Struct, frozen=True, kw_only=True, tag="delete"):
    """Take an entry out of a list or mapping."""

    path: Path
    position: int


class Replace(Struct, frozen=True, kw_only=True, tag="replace"):
    """Put another text behind a key's colon, or an item's dash, up to the end of its value and its comment."""

    path: Path
    text: str


Splice = Insert | Delete | Replace


def splice(text: str, change: Splice) -> str:
    """Return the text after a change; raise CannotError when that would be no pipeline any more."""
    start, end = _span(text, change)
    written = "" if isinstance(change, Delete) else change.text
    result = text[:start] + written + text[end:]
    read_tree(result)
    return result


def inverse_splice(text: str, change: Splice) -> Splice:
    """Return the change that leads from the changed text back to this one, byte for byte."""
    start, end = _span(text, change)
    if isinstance(change, Replace):
        return Replace(path=change.path, text=text[start:end])
    if isinstance(change, Insert):
        return Delete(path=change.path, position=change.position)
    back = Insert(path=change.path, position=change.position, text=text[start:end])
    changed = text[:start] + text[end:]
    offset = start - _span(changed, back)[0]
    return Insert(path=change.path, position=change.position, text=text[start:end], offset=offset)


def value_span(text: str, path: Path) -> Span:
    """Return where a value stands with the space before it and the comment behind it."""
    owner, depth = find(read_tree(text), path[:-1])
    position = position_of(owner, path[-1]) if depth == len(path) - 1 else None
    if position is None:
        raise CannotError(f"{'.'.join(map(str, path))} is not there")
    entry = owner.entries[position]
    start = entry.colon or entry.start
    return start, entry.node.end if owner.is_flow else content_end(text, entry)


def content_end(text: str, entry: Entry) -> int:
    """Return the end of an entry's last line: also comments below it belong to it, if they stand deeper."""
    end = line_end(text, max(entry.node.end, entry.colon))
    column = column_of(text, entry.start)
    line = next_line(text, end)
    while line < len(text):
        stop = line_end(text, line)
        written = text[line:stop].strip()
        if written and not (written.startswith("#") and text[line:stop].index("#") > column):
            break
        end = stop if written else end
        if next_line(text, stop) == stop:
            break
        line = next_line(text, stop)
    return end


def comment_start(text: str, entry: Entry) -> int:
    """Return where an entry begins: with the comment lines right above it, in the same column."""
    start = line_start(text, entry.start)
    margin = text[start : entry.start]
    if margin.strip():
        return entry.start
    while start > 0:
        above = line_start(text, _break_before(text, start))
        if not text[above:start].startswith(f"{margin}#"):
            break
        start = above
    return start


def _span(text: str, change: Splice) -> Span:
    if isinstance(change, Replace):
        return value_span(text, change.path)
    owner, depth = find(read_tree(text), change.path)
    if depth < len(change.path) or owner.kind not in {"mapping", "sequence"}:
        where = ".".join(map(str, change.path)) or "the file"
        raise CannotError(f"{where} is not a list or set of keys (line {line_number(text, owner.start)})")
    if isinstance(change, Insert):
        place = _place(text, owner, change.position) + change.offset
        return place, place
    if not 0 <= change.position < len(owner.entries):
        raise CannotError("there is no such entry")
    return _flow_span(owner, change.position) if owner.is_flow else _block_span(text, owner.entries, change.position)


def _place(text: str, owner: Node, position: int) -> int:
    """Return where a new entry's text begins."""
    if not 0 <= position <= len(owner.entries):
        raise CannotError("there is no such place")
    if owner.is_flow:
        if not owner.entries:
            return owner.end - 1
        return _flow_end(owner.entries[position - 1]) if position else owner.entries[0].start
    return content_end(text, owner.entries[position - 1]) if position else comment_start(text, owner.entries[0])


def _flow_span(owner: Node, position: int) -> Span:
    """An item between brackets goes with the comma before it; the first with the one behind it."""
    entries = owner.entries
    if position:
        return _flow_end(entries[position - 1]), _flow_end(entries[position])
    return entries[0].start, entries[1].start if len(entries) > 1 else owner.end - 1


def _flow_end(entry: Entry) -> int:
    return max(entry.node.end, entry.colon)


def _block_span(text: str, entries: Sequence[Entry], position: int) -> Span:
    if len(entries) == 1:
        raise CannotError("it is the only entry")
    if position == 0:
        start = comment_start(text, entries[0])
        if start == entries[0].start and column_of(text, start) and text[line_start(text, start) : start].strip():
            return start, entries[1].start
        return start, _after_blanks(text, content_end(text, entries[0]))
    floor, start = content_end(text, entries[position - 1]), comment_start(text, entries[position])
    while _break_before(text, start) > floor and not text[line_start(text, _break_before(text, start)) : start].strip():
        start = line_start(text, _break_before(text, start))
    return _break_before(text, start), content_end(text, entries[position])


def _after_blanks(text: str, end: int) -> int:
    """Return where the next line that is not blank begins."""
    line = next_line(text, end)
    while line < len(text) and not text[line : line_end(text, line)].strip():
        line = next_line(text, line_end(text, line))
    return line


def _break_before(text: str, start: int) -> int:
    """Return where the line break before the beginning of a line stands."""
    return start - 2 if text[:start].endswith("\r\n") else max(start - 1, 0)
