"""Follows `include`: files of the project, of other projects and of other servers, each told as CI lint tells them.

Messages follow lib/gitlab/ci/config/external/file. What the internet holds is `World.remote_files`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from bot.sandbox.ci.reading import Loader, deep_merged

MOST_INCLUDES = 150

ReadFile = Callable[[str], str | None]


@dataclass
class Elsewhere:
    """What lies outside the project: `project` is given path, ref and file; `remote` an address."""

    project: Callable[[str, str | None, str], str | None] = lambda _path, _ref, _file: None
    remote: Callable[[str], str | None] = lambda _address: None


@dataclass
class Followed:
    """The included files merged below the whole, what lint says of each, and what went wrong."""

    data: dict[str, Any] = field(default_factory=dict)
    told: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def follow(raw: Mapping[str, Any], read_file: ReadFile | None, elsewhere: Elsewhere) -> Followed:
    """Return a configuration with everything it includes; its own words win."""
    followed = Followed()
    followed.data = _with_includes(raw, read_file or (lambda _path: None), elsewhere, followed)
    if len(followed.told) > MOST_INCLUDES:
        followed.errors.append(f"Maximum of {MOST_INCLUDES} nested includes are allowed!")
    return followed


def _with_includes(
    raw: Mapping[str, Any], read_file: ReadFile, elsewhere: Elsewhere, followed: Followed
) -> dict[str, Any]:
    base: dict[str, Any] = {}
    wanted = raw.get("include") or []
    for entry in wanted if isinstance(wanted, list) else [wanted]:
        for text, told, reads in _files_of(entry, read_file, elsewhere, followed):
            followed.told.append(told)
            if text is None or len(followed.told) > MOST_INCLUDES:
                continue
            base = deep_merged(base, _with_includes(_parsed(text, followed), reads, elsewhere, followed))
    return deep_merged(base, {key: value for key, value in raw.items() if key != "include"})


def _parsed(text: str, followed: Followed) -> dict[str, Any]:
    try:
        found = yaml.load(text, Loader=Loader) or {}
    except (yaml.YAMLError, ValueError) as error:
        followed.errors.append(f"Included file does not have valid YAML syntax: {' '.join(str(error).split())[:200]}")
        return {}
    return found if isinstance(found, dict) else {}


_Found = tuple[str | None, dict[str, Any], ReadFile]


def _files_of(entry: Any, read_file: ReadFile, elsewhere: Elsewhere, followed: Followed) -> list[_Found]:
    if isinstance(entry, str):
        entry = {"remote" if entry.startswith(("http://", "https://")) else "local": entry}
    if "template" in entry:  # GitLab ships these; their jobs do not matter here
        return [(None, _told("template", entry["template"]), read_file)]
    if "remote" in entry:
        return [_remote(str(entry["remote"]), elsewhere, followed)]
    if "project" in entry:
        names = entry.get("file")
        return [_of_project(entry, str(name), elsewhere, followed) for name in _listed(names)]
    if "component" in entry:
        followed.errors.append(f"Component '{entry['component']}' - content not found")
        return [(None, _told("component", entry["component"]), read_file)]
    path = str(entry.get("local") or "")
    text = read_file(path.lstrip("/"))
    if text is None:
        followed.errors.append(f"Local file `{path or entry}` does not exist!")
    return [(text, _told("local", path), read_file)]


def _remote(address: str, elsewhere: Elsewhere, followed: Followed) -> _Found:
    text = elsewhere.remote(address)
    if text is None:
        followed.errors.append(f"Remote file `{address}` could not be fetched because of a socket error!")
    return text, _told("remote", address), lambda _path: None


def _of_project(entry: Mapping[str, Any], name: str, elsewhere: Elsewhere, followed: Followed) -> _Found:
    path, ref = str(entry["project"]), entry.get("ref")
    text = elsewhere.project(path, ref, name.lstrip("/"))
    if text is None:
        followed.errors.append(
            f"Project `{path}` not found or access denied! Make sure any includes are correctly defined"
        )
    told = _told("file", name, project=path, ref=ref or "HEAD")
    return text, told, lambda local: elsewhere.project(path, ref, local)


def _told(kind: str, location: object, **extra: object) -> dict[str, Any]:
    """Return an entry of lint's `includes` (doc/api/lint.md)."""
    return {
        "type": kind,
        "location": str(location),
        "blob": None,
        "raw": None,
        "extra": extra,
        "context_project": None,
        "context_sha": None,
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
