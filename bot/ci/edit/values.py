"""Values as a careful person writes them in YAML: blocks, plain words, quotes only where they are needed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from msgspec import Struct

from bot.ci.edit.tree import Entry, Node, column_of

# GitLab's parser reads more texts as numbers and symbols than the one that is asked here whether to quote.
_MISREAD = re.compile(r"[-+]?[\d.,_:]*\d[\d.,_:eE+-]*|:.*|0[xob].*|[yYnN]")
# Quotes alone would fold the lines of a text, and some parsers take more characters for line breaks than others.
_ESCAPED = re.compile(r"[\x00-\x1f\x7f-\xa0\u2028\u2029\ufeff]")
_BLOCK = re.compile(r"(?!\s)[^\r\x00-\x08\x0b-\x1f\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]+(?<!\s)\n?")


class Style(Struct, frozen=True, kw_only=True):
    """How a file is written: its line break, its indentation, and how far lists stand in under their key."""

    newline: str = "\n"
    step: int = 2
    list_step: int = 2


def style_of(text: str, root: Node, name: str | int = "") -> Style:
    """Read the style from the first block and the first list under a key: of one entry, else of the file."""
    entries = sorted(root.entries, key=lambda each: each.key != name)
    steps = [column for column in _columns(text, entries, "mapping") if column > 0]
    lists = list(_columns(text, entries, "sequence"))
    newline = "\r\n" if "\r\n" in text else "\n"
    step = steps[0] if steps else 2
    return Style(newline=newline, step=step, list_step=lists[0] if lists else step)


def inline(value: Any, *, in_brackets: bool = False) -> str:
    """Write a value on one line."""
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{inline(k, in_brackets=True)}: {inline(v, in_brackets=True)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(inline(each, in_brackets=True) for each in value) + "]"
    if not isinstance(value, str):
        return str(yaml.safe_dump([value], default_flow_style=True)).strip()[1:-1]
    return _quoted(value, in_brackets=in_brackets)


def entry(key: str | None, value: Any, column: int, style: Style) -> str:
    """Write a key (or an item, without one) with its value as lines that stand at a column, without a last break."""
    head = "-" if key is None else f"{inline(key)}:"
    return style.newline.join(_lines(head, value, column, style))


def is_inline(value: Any) -> bool:
    """Tell whether a value is written on its key's line."""
    if isinstance(value, str):
        return not _is_block_text(value)
    return not isinstance(value, (Mapping, list, tuple)) or not value


def _lines(head: str, value: Any, column: int, style: Style) -> Iterator[str]:
    margin = " " * column
    if is_inline(value):
        yield f"{margin}{head} {inline(value)}"
    elif isinstance(value, str):
        yield f"{margin}{head} {'|' if value.endswith(chr(10)) else '|-'}"
        inside = " " * (column + style.step)
        yield from (f"{inside}{line}" if line else "" for line in value.removesuffix("\n").split("\n"))
    elif head == "-":
        yield from _item(value, column, style)
    else:
        yield f"{margin}{head}"
        yield from _inside(value, column, style)


def _item(value: Any, column: int, style: Style) -> Iterator[str]:
    """The first line of an item stands behind its dash, the others below it."""
    inner = list(_inside(value, column + 2, Style(newline=style.newline, step=0, list_step=0), style))
    yield f"{' ' * column}- {inner[0].lstrip(' ')}"
    yield from inner[1:]


def _inside(value: Any, column: int, here: Style, below: Style | None = None) -> Iterator[str]:
    style = below or here
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _lines(f"{inline(key)}:", each, column + here.step, style)
    else:
        for each in value:
            yield from _lines("-", each, column + here.list_step, style)


def _is_block_text(value: str) -> bool:
    return "\n" in value.removesuffix("\n") and _BLOCK.fullmatch(value) is not None


def _quoted(value: str, *, in_brackets: bool) -> str:
    if _ESCAPED.search(value):
        return str(yaml.safe_dump(value, default_style='"', width=10**6, allow_unicode=True)).strip("\n")
    written = str(
        yaml.safe_dump([value] if in_brackets else value, default_flow_style=True, width=10**6, allow_unicode=True)
    )
    written = written.removesuffix("...\n").strip("\n")
    written = written[1:-1] if in_brackets else written
    is_plain = not written.startswith(("'", '"'))
    if is_plain and not _MISREAD.fullmatch(value):
        return written
    if written.startswith('"') or '"' in value or "\\" in value:
        return f"'{value}'" if is_plain else written
    return f'"{value}"'


def _columns(text: str, entries: Sequence[Entry], kind: str) -> Iterator[int]:
    """Return how far the blocks right below the jobs stand in from their keys."""
    for outer in entries:
        holders = [(0, outer.node), *((column_of(text, each.start), each.node) for each in outer.node.entries)]
        for column, node in holders:
            if node.kind == kind and node.is_block:
                yield column_of(text, node.entries[0].start) - column
