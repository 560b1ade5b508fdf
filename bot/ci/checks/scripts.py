"""Lines of scripts that are none: what YAML read as keys or booleans, and what belongs to another CI."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.ci.checks.document import Document, Path
from bot.ci.checks.merged import Job
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding

_SCRIPTS = ("before_script", "script", "after_script")
_GITHUB = re.compile(
    r"\$\{\{\s*(?:matrix|github|env|secrets|steps|runner|inputs|needs|job|vars|strategy|hashFiles|format|always)\b"
)


def check_scripts(document: Document, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Yield what no shell will understand."""
    yield from _script_lines(document, (), document.data)
    for name in ("default", *jobs):
        yield from _script_lines(document, (name,), document.data.get(name))
    for path, text in _texts(document):
        foreign = _GITHUB.search(text)
        if foreign:
            message = f"{foreign[0]} … }}}} is GitHub's syntax, which GitLab hands to the shell as it is"
            yield document.finding(RUNG, message, "Use a variable of GitLab, written $NAME.", *path)


def _script_lines(document: Document, path: Path, body: Any) -> Iterator[Finding]:
    for key in _SCRIPTS:
        lines = body.get(key) if isinstance(body, dict) else None
        for number, line in enumerate(lines if isinstance(lines, list) else []):
            if isinstance(line, (str, list)):
                continue
            mend = "Put the whole line in single quotes."
            said = f"the key {next(iter(line))!r}" if isinstance(line, dict) and line else repr(line).lower()
            message = f"line {number + 1} of {key} is no text: YAML reads it as {said}"
            yield document.finding(RUNG, message, mend, *path, key, number)


def _texts(document: Document) -> Iterator[tuple[Path, str]]:
    """Return every text in the file with its place."""
    waiting: list[tuple[Path, Any]] = [((), document.data)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, dict):
            waiting += [((*path, str(key)), each) for key, each in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, number), each) for number, each in enumerate(value)]
