"""The versions of tools and images that proposed pipelines pin, and the day they were right: read from `pins.toml`."""

import tomllib
from functools import cache
from importlib.resources import files

from msgspec import Struct, convert

from bot.domain.known import known


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
    """Return the pinned version of a tool."""
    return pins().tools[tool].version


def pinned_image(image: str, suffix: str = "") -> str:
    """Return an image with its pinned tag."""
    return f"{image}:{pins().images[image]}{suffix}"


known(Pins)
