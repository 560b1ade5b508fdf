"""Debian packages that a README tells people to install before they build; only names that are surely there count."""

import re
from collections.abc import Iterator

from msgspec import structs

from bot.domain import Fact, Unit
from bot.survey.libraries import KNOWN_PACKAGES
from bot.survey.other_ci.packages import apt_packages
from bot.survey.tree import Folder
from bot.survey.wanted import README

_TOOLS = frozenset(
    "bison flex gperf nasm yasm gettext swig re2c texinfo help2man ninja-build protobuf-compiler xsltproc".split()
)
_FENCE = re.compile(r"(?m)^(?:```|~~~).*$")
_INDENTED = re.compile(r"(?m)^(?: {4}|\t)\s*(?:\$ )?(.*)$")
_PROJECT = re.compile(r"\b(?:project|AC_INIT)\s*\(\s*[\['\"]?([\w.+-]+)", re.IGNORECASE)
_MOST = 12


def with_readme_packages(unit: Unit, folder: Folder) -> Unit:
    """Return a C or C++ unit with what its README says the build needs and nothing else told yet."""
    if unit.ecosystem != "cpp":
        return unit
    known = set(unit.all("system_package"))
    found = [fact for fact in _facts(folder) if fact.value not in known]
    unique = {fact.value: fact for fact in reversed(found)}
    return structs.replace(unit, facts=(*unit.facts, *list(unique.values())[::-1][:_MOST])) if unique else unit


def _facts(folder: Folder) -> Iterator[Fact]:
    own = _own_name(folder)
    for name in folder.names(README.pattern):
        text, path = folder.text(name), folder.full(name)
        blocks = [*_FENCE.split(text)[1::2], "\n".join(_INDENTED.findall(text))]
        for package, where in apt_packages(path, text, blocks):
            if (package in KNOWN_PACKAGES or package in _TOOLS) and not _is_own(package, own):
                yield Fact(
                    name="system_package",
                    value=package,
                    because=f"{name} tells people to install it",
                    evidence=(where,),
                    confidence=0.4,
                )


def _own_name(folder: Folder) -> str:
    told = (_PROJECT.search(folder.text(file)) for file in ("CMakeLists.txt", "meson.build", "configure.ac"))
    return next((found.group(1).lower() for found in told if found), "")


def _is_own(package: str, own: str) -> bool:
    """Whether it is the project's own library, which a README tells those to install who do not build it."""
    bare = re.match(r"(?:lib)?([a-z]{4,})", package)
    return bare is not None and bare.group(1) in own
