"""Regular expressions: GitLab reads them with RE2, which knows less than most and refuses the whole file."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.ci.checks.document import Document, Path
from bot.ci.checks.merged import Job
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding

_MEND = "Correct the expression; syntax is at github.com/google/re2/wiki/Syntax."
_BEYOND = (
    (r"\(\?<?[=!]", "RE2 cannot look ahead or behind"),
    (r"\(\?>|[*+?}]\+", "RE2 has no possessive or atomic groups"),
    (r"\\[1-9]", "RE2 cannot refer back to a group"),
)


def pattern_problem(pattern: str) -> str:
    """Return what is wrong with an expression between its slashes, empty when GitLab reads it."""
    bare = re.sub(r"\[\^?\]?(?:\\.|[^\]\\])*\]", "a", re.sub(r"\\(?:[pPx]\{[^}]*\}|[^1-9])", "a", pattern))
    beyond = next((why for what, why in _BEYOND if re.search(what, bare)), "")
    if beyond:
        return beyond
    try:
        re.compile(_as_python(pattern))
    except (re.error, OverflowError) as error:
        return str(error)
    return ""


def check_patterns(document: Document, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Yield the expressions of coverage, `only` and `except` that cannot be read."""
    for path, text in _written(document):
        match = re.fullmatch(r"/(.*)/[ismU]*", text, re.DOTALL) if isinstance(text, str) else None
        problem = pattern_problem(match[1]) if match else ""
        if problem:
            yield document.finding(RUNG, f"the expression {text} is not valid: {problem}", _MEND, *path)


def _as_python(pattern: str) -> str:
    """Write what only RE2 knows, or knows under another name, as something Python reads."""
    plain = re.sub(r"\[:\^?\w+:\]", "a", pattern)
    plain = re.sub(r"\\[pP](?:\{[^}]*\}|\w)|\\[zCQEa-zA-Z]", "a", plain)
    plain = re.sub(r"\(\?[a-zA-Z-]+\)", "", plain)
    return re.sub(r"\(\?[a-zA-Z-]*:", "(?:", plain).replace("(?<", "(?P<")


def _written(document: Document) -> Iterator[tuple[Path, Any]]:
    for name, body in document.jobs.items():
        yield (name, "coverage"), body.get("coverage")
        for keyword in ("only", "except"):
            refs = body.get(keyword)
            inside = refs.get("refs") if isinstance(refs, dict) else refs
            place = (name, keyword, "refs") if isinstance(refs, dict) else (name, keyword)
            for number, each in enumerate(inside if isinstance(inside, list) else []):
                yield (*place, number), each
