"""Lengths of time: whether GitLab understands them, and whether they are longer than it takes."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.ci.checks.document import Document, Path
from bot.ci.checks.merged import Job
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding

_UNITS = {
    "s": (1, "s|secs?|seconds?"), "m": (60, "m|mins?|minutes?"), "h": (3600, "h|hrs?|hours?"),
    "d": (86_400, "d|days?"), "w": (604_800, "w|wks?|weeks?"), "mo": (2_592_000, "mos?|months?"),
    "y": (31_536_000, "y|yrs?|years?"),
}  # fmt: skip
_UNIT = f"(?:{'|'.join(written for _, written in _UNITS.values())})"
_DURATION = re.compile(rf"\d+(?:\.\d+)?|(?:\d+(?:\.\d+)?\s*{_UNIT}(?:\s*,?\s*(?:and\s+)?|$))+", re.IGNORECASE)
_PART = re.compile(rf"(\d+(?:\.\d+)?)\s*({_UNIT})?(?![a-z])", re.IGNORECASE)
_LONGEST = {"timeout": (2_592_000, "1 month"), "start_in": (604_800, "1 week")}


def check_durations(document: Document, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Yield the lengths of time that cannot be read or are too long."""
    for path, value in _written(document):
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            continue
        text, key, owner = str(value), str(path[-1]), path[0]
        limit, shown = _LONGEST.get(key, (0, ""))
        if not _is_duration(text, key):
            mend = 'Write it like "30 minutes", "1 week" or "1h 30m".'
            yield document.finding(RUNG, f"{owner}: {value!r} is no length of time for {key}", mend, *path)
        elif limit and "$" not in text and seconds(text) > limit:
            message = f"{owner}: {value!r} is longer than GitLab takes for {key}"
            yield document.finding(RUNG, message, f"Set at most {shown}.", *path)


def seconds(text: str) -> float:
    """Return a length of time in seconds; a bare number is one of seconds."""
    total = 0.0
    for number, unit in _PART.findall(text):
        factor = next((size for size, names in _UNITS.values() if re.fullmatch(names, unit, re.IGNORECASE)), 1)
        total += float(number) * factor
    return total


def _written(document: Document) -> Iterator[tuple[Path, Any]]:
    for name in ("default", *document.jobs):
        body = document.data.get(name)
        if not isinstance(body, dict):
            continue
        rules = body.get("rules")
        yield from (((name, key), body.get(key)) for key in ("timeout", "start_in"))
        for outer, key in (("artifacts", "expire_in"), ("environment", "auto_stop_in")):
            holder = body.get(outer)
            yield (name, outer, key), holder.get(key) if isinstance(holder, dict) else None
        for number, rule in enumerate(rules if isinstance(rules, list) else []):
            yield (name, "rules", number, "start_in"), rule.get("start_in") if isinstance(rule, dict) else None


def _is_duration(text: str, key: str) -> bool:
    if "$" in text and (key == "auto_stop_in" or "$[[" in text):
        return True
    if text == "never":
        return key in {"expire_in", "auto_stop_in"}
    return _DURATION.fullmatch(text.strip()) is not None
