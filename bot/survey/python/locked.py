"""How new a Python may be for what a lock pins: compiled packages come in wheels for the versions of their day.

A newer Python would build them from source, which mostly fails: their C code knows nothing of it.
(packaging.python.org/en/latest/specifications/platform-compatibility-tags)
"""

import re
from collections.abc import Iterator

from msgspec import Struct

from bot.domain import Evidence
from bot.survey import versions
from bot.survey.tree import Folder

_LOCKS = ("uv.lock", "poetry.lock", "pdm.lock")
_NAME = re.compile(r'^name = "([^"]+)"', re.MULTILINE)
_WHEEL = re.compile(r"-(py3|py2\.py3|cp3\d+(?:\.cp3\d+)*)-(none|abi3|cp3\w+(?:\.\w+)*)-([\w.]+)\.whl")
_OLDER_ONLY = re.compile(r"python(?:_full)?_version\s*(?:<|==)|win32|Windows|pypy", re.IGNORECASE)
_MARKER = re.compile(r"^markers? = (.*)$", re.MULTILINE)
# What uv and Poetry note of a package that another one needs.
_EDGE = re.compile(
    r'\{ name = "([^"\n]{1,100})"([^}\n]{0,300})\}|^([\w.-]{1,100}) = ("[^"\n]*"|\{[^\n]*\})$', re.MULTILINE
)


class Newest(Struct, frozen=True, kw_only=True):
    """The newest Python that a lock is built for, such as "3.12", and the package that says so."""

    version: str
    package: str
    where: Evidence


def newest_built(folder: Folder) -> Newest | None:
    """Return the newest supported Python for which every compiled package of the lock has a wheel; None if any has."""
    lock = folder.first(*_LOCKS)
    text = folder.text(lock) if lock else ""
    kept = _only_for_some(text)
    bounds = [(minor, name) for name, minor in _bounds(text) if name.lower() not in kept]
    # What ends below every supported version is hardly installed on one: a backport, without a marker that says so.
    known = [each for each in bounds if f"3.{each[0]}" in versions.LINES["python"].supported]
    if not known:
        return None
    minor, name = min(known)
    return Newest(version=f"3.{minor}", package=name, where=folder.evidence(lock, f'name = "{name}"'))


def _bounds(text: str) -> Iterator[tuple[str, int]]:
    """Yield each package that has compiled wheels for Linux alone, with the newest minor version among them."""
    for package in text.split("[[package]]")[1:]:
        name, marker = _NAME.search(package), _MARKER.search(package)
        if name is None or (marker and _OLDER_ONLY.search(marker.group(1))):
            continue
        wheels = [found.groups() for found in _WHEEL.finditer(package)]
        mine = [(tag, abi) for tag, abi, system in wheels if system == "any" or re.search(r"linux.*x86_64", system)]
        if mine and not any(abi in {"none", "abi3"} for _, abi in mine):
            yield (
                name.group(1),
                max((int(minor) for tag, _ in mine for minor in re.findall(r"cp3(\d+)", tag)), default=0),
            )


def _only_for_some(text: str) -> set[str]:
    """Return the packages that others need only on an older Python or another system."""
    some: set[str] = set()
    every: set[str] = set()
    for name, rest, other, also in _EDGE.findall(text):
        (some if _OLDER_ONLY.search(rest or also) else every).add((name or other).lower())
    return some - every
