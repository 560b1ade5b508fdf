"""GitLab's limits in numbers (docs.gitlab.com/administration/instance_limits), as far as a file can pass them."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

from bot.ci.checks.document import Document, Path
from bot.ci.checks.merged import Job
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding

MAX_NAME = 255
MAX_PARALLEL = 200
MAX_KEY_FILES = 2
MAX_CACHES = 4
MAX_PATTERNS = 50
MAX_INCLUDES = 150
MAX_ACTIVE_JOBS = 500


def check_limits(document: Document, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Yield what is larger, longer or more than GitLab takes."""
    included = document.data.get("include")
    yield from _most(document, ("include",), included, MAX_INCLUDES, "files are included")
    visible = [job for job in jobs.values() if not job.is_hidden]
    total = sum(copies(job) for job in visible)
    if total > MAX_ACTIVE_JOBS:
        message = f"a pipeline may have {total} jobs, where gitlab.com's Free tier allows {MAX_ACTIVE_JOBS} at a time"
        yield document.finding(RUNG, message, "Move some to a child pipeline.", is_error=False)
    for job in visible:
        if copies(job) > MAX_PARALLEL:
            message = f"{job.name} runs {copies(job)} times, GitLab allows {MAX_PARALLEL}"
            yield document.finding(RUNG, message, "Drop some values.", job.name, "parallel")
    for name in ("default", *document.jobs):
        body = document.data.get(name)
        if isinstance(body, dict):
            yield from _caches(document, name, body.get("cache"))
            yield from _patterns(document, name, body.get("rules"))


def copies(job: Job) -> int:
    """Return how many jobs one becomes through `parallel`."""
    parallel = job.body.get("parallel")
    if isinstance(parallel, int):
        return parallel
    matrix = parallel.get("matrix") if isinstance(parallel, dict) else None
    rows = [row for row in matrix if isinstance(row, dict)] if isinstance(matrix, list) else []
    return sum(prod(len(v) if isinstance(v, list) else 1 for v in row.values()) for row in rows) or 1


def _caches(document: Document, name: str, value: Any) -> Iterator[Finding]:
    yield from _most(document, (name, "cache"), value, MAX_CACHES, "caches are set")
    listed: list[tuple[Path, Any]] = [((name, "cache"), value)]
    if isinstance(value, list):
        listed = [((name, "cache", number), each) for number, each in enumerate(value)]
    for path, cache in listed:
        key = cache.get("key") if isinstance(cache, dict) else None
        for keyword in ("files", "files_commits"):
            files = key.get(keyword) if isinstance(key, dict) else None
            yield from _most(document, (*path, "key", keyword), files, MAX_KEY_FILES, "files make the cache key")


def _patterns(document: Document, name: str, rules: Any) -> Iterator[Finding]:
    for number, rule in enumerate(rules if isinstance(rules, list) else []):
        for keyword in ("changes", "exists"):
            value = rule.get(keyword) if isinstance(rule, dict) else None
            paths = value.get("paths") if isinstance(value, dict) else value
            yield from _most(document, (name, "rules", number, keyword), paths, MAX_PATTERNS, "patterns are listed")


def _most(document: Document, path: Path, value: Any, limit: int, what: str) -> Iterator[Finding]:
    if isinstance(value, list) and len(value) > limit:
        yield document.finding(RUNG, f"{len(value)} {what}, GitLab allows {limit}", "Drop some of them.", *path)
