"""Jobs as GitLab sees them: with what they extend merged in and `!reference` tags followed."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from bot.ci.checks.document import Document, Reference

MAX_DEPTH = 12


class Job(Struct, frozen=True, kw_only=True):
    """A job with all it inherits. `is_open` means that an included file may add more to it."""

    name: str
    body: dict[str, Any]
    is_open: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether GitLab never runs it by itself."""
        return self.name.startswith(".")


def merged_jobs(document: Document) -> dict[str, Job]:
    """Return every job of the file by name, hidden ones too."""
    known: dict[str, Job] = {}
    return {name: _merged(document, name, known) for name in document.jobs}


def bases(body: dict[str, Any]) -> tuple[str, ...]:
    """Return the names a job extends, as written."""
    value = body.get("extends")
    names = value if isinstance(value, list) else [value]
    return tuple(name for name in names if isinstance(name, str))


def target(document: Document, reference: Sequence[str]) -> Any:
    """Return what a `!reference` points at; raise KeyError when there is nothing."""
    value: Any = document.data
    for step in reference:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
            continue
        if not isinstance(value, dict) or step not in value:
            raise KeyError(step)
        value = value[step]
    return value


def references(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Reference]]:
    """Return every `!reference` in a value with its place."""
    if isinstance(value, Reference):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from references(each, (*path, str(key)))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from references(each, (*path, number))


def expanded(document: Document, value: Any, depth: int = 0) -> Any:
    """Follow references; in a list, a referenced list is put in flat. One that leads nowhere gives None."""
    if depth > MAX_DEPTH:
        return None
    if isinstance(value, Reference):
        try:
            return expanded(document, target(document, value), depth + 1)
        except KeyError:
            return None
    if isinstance(value, dict):
        return {key: expanded(document, each, depth) for key, each in value.items()}
    return _flat(document, value, depth) if isinstance(value, list) else value


def _flat(document: Document, values: list[Any], depth: int) -> list[Any]:
    found: list[Any] = []
    for each in values:
        followed = expanded(document, each, depth)
        if isinstance(each, Reference):
            found += followed if isinstance(followed, list) else [] if followed is None else [followed]
        else:
            found.append(followed)
    return found


def _merged(document: Document, name: str, known: dict[str, Job], seen: tuple[str, ...] = ()) -> Job:
    """Each job is merged once: jobs that extend two others each, row upon row, would double the work with every row."""
    if name not in known:
        known[name] = _merged_anew(document, name, known, seen)
    return known[name]


def _merged_anew(document: Document, name: str, known: dict[str, Job], seen: tuple[str, ...]) -> Job:
    body = document.jobs[name]
    whole: dict[str, Any] = {}
    is_open = _points_outside(document, body)
    for base in bases(body):
        if base in seen or base == name or len(seen) > MAX_DEPTH:
            continue
        if base not in document.jobs:
            is_open = True
            continue
        inherited = _merged(document, base, known, (*seen, name))
        whole, is_open = deep_merged(whole, inherited.body), is_open or inherited.is_open
    return Job(
        name=name,
        body=deep_merged(whole, expanded(document, body)),
        is_open=is_open or _may_be_included(document, name),
    )


def _points_outside(document: Document, body: dict[str, Any]) -> bool:
    return any(reference[0] not in document.data for _, reference in references(body) if reference)


def _may_be_included(document: Document, name: str) -> bool:
    """A job without a script beside includes usually changes one that comes from there."""
    return document.is_open and not {"script", "trigger", "run"} & set(document.jobs[name])


def deep_merged(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return both, `own` winning; like GitLab, mappings are merged and lists replaced."""
    both = dict(base)
    for key, value in own.items():
        before = both.get(key)
        both[key] = deep_merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return both
