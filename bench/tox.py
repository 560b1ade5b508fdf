"""What tox runs: the commands of the environments that a command names, from tox.ini, setup.cfg or pyproject.toml."""

import configparser
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

_NAMED = re.compile(r"(?:-e|-f) ?(\S+)")


class Environments(Struct, frozen=True):
    """Commands by environment; "" has those that stand for every environment without its own."""

    commands: Mapping[str, tuple[str, ...]] = {}

    def behind(self, command: str) -> tuple[str, ...]:
        """Return what a call of tox runs; without -e it is what the plain environments run."""
        if not re.search(r"(?:^|\s)tox(?:\s|$)", command) or not self.commands:
            return ()
        named = _NAMED.search(command)
        names = named[1].split(",") if named else [""]
        plain = self.commands.get("", ())
        return tuple(line for name in names for line in self.commands.get(name, plain))


def read_tox(checkout: Path) -> Environments:
    """Read what is there; a broken file names no environments."""
    for name, section in (("tox.ini", "testenv"), ("setup.cfg", "tox:testenv")):
        found = _from_ini(checkout / name, section)
        if found:
            return Environments(found)
    return Environments(_from_toml(checkout))


def _from_ini(path: Path, section: str) -> dict[str, tuple[str, ...]]:
    try:
        return _sections(path.read_text(encoding="utf-8"), section)
    except (OSError, ValueError):
        return {}


def _sections(text: str, section: str) -> dict[str, tuple[str, ...]]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return {}
    texts = {
        name.removeprefix(section).removeprefix(":"): parser.get(name, "commands", fallback="")
        for name in parser.sections()
        if re.fullmatch(rf"{section}(?::.*)?", name)
    }
    return {name: lines for name, text in texts.items() if (lines := _lines(text.splitlines()))}


def _lines(texts: Sequence[str]) -> tuple[str, ...]:
    """Clean the commands: no line breaks, no condition, no dash for "may fail", no places for more arguments."""
    joined = re.sub(r"\\\n\s*", " ", "\n".join(texts)).splitlines()
    plain = [re.sub(r"^[\w.,{}!-]*:\s+", "", line.strip()).lstrip("-! ") for line in joined]
    return tuple(cleaned for line in plain if (cleaned := re.sub(r"\s*\{[^{}]*\}", "", line).strip()))


def _from_toml(checkout: Path) -> dict[str, tuple[str, ...]]:
    tool: Any = _toml(checkout / "tox.toml") or _toml(checkout / "pyproject.toml").get("tool", {}).get("tox", {})
    if isinstance(tool.get("legacy_tox_ini"), str):
        return _sections(tool["legacy_tox_ini"], "testenv")
    sections = {"": tool.get("env_run_base", {}), **tool.get("env", {})}
    return {name: lines for name, body in sections.items() if (lines := _listed(body.get("commands", [])))}


def _listed(commands: Sequence[Any]) -> tuple[str, ...]:
    calls = [[word for word in call if isinstance(word, str)] for call in commands if isinstance(call, list)]
    return _lines([" ".join(call) for call in calls])


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
