"""Repositories of hooks for pre-commit: which ones a checkout pins, and what the tree of one says it is."""

import configparser
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml
from msgspec import Struct

CONFIG = ".pre-commit-config.yaml"
HOOKS = ".pre-commit-hooks.yaml"
_GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?")
_REV = re.compile(r"[\w.][\w./+-]*")
_SETUPS = ("setup.py", "pyproject.toml")
_NO_VERSION = re.compile(r"""\bversion ?= ?["']0\.0\.0["']""")
_PINNED = re.compile(r"""(["'])([A-Za-z0-9][\w.-]*)((?:\[[\w,. -]+\])?==)[\w.!+]+\1""")


class _Hooks(Struct, frozen=True):
    repo: str
    rev: str = ""


class _Config(Struct, frozen=True):
    repos: list[_Hooks] = []


class BadConfigError(Exception):
    """A checkout's settings of pre-commit cannot be read; the message says why."""


def pins(checkout: Path) -> Iterator[tuple[str, str]]:
    """Yield OWNER/NAME and revision of every repository on GitHub that a checkout takes hooks from."""
    try:
        found = msgspec.convert(yaml.safe_load(_text(checkout / CONFIG)) or {}, _Config)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise BadConfigError(f"{checkout.name}: {CONFIG} is skipped: {' '.join(str(error).split())}") from error
    for each in found.repos:
        name = _GITHUB.fullmatch(each.repo)
        if name and _REV.fullmatch(each.rev):
            yield name[1], each.rev


def wrapped(tree: Path) -> str:
    """Return the one package that a tree only pins, as pre-commit-mirror-maker makes them; "" for any other tree."""
    texts = [_text(tree / name) for name in _SETUPS]
    packages = {found[2] for text in texts for found in _PINNED.finditer(text)}
    return packages.pop() if len(packages) == 1 and any(map(_NO_VERSION.search, texts)) else ""


def pin(tree: Path, package: str, version: str) -> None:
    """Let such a tree pin another version of its package."""
    for name in _SETUPS:
        text = _text(tree / name)
        if _PINNED.search(text):
            new = _PINNED.sub(rf"\g<1>{package}\g<3>{version}\g<1>", text)
            (tree / name).write_text(new, encoding="utf-8")
    if _text(tree / ".version"):
        (tree / ".version").write_text(f"{version}\n", encoding="utf-8")


def distribution(tree: Path) -> str:
    """Return the name under which a tree is released, "" when it does not say."""
    project = _toml(tree / "pyproject.toml")
    named = project.get("project", {}).get("name") or project.get("tool", {}).get("poetry", {}).get("name")
    if named:
        return str(named)
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(_text(tree / "setup.cfg"))
    except configparser.Error:
        return ""
    called = re.search(r"""\bname ?= ?["']([\w.-]+)["']""", _text(tree / "setup.py"))
    return parser.get("metadata", "name", fallback="") or (called[1] if called else "")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError:
        return {}


def _text(path: Path) -> str:
    """A link may lead anywhere on this machine, so it counts as no file."""
    is_own = path.is_file() and not path.is_symlink()
    return path.read_text(encoding="utf-8", errors="replace") if is_own else ""
