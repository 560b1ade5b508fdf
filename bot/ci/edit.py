"""Edits of a `.gitlab-ci.yml` as text: only the lines of the edit change, every other byte stays.

A YAML library would re-indent and re-quote what it writes, so the parser only says where things are, and the
text is spliced there.
"""

from collections.abc import Mapping, Sequence

import yaml
from msgspec import Struct

from bot.domain import CannotError


class Block(Struct, frozen=True, kw_only=True):
    """One top-level entry with the comment right above it. `start` and `end` count lines from 0, end excluded."""

    name: str
    start: int
    key: int
    end: int


def blocks(text: str) -> tuple[Block, ...]:
    """Return the top-level entries in their order; raise CannotError with the line when it is not YAML."""
    keys = [(str(key.value), key.start_mark.line) for key, _ in _root(text).value]
    lines = text.splitlines()
    starts = [_with_comment(lines, line) for _, line in keys]
    ends = [*starts[1:], len(lines)]
    return tuple(
        Block(name=name, start=start, key=key, end=end)
        for (name, key), start, end in zip(keys, starts, ends, strict=True)
    )


def block_text(text: str, block: Block) -> str:
    """Return the lines of a block without the blank ones that follow it."""
    return "".join(text.splitlines(keepends=True)[block.start : block.end]).rstrip() + "\n"


def add_job(text: str, name: str, body: str) -> str:
    """Append a job, written as YAML text with or without its `name:` line, after a blank line."""
    if any(block.name == name for block in blocks(text)):
        raise CannotError(f"the pipeline already has a job named {name}")
    written = body if _names(body, name) else f"{name}:\n" + _indented(body)
    return append_block(text, written)


def append_block(text: str, block: str) -> str:
    """Append a top-level block after one blank line, in the file's own line endings."""
    newline = "\r\n" if "\r\n" in text else "\n"
    kept = text if text.endswith(newline) or not text else text + newline
    gap = "" if not kept.strip() or kept.endswith(newline * 2) else newline
    return kept + gap + block.strip("\n").replace("\n", newline) + newline


def remove_job(text: str, name: str) -> str:
    """Remove a job with the comment right above it."""
    block = _block(text, name)
    lines = text.splitlines(keepends=True)
    return "".join(lines[: block.start] + lines[block.end :])


def set_image(text: str, name: str, image: str) -> str:
    """Set the image of a job (or of `default`)."""
    return set_value(text, (name, "image"), image)


def set_variable(text: str, name: str | None, variable: str, value: str) -> str:
    """Set a variable of a job, or of the whole pipeline when `name` is None."""
    return set_value(text, ("variables", variable) if name is None else (name, "variables", variable), value)


def set_value(text: str, path: Sequence[str], value: str) -> str:
    """Set a value below a top-level key, adding the keys that are missing."""
    node, depth = _deepest(_root(text), path)
    if depth == len(path):
        return _replace(text, node, _quoted(value))
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise CannotError(f"{'.'.join(path[:depth])} is not written as a block of keys (line {_line(node)})")
    if depth == 0:
        return append_block(text, _nested(path, value, 0))
    column = node.value[0][0].start_mark.column
    return _insert(text, node.value[0][0].start_mark.line, _nested(path[depth:], value, column))


def add_to_list(text: str, name: str, values: Sequence[str], *, before: str | None = None) -> str:
    """Add entries to a top-level list such as `stages`, before an entry or at its end."""
    node, depth = _deepest(_root(text), (name,))
    if not depth or not isinstance(node, yaml.SequenceNode) or not node.value:
        raise CannotError(f"{name} is not a list")
    target = next((item for item in node.value if item.value == before), None)
    if node.flow_style:
        position = target.start_mark if target else node.value[-1].end_mark
        joined = ", ".join(_quoted(value) for value in values)
        return _spliced(text, position, position, f"{joined}, " if target else f", {joined}")
    dash = " " * node.start_mark.column
    line = target.start_mark.line if target else _end_line(node)
    return _insert(text, line, "".join(f"{dash}- {_quoted(value)}\n" for value in values))


def add_include(text: str, include: Mapping[str, str]) -> str:
    """Include another file, after those the file already includes."""
    entry = [f"{key}: {_quoted(value)}" for key, value in include.items()]
    item = "\n  ".join([f"- {entry[0]}", *entry[1:]]) + "\n"
    node, depth = _deepest(_root(text), ("include",))
    if not depth:
        return append_block(text, "include:\n" + _indented(item))
    if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
        raise CannotError(f"include is not written as a list (line {_line(node)})")
    margin = " " * node.start_mark.column
    return _insert(text, _end_line(node), "".join(f"{margin}{line}\n" for line in item.splitlines()))


def _end_line(node: yaml.Node) -> int:
    """Return the line after the last value of a block list; its own end mark lies behind blanks and comments."""
    while isinstance(node, (yaml.SequenceNode, yaml.MappingNode)) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    is_block = isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}
    return int(node.end_mark.line) + (0 if is_block else 1)


def _root(text: str) -> yaml.MappingNode:
    try:
        documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CannotError(f"the file is not valid YAML: {error.problem} (line {line})") from error
    except yaml.YAMLError as error:
        raise CannotError(f"the file is not valid YAML: {error} (line 1)") from error
    root = documents[-1] if documents else None
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise CannotError("the file does not hold jobs by name (line 1)")
    return root


def _block(text: str, name: str) -> Block:
    block = next((block for block in blocks(text) if block.name == name), None)
    if block is None:
        raise CannotError(f"the pipeline has no job named {name}")
    return block


def _with_comment(lines: Sequence[str], key: int) -> int:
    start = key
    while start > 0 and lines[start - 1].startswith("#"):
        start -= 1
    return start


def _deepest(node: yaml.Node, path: Sequence[str]) -> tuple[yaml.Node, int]:
    """Follow the path as far as it exists."""
    for depth, name in enumerate(path):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        child = next((value for key, value in pairs if key.value == name), None)
        if child is None:
            return node, depth
        node = child
    return node, len(path)


def _replace(text: str, node: yaml.Node, value: str) -> str:
    if node.start_mark.buffer is None and node.start_mark.index == node.end_mark.index:
        value = f" {value}"
    if isinstance(node, yaml.ScalarNode):
        return _spliced(text, node.start_mark, node.end_mark, value)
    if isinstance(node, yaml.MappingNode):
        name, depth = _deepest(node, ("name",))
        if depth:
            return _spliced(text, name.start_mark, name.end_mark, value)
    raise CannotError(f"the value on line {_line(node)} is not a plain value")


def _spliced(text: str, start: yaml.Mark, end: yaml.Mark, new: str) -> str:
    return text[: start.index] + new + text[end.index :]


def _insert(text: str, line: int, new: str) -> str:
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)
    if line >= len(lines) and lines and not lines[-1].endswith("\n"):
        lines[-1] += newline
    return "".join([*lines[:line], new.replace("\n", newline), *lines[line:]])


def _nested(path: Sequence[str], value: str, column: int) -> str:
    keys = [f"{' ' * (column + 2 * depth)}{_quoted(key)}:" for depth, key in enumerate(path)]
    return "\n".join(keys) + f" {_quoted(value)}\n"


def _quoted(value: str) -> str:
    written = yaml.safe_dump(value, default_flow_style=True, width=10**6, allow_unicode=True)
    return written.removesuffix("...\n").strip("\n")


def _indented(body: str) -> str:
    return "".join(f"  {line}" if line.strip() else line for line in body.splitlines(keepends=True))


def _names(body: str, name: str) -> bool:
    try:
        return any(block.name == name for block in blocks(body))
    except CannotError:
        return False


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
