"""The little that is read from a Makefile: its targets and what their recipes call."""

import re
from collections.abc import Sequence

from bot.survey.tree import Folder

NAMES = ("GNUmakefile", "makefile", "Makefile")


def recipes(folder: Folder) -> dict[str, str]:
    """Return the recipe of every plain target; prerequisites stand in its first line."""
    found: dict[str, str] = {}
    current: list[str] = []
    for line in folder.text(folder.first(*NAMES)).splitlines():
        rule = re.match(r"([\w./ -]+?)\s*::?(?![=:])\s*(.*)", line)
        if rule and not line.startswith("\t"):
            current = [name for name in rule.group(1).split() if re.fullmatch(r"[\w][\w./-]*", name)]
            for name in current:
                found[name] = f"{found.get(name, '')}{rule.group(2)}\n"
        elif line.startswith("\t"):
            for name in current:
                found[name] += line.strip() + "\n"
    return found


def runs_program(folder: Folder, targets: Sequence[str], pattern: str) -> bool:
    """Say whether one of the targets calls a program, itself or through one prerequisite."""
    known = recipes(folder)
    for target in targets:
        text = known.get(target, "")
        names = text.split("\n")[0].split() if text else []
        whole = text + "".join(known.get(name, "") for name in names)
        if re.search(pattern, whole):
            return True
    return False


def unfolded(folder: Folder, target: str, depth: int = 3) -> str:
    """Return the recipe of a target and those of its prerequisites."""
    known = recipes(folder)

    def whole(name: str, left: int) -> str:
        text = known.get(name, "")
        needed = text.split("\n")[0].split() if text and left else []
        return text + "".join(whole(each, left - 1) for each in needed if each != name)

    return whole(target, depth)[:20_000]
