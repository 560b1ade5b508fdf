"""Taking commands over from other CI: whole lines of a known tool, from the first job that has some."""

import re
from collections.abc import Sequence

from bot.survey.facts import Facts
from bot.survey.other_ci.model import Command

MAX_LINES = 8


def take_all(facts: Facts, name: str, runs: Sequence[Sequence[Command]], pattern: str) -> bool:
    """Add the commands of every job that match the whole pattern: each check often has a job of its own."""
    return take(facts, name, [[command for run in runs for command in run]], pattern)


def take(facts: Facts, name: str, runs: Sequence[Sequence[Command]], pattern: str) -> bool:
    """Add the commands of the first job that match the whole pattern; say whether there were any."""
    for run in runs:
        lines = {command.line: command for command in run if command.line and re.fullmatch(pattern, command.line)}
        for line, command in list(lines.items())[:MAX_LINES]:
            facts.add(name, line, "other CI runs it", command.evidence)
        if lines:
            return True
    return False
