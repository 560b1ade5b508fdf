"""The catalogue of failure classes and the table of packages, read once from the data beside this file."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec
from msgspec import Struct

from bot.domain.known import known
from bot.failures.diagnosis import Nature


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One class of failures as `catalogue.yml` describes it."""

    kind: str
    title: str
    nature: Nature
    why: str
    advice: str = ""
    fix: str = ""
    language: str = ""
    needs: str = ""
    reasons: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    def told_by(self, text: str) -> "re.Match[str] | None":
        """Return where a line of a log tells of this class."""
        found = next((match for sign in self.signs if (match := _compiled(sign).search(text))), None)
        is_other = found is not None and any(_compiled(sign).search(text) for sign in self.unless)
        return None if is_other else found


class Package(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What brings a header, a library or a command: packages of distributions, of Python, of Node.js."""

    debian: str = ""
    alpine: str = ""
    pip: str = ""
    corepack: str = ""


class Service(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service by the ports a job calls, with what lets it start."""

    image: str
    ports: tuple[str, ...]
    variables: Mapping[str, str]


class Packages(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything in `packages.yml`."""

    headers: Mapping[str, Package]
    libraries: Mapping[str, Package]
    commands: Mapping[str, Package]
    modules: Mapping[str, str]
    plugins: Mapping[str, str]
    services: Mapping[str, Service]
    since: Mapping[str, str]
    until: Mapping[str, str]


@cache
def catalogue() -> tuple[Entry, ...]:
    """Return the classes, causes before symptoms."""
    return msgspec.convert(_read("catalogue.yml"), tuple[Entry, ...])


@cache
def packages() -> Packages:
    """Return what brings what."""
    return msgspec.convert(_read("packages.yml"), Packages)


def _read(name: str) -> Any:
    return msgspec.yaml.decode((resources.files("bot.failures") / name).read_bytes())


@cache
def _compiled(sign: str) -> "re.Pattern[str]":
    return re.compile(sign)


known(Entry, Packages)
