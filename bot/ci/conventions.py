"""Reads from pipelines of a house what most of them agree on: runner tags, mirror, stages, default image."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml
from msgspec import Struct, structs

from bot.ci.checks.document import read_document
from bot.ci.images import is_of_docker_hub, mirror_of
from bot.domain import CannotError, Conventions

FIELDS = ("tags", "mirror", "stages", "default_image")


class Habit(Struct, frozen=True, kw_only=True):
    """What one pipeline does; None where it says nothing about it."""

    tags: tuple[str, ...] | None = None
    mirror: str | None = None
    stages: tuple[str, ...] | None = None
    default_image: str | None = None


def conventions_of(pipelines: Sequence[str], whose: str) -> Conventions:
    """Return what more than half of the pipelines agree on; `whose` ends "seen in 4 of 5 pipelines of …"."""
    habits = [habit for text in pipelines if (habit := habit_of(text)) is not None]
    found: dict[str, Any] = {}
    because: dict[str, str] = {}
    for field in FIELDS:
        counted = Counter(value for habit in habits if (value := getattr(habit, field)))
        value, times = (counted.most_common(1) or [(None, 0)])[0]
        if value and times * 2 > len(habits):
            found[field] = value
            noun = "pipeline" if len(habits) == 1 else "pipelines"
            because[field] = f"{_named(field, value)}, seen in {times} of {len(habits)} {noun} of {whose}"
    return Conventions(**found, because=because)


def sketch(fragment: str) -> str:
    """Return a template's fragment as a pipeline, with a letter for whatever Jinja would write."""
    plain = re.sub(r"\{#.*?#\}|\{%.*?%\}", "", fragment, flags=re.DOTALL)
    return re.sub(r"\{\{.*?\}\}", "x", plain, flags=re.DOTALL)


def joined(first: Conventions, second: Conventions) -> Conventions:
    """Return the first, and of the second what the first leaves open."""
    taken = {field: getattr(second, field) for field in FIELDS if not getattr(first, field)}
    because = {**{field: why for field, why in second.because.items() if field in taken}, **first.because}
    return structs.replace(first, **taken, because=because)


def habit_of(text: str) -> Habit | None:
    """Read one pipeline; None when it is no pipeline at all."""
    try:
        document = read_document(text)
    except (CannotError, yaml.YAMLError):
        return None
    jobs = [body for name, body in document.jobs.items() if not name.startswith(".")]
    if not jobs:
        return None
    default = _mapping(document.data.get("default"))
    images = list(_images([default, document.data, *document.jobs.values()]))
    stages = document.data.get("stages")
    return Habit(
        tags=_tags(default, jobs),
        mirror=_mirror(images),
        stages=tuple(map(str, stages)) if isinstance(stages, list) and stages else None,
        default_image=_image(default.get("image") or document.data.get("image")) or None,
    )


def _tags(default: Mapping[str, Any], jobs: Sequence[Mapping[str, Any]]) -> tuple[str, ...] | None:
    """What the default says, else what every job says."""
    lists = [default.get("tags")] if default.get("tags") else [job.get("tags") for job in jobs]
    said = {tuple(map(str, tags)) if isinstance(tags, list) else () for tags in lists}
    only = said.pop() if len(said) == 1 else ()
    return only if only and not any("$" in tag for tag in only) else None


def _mirror(images: Sequence[str]) -> str | None:
    """A prefix is a mirror when two different official images stand behind it; one alone may be a house's own."""
    behind: dict[str, set[str]] = {}
    for image in images:
        if found := mirror_of(image):
            behind.setdefault(found[0], set()).add(found[1])
    sure = [prefix for prefix, names in behind.items() if len(names) > 1 or re.search(r"/library$|PROXY", prefix)]
    return sure[0] if len(sure) == 1 and not any(map(is_of_docker_hub, images)) else None


def _images(entries: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        yield from filter(None, [_image(entry.get("image"))])
        services = entry.get("services")
        yield from filter(None, map(_image, services if isinstance(services, list) else []))


def _image(value: object) -> str:
    return str(value.get("name", "")) if isinstance(value, dict) else value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _named(field: str, value: Any) -> str:
    shown = f"[{', '.join(value)}]" if isinstance(value, tuple) else value
    return f"{field.replace('_', ' ')} {shown}"
