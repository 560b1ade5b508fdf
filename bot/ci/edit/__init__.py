"""Edits of a `.gitlab-ci.yml` as text: only the lines of the edit change, every other byte stays.

A YAML library would re-indent and re-quote what it writes, so the parser only says where things are (`tree`), and the
text is spliced there (`splice`). `operations` holds what one may ask for.
"""

from collections.abc import Iterator

from msgspec import Struct

from bot.ci.edit.operations import (
    AddInclude,
    AddJob,
    AddStage,
    Edit,
    RemoveInclude,
    RemoveJob,
    RemoveStage,
    apply,
    inverse,
)
from bot.ci.edit.place import add_job_text
from bot.ci.edit.settings import (
    SetArtifacts,
    SetCache,
    SetDefault,
    SetImage,
    SetKey,
    SetNeeds,
    SetRules,
    SetServices,
    SetVariable,
    SetWorkflow,
)
from bot.ci.edit.splice import Delete, Insert, Replace, comment_start, splice
from bot.ci.edit.tree import line_start, read_tree

__all__ = [
    "AddInclude", "AddJob", "AddStage", "Block", "Delete", "Edit", "Insert", "RemoveInclude", "RemoveJob",
    "RemoveStage", "Replace", "SetArtifacts", "SetCache", "SetDefault", "SetImage", "SetKey", "SetNeeds", "SetRules",
    "SetServices", "SetVariable", "SetWorkflow", "append_block", "apply", "block_text", "blocks", "inverse",
]  # fmt: skip


class Block(Struct, frozen=True, kw_only=True):
    """One top-level entry with the comment right above it, `text[start:end]`; its key stands at `key`."""

    name: str
    start: int
    key: int
    end: int


def blocks(text: str) -> tuple[Block, ...]:
    """Return the top-level entries in their order; raise CannotError with the line when it is not YAML."""
    return tuple(_blocks(text))


def block_text(text: str, block: Block) -> str:
    """Return the lines of a block without the blank ones that follow it."""
    return text[block.start : block.end].rstrip() + "\n"


def append_block(text: str, block: str) -> str:
    """Append top-level lines after one blank line, in the file's own line endings."""
    (name,) = {each.name for each in blocks(block)}
    return splice(text, add_job_text(text, name, block, None))


def _blocks(text: str) -> Iterator[Block]:
    entries = read_tree(text).entries
    starts = [comment_start(text, each) for each in entries]
    for each, start, end in zip(entries, starts, [*starts[1:], len(text)], strict=True):
        yield Block(name=each.key, start=start, key=line_start(text, each.start), end=end)
