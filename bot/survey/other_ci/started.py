"""Databases that a step starts: those that GitHub's machines bring along, and those of actions made for that."""

import re
from collections.abc import Iterator, Sequence

from bot.domain import Evidence
from bot.survey.tree import find

_START = re.compile(r"(?:systemctl (?:start|enable --now) |\bservice |/etc/init\.d/)(mysql|postgresql)\b")
_CREATE = re.compile(r"create database (?:if not exists )?[`'\"\\]*(\w+)", re.IGNORECASE)
_ACTION = re.compile(
    r"(?:^|[/-])(postgres|mysql|mariadb|redis|mongo)(?:ql|db)?(?:-github)?-action$|/setup-(postgres|mysql|redis)$"
)
_IMAGES = {"mysql": "mysql", "postgresql": "postgres"}


def started(path: str, text: str, scripts: Sequence[str], actions: Sequence[str]) -> Iterator[tuple[str, Evidence]]:
    """Yield the image of each database that a script or an action starts."""
    for found in _START.finditer("\n".join(scripts)):
        yield _IMAGES[found.group(1)], find(path, text, found.group(0))
    for action in actions:
        made = _ACTION.search(action.partition("@")[0])
        if made:
            yield made.group(1) or made.group(2), find(path, text, action)


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
