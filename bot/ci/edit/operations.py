"""The edits of a pipeline, as small typed values; each is brought down to one change of the text."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bot.ci.edit.place import add_item, add_job_text, remove, set_value
from bot.ci.edit.settings import SetImage, Setting
from bot.ci.edit.splice import Delete, Insert, Replace, Splice, inverse_splice, splice
from bot.ci.edit.tree import find, position_of, read_tree
from bot.domain import CannotError

DEFAULT_STAGES = ("build", "test", "deploy")


class AddJob(Struct, frozen=True, kw_only=True, tag="add_job"):
    """Add a job, written as YAML with or without its name; at the end, or before another."""

    name: str
    body: str
    before: str | None = None


class RemoveJob(Struct, frozen=True, kw_only=True, tag="remove_job"):
    """Remove a job with the comment right above it."""

    name: str


class AddStage(Struct, frozen=True, kw_only=True, tag="add_stage"):
    """Add a stage at the end, or before another."""

    stage: str
    before: str | None = None


class RemoveStage(Struct, frozen=True, kw_only=True, tag="remove_stage"):
    """Remove a stage."""

    stage: str


class AddInclude(Struct, frozen=True, kw_only=True, tag="add_include"):
    """Include another file, after those already included."""

    include: Mapping[str, Any]


class RemoveInclude(Struct, frozen=True, kw_only=True, tag="remove_include"):
    """No longer include the file at a position, counted from 0."""

    position: int


Listing = AddJob | RemoveJob | AddStage | RemoveStage | AddInclude | RemoveInclude
Edit = Setting | Listing | Insert | Delete | Replace


def apply(text: str, edit: Edit) -> str:
    """Return the text after an edit; every byte it does not concern stays. Raises CannotError with the reason."""
    return splice(text, change_of(text, edit))


def inverse(text: str, edit: Edit) -> Edit:
    """Return the edit that undoes an edit of this text, byte for byte."""
    return inverse_splice(text, change_of(text, edit))


def change_of(text: str, edit: Edit) -> Splice:
    """Bring an edit down to one change of the text."""
    if isinstance(edit, (Insert, Delete, Replace)):
        return edit
    if isinstance(edit, (AddJob, RemoveJob, AddStage, RemoveStage, AddInclude, RemoveInclude)):
        return _listed(text, edit)
    path, value = edit.target
    if isinstance(edit, SetImage) and value and find(read_tree(text), (*path, "name"))[1] == len(path) + 1:
        path = (*path, "name")
    return remove(text, path) if value is None else set_value(text, path, value)


def _listed(text: str, edit: Listing) -> Splice:
    match edit:
        case AddJob():
            return add_job_text(text, edit.name, edit.body, edit.before)
        case RemoveJob():
            if position_of(read_tree(text), edit.name) is None:
                raise CannotError(f"the pipeline has no job named {edit.name}")
            return remove(text, (edit.name,))
        case AddStage():
            return _add_stage(text, edit)
        case RemoveStage():
            return remove(text, ("stages", _stages(text).index(edit.stage) if edit.stage in _stages(text) else -1))
        case AddInclude():
            return _add_include(text, edit.include)
        case RemoveInclude():
            return remove(text, ("include", edit.position))


def _stages(text: str) -> list[str]:
    node, depth = find(read_tree(text), ("stages",))
    return [each.node.value for each in node.entries] if depth else []


def _add_stage(text: str, edit: AddStage) -> Splice:
    stages = _stages(text)
    if edit.stage in stages:
        raise CannotError(f"there is already a stage {edit.stage}")
    if not stages:
        listed = list(DEFAULT_STAGES)
        listed.insert(listed.index(edit.before) if edit.before in listed else len(listed), edit.stage)
        return set_value(text, ("stages",), listed)
    return add_item(text, ("stages",), edit.stage, stages.index(edit.before) if edit.before in stages else len(stages))


def _add_include(text: str, include: Mapping[str, Any]) -> Splice:
    node, depth = find(read_tree(text), ("include",))
    if not depth or node.is_null:
        return set_value(text, ("include",), [dict(include)])
    if node.kind == "scalar":
        return set_value(text, ("include",), [node.value, dict(include)])
    return add_item(text, ("include",), dict(include), len(node.entries))
