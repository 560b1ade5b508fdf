"""What a `template.yml` may hold, and how it is read."""

from typing import Literal

import msgspec
from msgspec import Struct

from bot.domain import CannotError
from bot.domain.known import known

METADATA = "template.yml"

Role = Literal["unit", "addition", "extra", "fallback"]


class Metadata(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a `template.yml` holds.

    A `unit` template writes the jobs of one unit, an `addition` joins whatever unit it applies to, an `extra`
    is written only when a person's words hold one of the phrases `asked_by`: for every unit it applies to, or once
    when it applies to nothing in particular. A `fallback` is written when nothing else applies.
    `known_by` holds the names, words and files by which people mean it; `is_usual` is true for what people mean when
    they name the language only. Where it is known that GitLab's tier or version is below `needs_tier` or
    `needs_version`, an extra is not written; `instead` says what a person can ask for then.
    """

    name: str
    description: str
    applies_to: dict[str, list[str]] = {}
    provides: list[str] = []
    role: Role = "unit"
    asked_by: list[str] = []
    known_by: list[str] = []
    is_usual: bool = False
    includes: list[dict[str, str]] = []
    assumes: list[str] = []
    needs_tier: Literal["", "premium", "ultimate"] = ""
    needs_version: str = ""
    instead: str = ""


class BrokenTemplateError(CannotError):
    """A template cannot be used; `template` is the name of its folder."""

    def __init__(self, template: str, what: str) -> None:
        super().__init__(what)
        self.template = template


def read_metadata(folder: str, text: str) -> Metadata:
    """Read a `template.yml`; raises BrokenTemplateError."""
    try:
        metadata = msgspec.yaml.decode(text, type=Metadata)
    except (msgspec.MsgspecError, ValueError) as error:
        raise BrokenTemplateError(folder, f"templates/{folder}/{METADATA} cannot be read: {error}") from error
    if metadata.name != folder:
        what = f"templates/{folder}/{METADATA} is named {metadata.name!r}, not like its folder"
        raise BrokenTemplateError(folder, what)
    return metadata


known(Metadata)
