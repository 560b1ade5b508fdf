"""Whether jobs wait for jobs that exist, run earlier, and do not wait for each other."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from bot.ci.checks.document import Document, Path
from bot.ci.checks.events import EVENTS, Event
from bot.ci.checks.merged import Job
from bot.ci.checks.reach import deciding, is_created, runs
from bot.ci.checks.semantics import RUNG, stages
from bot.domain import Finding

MAX_NEEDS = 50


class Need(Struct, frozen=True, kw_only=True):
    """One job another waits for, or takes artifacts from (`keyword` is needs or dependencies)."""

    job: Job
    name: str
    keyword: str
    path: Path
    is_optional: bool = False


def check_needs(document: Document, jobs: dict[str, Job]) -> Iterator[Finding]:
    """Yield what is wrong with needs and dependencies."""
    order = stages(document)
    graph: dict[str, list[str]] = {}
    for job in (each for each in jobs.values() if not each.is_hidden):
        found = list(_needs(job))
        graph[job.name] = [need.name for need in found if need.keyword == "needs"]
        yield from _count(document, job, graph[job.name])
        yield from _doubles(document, job, found)
        yield from _dependencies(document, job, found)
        for need in found:
            yield from _check(document, need, jobs, order)
    yield from _circles(document, graph)


def _needs(job: Job) -> Iterator[Need]:
    listed = job.body.get("needs")
    if isinstance(listed, dict):
        listed = [listed]
    yield from _entries(job, listed, "needs", (job.name, "needs"))
    yield from _entries(job, job.body.get("dependencies"), "dependencies", (job.name, "dependencies"))
    rules = job.body.get("rules")
    for number, rule in enumerate(rules if isinstance(rules, list) else []):
        if isinstance(rule, dict):
            yield from _entries(job, rule.get("needs"), "needs", (job.name, "rules", number, "needs"))


def _entries(job: Job, listed: Any, keyword: str, path: Path) -> Iterator[Need]:
    for number, each in enumerate(listed if isinstance(listed, list) else []):
        entry = {"job": each} if isinstance(each, str) else each
        if not isinstance(entry, dict) or not isinstance(entry.get("job"), str) or {"pipeline", "project"} & set(entry):
            continue
        name, is_optional = entry["job"], entry.get("optional") is True
        if "$" not in name:
            yield Need(job=job, name=name, keyword=keyword, path=(*path, number), is_optional=is_optional)


def _check(document: Document, need: Need, jobs: Mapping[str, Job], order: tuple[str, ...] | None) -> Iterator[Finding]:
    other = jobs.get(need.name) or jobs.get(re.sub(r"(: \[.*\]| \d+/\d+)$", "", need.name))
    verb = "needs" if need.keyword == "needs" else "takes artifacts from"
    if other is None or other.is_hidden:
        if not need.is_optional and not (other is None and document.is_open):
            what = "which does not exist" if other is None else "which is hidden, so GitLab never runs it"
            mend = "Check the spelling, remove it, or mark it optional: true."
            yield document.finding(RUNG, f"{need.job.name} {verb} {need.name}, {what}", mend, *need.path)
        return
    if other.name == need.job.name:
        yield document.finding(RUNG, f"{need.job.name} {verb} itself", "Remove it.", *need.path)
    elif _is_later(need.job, other, order):
        mend = f"Move {other.name} to an earlier stage, or {need.job.name} to a later one."
        yield document.finding(
            RUNG, f"{need.job.name} {verb} {other.name}, which is in a later stage", mend, *need.path
        )
    elif not need.is_optional and need.keyword == "needs":
        yield from _left_out(document, need, other)


def _is_later(job: Job, other: Job, order: tuple[str, ...] | None) -> bool:
    own, needed = job.body.get("stage", "test"), other.body.get("stage", "test")
    if order is None or own not in order or needed not in order:
        return False
    return order.index(needed) > order.index(own)


def _left_out(document: Document, need: Need, other: Job) -> Iterator[Finding]:
    """GitLab creates no pipeline at all when one job needs another that its rules keep out."""
    mend = f"Give both the same rules, or mark the need of {other.name} optional: true."
    excluding = [event for event in EVENTS if event.is_usual and _excludes(document, need, other, event)]
    # A job without rules is missing in merge requests only; many a project never gets pipelines for them.
    excluding.sort(key=lambda event: event.is_merge_request)
    for event in excluding[:1]:
        message = f"{need.job.name} needs {other.name}, whose rules keep it out of the pipeline for {event.name}"
        is_error = not event.is_merge_request or "rules" in other.body
        yield document.finding(RUNG, message, mend, *need.path, is_error=is_error)


def _excludes(document: Document, need: Need, other: Job, event: Event) -> bool:
    is_certain = is_created(document, event) and runs(document, need.job, event) and _applies(need, event)
    return bool(is_certain) and runs(document, other, event) is False


def _applies(need: Need, event: Event) -> bool:
    """The needs of the rule that matches take the place of the job's own."""
    rules = need.job.body.get("rules")
    listed = rules if isinstance(rules, list) else []
    with_needs = {number for number, rule in enumerate(listed) if isinstance(rule, dict) and "needs" in rule}
    if not with_needs:
        return True
    decides = deciding(listed, event)
    return decides == need.path[2] if need.path[1] == "rules" else decides is not None and decides not in with_needs


def _count(document: Document, job: Job, names: list[str]) -> Iterator[Finding]:
    if len(names) > MAX_NEEDS:
        mend = "Let it wait for a whole stage instead: leave needs out."
        yield document.finding(
            RUNG, f"{job.name} needs {len(names)} jobs, GitLab allows {MAX_NEEDS}", mend, job.name, "needs"
        )


def _doubles(document: Document, job: Job, found: list[Need]) -> Iterator[Finding]:
    listed = [need for need in found if need.path[:2] == (job.name, "needs") and not _parallel(job, need)]
    for number, need in enumerate(listed):
        if need.name in {each.name for each in listed[:number]}:
            yield document.finding(RUNG, f"{job.name} needs {need.name} twice", "Keep one of them.", *need.path)


def _parallel(job: Job, need: Need) -> bool:
    """A job of a matrix may be needed several times, each time with other values."""
    listed, position = job.body["needs"], need.path[-1]
    entry = listed[position] if isinstance(listed, list) and isinstance(position, int) else None
    return isinstance(entry, dict) and "parallel" in entry


def _dependencies(document: Document, job: Job, found: list[Need]) -> Iterator[Finding]:
    needed = {need.name for need in found if need.keyword == "needs"}
    for need in found:
        if needed and need.keyword == "dependencies" and need.name not in needed:
            message = f"{job.name} takes artifacts from {need.name}, but does not need it"
            yield document.finding(RUNG, message, f"Add {need.name} to needs.", *need.path)


def _circles(document: Document, graph: Mapping[str, list[str]]) -> Iterator[Finding]:
    """Report each circle once, at its first job."""
    told: set[frozenset[str]] = set()
    for name in graph:
        circle = _circle(graph, name)
        if len(circle) > 1 and frozenset(circle) not in told:
            told.add(frozenset(circle))
            message = f"these jobs need each other in a circle: {' → '.join([*circle, name])}"
            yield document.finding(RUNG, message, "Remove one of these needs.", name, "needs")


def _circle(graph: Mapping[str, list[str]], start: str) -> list[str]:
    """Return the shortest way from a job back to itself, empty when there is none."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        for name in graph.get(way[-1], ()):
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []
