"""Where an edit goes in a file, and how it looks there: indented like the rest, among keys in their usual order."""

from typing import Any

from bot.ci.checks.document import read_document
from bot.ci.checks.merged import deep_merged, references
from bot.ci.edit.splice import Delete, Insert, Path, Replace, Splice, comment_start, content_end, value_span
from bot.ci.edit.tree import Entry, Node, column_of, find, line_number, line_start, position_of, read_tree
from bot.ci.edit.values import Style, entry, inline, is_inline, style_of
from bot.domain import CannotError

_FILE_ORDER = ("spec", "include", "stages", "workflow", "default", "variables", "image", "services", "cache")
_JOB_ORDER = (
    "<<", "extends", "stage", "image", "services", "inherit", "needs", "dependencies", "rules", "variables", "cache",
    "before_script", "script", "run", "trigger", "after_script", "coverage", "artifacts", "environment",
)  # fmt: skip


def set_value(text: str, path: Path, value: Any) -> Splice:
    """Give a key a value, adding the keys above it that are missing."""
    root = read_tree(text)
    node, depth = find(root, path)
    style = style_of(text, root, path[0])
    if depth == len(path):
        return Replace(path=path, text=_rewritten(text, path, node, value, style))
    if node.kind == "mapping" and any(isinstance(step, int) for step in path[depth:]):
        raise CannotError(f"{'.'.join(map(str, path))} is not written there, only behind an alias")
    for name in reversed(path[depth + 1 :]):
        value = {name: value}
    if len(path) > depth + 1:
        value = deep_merged(_brought(text, path[: depth + 1]), value)
    if node.is_null and depth:
        return set_value(text, path[:depth], {path[depth]: value})
    if node.kind != "mapping":
        where = ".".join(map(str, path[:depth]))
        raise CannotError(f"{where} is not written as a set of keys (line {line_number(text, node.start)})")
    return add_entry(text, path[:depth], str(path[depth]), value)


def _brought(text: str, path: Path) -> dict[str, Any]:
    """Return what `<<` brings to a key that is not written: once it is, it hides all of that."""
    value: Any = read_document(text).data
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    if any(references(value)):
        raise CannotError(f"{'.'.join(map(str, path))} comes from an alias and refers to another job")
    return value if isinstance(value, dict) else {}


def add_entry(text: str, path: Path, key: str, value: Any) -> Splice:
    """Add a key where a careful person would put it."""
    root = read_tree(text)
    node, _ = find(root, path)
    style = style_of(text, root, path[0] if path else "")
    position = _usual_place(text, node, key, is_file=not path)
    if node.is_flow:
        return _in_brackets(path, node, position, f"{inline(key, in_brackets=True)}: {inline(value, in_brackets=True)}")
    column = column_of(text, node.entries[0].start)
    return _in_block(text, path, node, position, entry(key, value, column, style), style)


def add_item(text: str, path: Path, value: Any, position: int) -> Splice:
    """Add an item to a list, written like the others."""
    root = read_tree(text)
    node, _ = find(root, path)
    if node.kind != "sequence":
        where = ".".join(map(str, path))
        raise CannotError(f"{where} is not written as a list (line {line_number(text, node.start)})")
    if node.is_flow:
        return _in_brackets(path, node, position, inline(value, in_brackets=True))
    column = column_of(text, node.entries[0].start)
    style = style_of(text, root, path[0])
    return _in_block(text, path, node, position, entry(None, value, column, style), style)


def add_job_text(text: str, name: str, body: str, before: str | None) -> Splice:
    """Add a job, set off by blank lines as jobs are."""
    root = read_tree(text)
    if position_of(root, name) is not None:
        raise CannotError(f"the pipeline already has a job named {name}")
    position = len(root.entries) if before is None else position_of(root, before)
    if position is None:
        raise CannotError(f"the pipeline has no job named {before}")
    style = style_of(text, root)
    lines = [line.rstrip("\r") for line in body.strip("\n").split("\n")]
    if not _names(body, name):
        lines = [f"{inline(name)}:", *(f"{' ' * style.step}{line}" if line.strip() else "" for line in lines)]
    return _in_block(text, (), root, position, style.newline.join(lines), style)


def remove(text: str, path: Path) -> Splice:
    """Take a key or an item away; with the last one goes what held it."""
    root = read_tree(text)
    owner, depth = find(root, path[:-1])
    position = position_of(owner, path[-1]) if depth == len(path) - 1 else None
    if position is None:
        raise CannotError(f"{'.'.join(map(str, path))} is not there")
    if len(owner.entries) > 1:
        return Delete(path=path[:-1], position=position)
    if len(path) < 3 and path[0] not in _FILE_ORDER:
        raise CannotError(f"nothing would be left of {path[0] if len(path) > 1 else 'the pipeline'}")
    return remove(text, path[:-1])


def _in_brackets(path: Path, node: Node, position: int, written: str) -> Insert:
    if position:
        return Insert(path=path, position=position, text=f", {written}")
    return Insert(path=path, position=0, text=f"{written}, " if node.entries else written)


def _in_block(text: str, path: Path, node: Node, position: int, written: str, style: Style) -> Insert:
    gap = "" if path else _gap(text, node, position, style)
    if position:
        return Insert(path=path, position=position, text=style.newline + gap + written)
    first = node.entries[0]
    if text[line_start(text, first.start) : first.start].strip():
        # The first key of an item stands behind its dash, so the new one takes its place there.
        written = written.lstrip(" ") + style.newline + " " * column_of(text, first.start)
        return Insert(path=path, position=0, text=written)
    return Insert(path=path, position=0, text=written + style.newline + gap)


def _gap(text: str, root: Node, position: int, style: Style) -> str:
    """Blank lines stand between jobs, unless those right here have none."""
    if not 0 < position < len(root.entries):
        return style.newline
    before, after = root.entries[position - 1], root.entries[position]
    between = text[content_end(text, before) : comment_start(text, after)]
    return style.newline if between.count("\n") > 1 else ""


def _usual_place(text: str, node: Node, key: str, *, is_file: bool) -> int:
    """Return the position behind everything that usually stands earlier, at the end for what has no usual place."""
    order = _FILE_ORDER if is_file else _JOB_ORDER
    if key not in order or not (is_file or any(each.key in order for each in node.entries)):
        return len(node.entries)
    earlier = order[: order.index(key)]
    place = max((number + 1 for number, each in enumerate(node.entries) if each.key in earlier), default=0)
    return 1 if is_file and not place and _has_heading(text, node) else place


def _has_heading(text: str, root: Node) -> bool:
    """A comment above the first entry may be about the whole file, so nothing goes between the two."""
    first = root.entries[0]
    return comment_start(text, first) < first.start


def _rewritten(text: str, path: Path, node: Node, value: Any, style: Style) -> str:
    """Return what stands behind the colon with another value, its comment kept."""
    start, end = value_span(text, path)
    owner, _ = find(read_tree(text), path[:-1])
    if owner.is_flow:
        before = text[start : node.start] or (" " if owner.kind == "mapping" else "")
        return f"{before}{inline(value, in_brackets=True)}"
    is_old_inline = not node.is_block and not text[node.start : node.end].startswith(("|", ">"))
    if is_old_inline and (is_inline(value) or (node.is_flow and node.entries)):
        return f"{text[start : node.start] or ' '}{inline(value)}{text[node.end : end]}"
    comment = _comment(text, start, end, node, is_inline=is_old_inline)
    if is_inline(value):
        return f" {inline(value)}{comment}"
    entry_of = owner.entries[position_of(owner, path[-1]) or 0]
    head, _, below = _block_of(entry_of, value, text, style).partition(style.newline)
    return f"{head}{comment}{style.newline}{below}"


def _block_of(old: Entry, value: Any, text: str, style: Style) -> str:
    """Write a value as a block below a key, and return what stands behind the colon."""
    column = column_of(text, old.start)
    written = entry(None if not old.key else "x", value, column, style)
    return written[column + (2 if old.key else 1) :]


def _comment(text: str, start: int, end: int, node: Node, *, is_inline: bool) -> str:
    """Return the comment on the key's line with the space before it."""
    line = text[node.end if is_inline else start : end].partition("\n")[0].rstrip("\r")
    mark = line.find(" #") if not line.startswith("#") else 0
    if mark < 0:
        return ""
    return line[len(line[:mark].rstrip()) :] if not line[:mark].strip(" |>-+0123456789") else ""


def _names(body: str, name: str) -> bool:
    try:
        return position_of(read_tree(body), name) is not None
    except CannotError:
        return False
