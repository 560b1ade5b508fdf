"""What a repository's own short scripts do, told by the tools they call: `scripts/check` may test, or only lint."""

import re

from bot.survey import commands
from bot.survey.tree import Folder

_MOST = 4_000
# `${PREFIX}ruff` is ruff, wherever the variable points.
_PREFIX = re.compile(r"^\$\{?\w+\}?/?")


def is_own_script(folder: Folder, line: str) -> bool:
    """Say whether a command calls a script of this repository by its place."""
    return bool(commands.OWN_SCRIPT.fullmatch(_program(line))) and folder.has(_program(line).removeprefix("./"))


def only_lints(folder: Folder, line: str) -> bool:
    """Say whether what is called is a script that runs linters and no tests, whatever its name promises."""
    if not is_own_script(folder, line):
        return False
    text = folder.text(_program(line).removeprefix("./"))[:_MOST]
    kinds = {commands.kind(re.sub(r"\$\{?\w+\}?", "x", _PREFIX.sub("", each.strip()))) for each in text.splitlines()}
    return "lint" in kinds and "test" not in kinds


def _program(line: str) -> str:
    return line.split(" ", 1)[0]
