"""Level 5: what a careful person expects of a pipeline, point by point, read from its expanded jobs."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bench.versions import SUPPORTED

Jobs = Mapping[str, Mapping[str, Any]]
Point = Callable[[str, Jobs], bool]
_IMAGES = {"python": "python", "node": "node", "golang": "go", "ruby": "ruby", "php": "php", "elixir": "elixir"}
_RUNS_TESTS = re.compile(r"pytest|unittest|tox|nox|jest|vitest|mocha|go test|cargo test|mvn|gradle|ctest|rspec|phpunit")


def points(text: str, jobs: Jobs) -> dict[str, bool]:
    """Return every point that applies to a pipeline, and whether it is kept."""
    return {name: point(text, jobs) for name, point in _POINTS.items()}


def share(kept: Mapping[str, bool]) -> float:
    """Return the share of points kept, by weight."""
    whole = sum(_WEIGHTS.get(name, 1) for name in kept)
    return round(sum(_WEIGHTS.get(name, 1) for name, is_kept in kept.items() if is_kept) / whole, 3) if whole else 0.0


def _images(jobs: Jobs) -> list[str]:
    found = [job.get("image", "") for job in jobs.values()]
    return [str(each.get("name", "")) if isinstance(each, dict) else str(each) for each in found if each]


def _has_version(image: str) -> bool:
    tag = image.rpartition("/")[2].partition(":")[2]
    return "$" in image or "@sha256:" in image or tag not in {"", "latest"}


def _is_supported(image: str) -> bool:
    name, _, tag = image.rpartition("/")[2].partition(":")
    known = SUPPORTED.get(_IMAGES.get(name, ""))
    if not known or not tag[:1].isdigit():
        return bool(tag)
    version = tag.partition("-")[0]
    return any(version == each or version.startswith(f"{each}.") or each.startswith(f"{version}.") for each in known)


def _every(jobs: Jobs, key: str, kept: Callable[[Any], bool]) -> bool:
    return all(kept(job[key]) for job in jobs.values() if job.get(key))


def _retries_runner_only(retry: Any) -> bool:
    return isinstance(retry, dict) and "script_failure" not in str(retry) and bool(retry.get("when"))


def _caches(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _tests_report(_: str, jobs: Jobs) -> bool:
    """Every job that runs tests hands them over as a report."""
    testing = [job for job in jobs.values() if _RUNS_TESTS.search(str(job.get("script", "")))]
    return all("junit" in str(job.get("artifacts", "")) for job in testing)


def _is_single(text: str, jobs: Jobs) -> bool:
    """A push to a branch with an open merge request makes one pipeline."""
    return "CI_OPEN_MERGE_REQUESTS" in text or not re.search(r"merge_request_event", text) or not jobs


_POINTS: dict[str, Point] = {
    "images name a version": lambda _, jobs: all(map(_has_version, _images(jobs))),
    "images are supported": lambda _, jobs: all(map(_is_supported, _images(jobs))),
    "jobs have an image": lambda text, jobs: "image:" in text or not jobs,
    "one pipeline for a push": _is_single,
    "workflow rules": lambda text, _: "workflow:" in text,
    "interruptible": lambda _, jobs: all("interruptible" in job for job in jobs.values()),
    "timeout": lambda text, _: "timeout:" in text,
    "retries runner failures only": lambda _, jobs: bool(jobs) and _every(jobs, "retry", _retries_runner_only),
    "caches have a file key": lambda _, jobs: _every(
        jobs, "cache", lambda value: all("files" in str(each) or "policy" not in str(each) for each in _caches(value))
    ),
    "artifacts expire": lambda _, jobs: _every(jobs, "artifacts", lambda value: "expire_in" in value),
    "tests report": _tests_report,
    "no failure is allowed": lambda text, _: "allow_failure: true" not in text,
    "no script from the net": lambda text, _: re.search(r"(?:curl|wget)[^|\n]*\|\s*(?:ba)?sh", text) is None,
    "no github expression": lambda text, _: "${{" not in text,
}
_WEIGHTS = {"images are supported": 2, "one pipeline for a push": 2, "tests report": 2, "no failure is allowed": 2}
