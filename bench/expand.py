"""What a command runs in the end: the script of package.json or the recipe of a Makefile behind it."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from bench.commands import split

_DEPTH = 3
_SCRIPT = re.compile(r"(?:npm|yarn|pnpm|bun)(?: run)?(?: -\S+)* ([\w:.-]+)")
_TARGET = re.compile(r"make(?: -\S+)*(?: ([\w.-]+))?")


class Runners(Struct, frozen=True, kw_only=True):
    """The scripts and the recipes of a checkout's top folder, by name."""

    scripts: Mapping[str, str] = {}
    recipes: Mapping[str, tuple[str, ...]] = {}

    def ways(self, command: str) -> tuple[str, ...]:
        """Return a command and every command it stands for."""
        return tuple(dict.fromkeys(self._expanded(command, _DEPTH)))

    def _expanded(self, command: str, depth: int) -> Iterator[str]:
        yield command
        for line in self._behind(command) if depth else ():
            for piece in split([line]):
                yield from self._expanded(piece, depth - 1)

    def _behind(self, command: str) -> tuple[str, ...]:
        script = _SCRIPT.match(command)
        if script and script[1] in self.scripts:
            return (self.scripts[script[1]],)
        target = _TARGET.match(command)
        return self.recipes.get(target[1] or "", ()) if target else ()


def read_runners(checkout: Path) -> Runners:
    """Read what is there; a broken file expands nothing."""
    return Runners(scripts=_scripts(checkout / "package.json"), recipes=_recipes(checkout / "Makefile"))


def _scripts(path: Path) -> dict[str, str]:
    try:
        scripts = json.loads(path.read_text(encoding="utf-8")).get("scripts", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return {name: text for name, text in scripts.items() if isinstance(text, str)}


def _recipes(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found = re.findall(r"^([\w.-]+)\s*:(?!=)[^\n]*\n((?:\t[^\n]*\n?)*)", text, re.MULTILINE)
    return {name: tuple(line.strip().lstrip("@-") for line in body.splitlines()) for name, body in found}
