"""Databases that GitHub's machines bring along, and a step only has to start."""

import re
from collections.abc import Iterator, Sequence

from bot.domain import Evidence
from bot.survey.tree import find

_START = re.compile(r"(?:systemctl (?:start|enable --now) |\bservice |/etc/init\.d/)(mysql|postgresql)\b")
_CREATE = re.compile(r"create database (?:if not exists )?[`'\"\\]*(\w+)", re.IGNORECASE)
_IMAGES = {"mysql": "mysql", "postgresql": "postgres"}


def started(path: str, text: str, scripts: Sequence[str]) -> Iterator[tuple[str, Evidence]]:
    """Yield the image of each database that a script starts."""
    for found in _START.finditer("\n".join(scripts)):
        yield _IMAGES[found.group(1)], find(path, text, found.group(0))


def started_settings(path: str, text: str, scripts: Sequence[str]) -> Iterator[tuple[str, Evidence]]:
    """Yield what the started MySQL has: the password of those machines, and the database that a script makes."""
    said = "\n".join(scripts)
    found = next((each for each in _START.finditer(said) if each.group(1) == "mysql"), None)
    if found is None:
        return
    yield "MYSQL_ROOT_PASSWORD=root", find(path, text, found.group(0))
    made = _CREATE.search(said)
    if made:
        yield f"MYSQL_DATABASE={made.group(1)}", find(path, text, made.group(0))
