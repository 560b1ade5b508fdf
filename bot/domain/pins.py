"""The versions of tools and images that proposed pipelines pin, and the day they were right: read from `pins.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypeVar

from msgspec import Struct, convert

from bot.domain.known import known

_Pin = TypeVar("_Pin")


class Tool(Struct, frozen=True, forbid_unknown_fields=True):
    """One pinned tool. `source` is Renovate's datasource, `package` its name there where that is another."""

    version: str
    source: str
    package: str = ""


class Pins(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything in `pins.toml`; `as_of` is a date such as 2026-11-23."""

    as_of: str
    tools: dict[str, Tool]
    images: dict[str, str]


@cache
def pins() -> Pins:
    """Return what is pinned."""
    read = tomllib.loads(files("bot.domain").joinpath("pins.toml").read_text(encoding="utf-8"))
    return convert({**read, "as_of": str(read["as_of"])}, Pins)


def pin(tool: str) -> str:
    """Return the pinned version of a tool; raises LookupError."""
    return _known(pins().tools, tool).version


def pinned_image(image: str, suffix: str = "") -> str:
    """Return an image with its pinned tag; raises LookupError."""
    return f"{image}:{_known(pins().images, image)}{suffix}"


def _known(pinned: Mapping[str, _Pin], name: str) -> _Pin:
    """Templates ask by name, and whoever writes one has to hear which name is wrong."""
    if name not in pinned:
        raise LookupError(f"nothing is pinned as `{name}`")
    return pinned[name]


known(Pins)
