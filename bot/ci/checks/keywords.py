"""Keywords that exclude or demand each other, and names that GitLab does not take."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.ci.checks.document import Document, Path
from bot.ci.checks.merged import Job
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding

# docs.gitlab.com/ci/yaml/#trigger
_NOT_OF_TRIGGERS = (
    "image", "services", "before_script", "after_script", "cache", "artifacts", "coverage", "retry", "timeout",
    "tags", "release", "secrets", "dependencies", "hooks", "pages",
)  # fmt: skip
_ENVIRONMENT = re.compile(r"[\w\-${}. ][\w\-/${}. ]*(?<!/)")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")


def check_keywords(document: Document, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Yield combinations in jobs that GitLab refuses, and those that do nothing."""
    yield from _variables(document, (), document.data.get("variables"))
    for name, body in document.jobs.items():
        yield from _variables(document, (name,), body.get("variables"))
        yield from _caches(document, name, body.get("cache"))
        yield from _changes(document, name, body.get("rules"))
    for job in (each for each in jobs.values() if not each.is_hidden):
        yield from _trigger(document, job)
        yield from _delay(document, job)
        yield from _environment(document, job)


def _trigger(document: Document, job: Job) -> Iterator[Finding]:
    if "script" in job.body and "run" in job.body:
        yield document.finding(RUNG, f"{job.name} has both script and run", "Keep one of them.", job.name, "run")
    if "trigger" not in job.body:
        return
    for key in _NOT_OF_TRIGGERS:
        if key in job.body:
            message = f"{job.name} starts another pipeline, so it cannot have {key}"
            mend = f"Remove {key}, or move it to the jobs of that pipeline."
            yield document.finding(RUNG, message, mend, job.name, key)


def _delay(document: Document, job: Job) -> Iterator[Finding]:
    """`start_in` and `when: delayed` go together, in a job and in each rule."""
    rules = job.body.get("rules")
    holders: list[tuple[Path, Any]] = [((job.name,), job.body)]
    holders += [((job.name, "rules", n), each) for n, each in enumerate(rules if isinstance(rules, list) else [])]
    for path, holder in holders:
        if not isinstance(holder, dict):
            continue
        when = holder.get("when", job.body.get("when") if path[1:] else None)
        if "start_in" in holder and when != "delayed":
            mend = "Add when: delayed, or remove start_in."
            yield document.finding(RUNG, f"{job.name} has start_in without when: delayed", mend, *path, "start_in")
        elif path[1:] and holder.get("when") == "delayed" and "start_in" not in {**job.body, **holder}:
            mend = 'Add start_in, such as "30 minutes".'
            yield document.finding(RUNG, f"{job.name} is delayed without start_in", mend, *path)


def _environment(document: Document, job: Job) -> Iterator[Finding]:
    value = job.body.get("environment")
    name = value.get("name") if isinstance(value, dict) else value
    if isinstance(name, str) and name and not _ENVIRONMENT.fullmatch(name) and "$[[" not in name:
        message = f"an environment cannot be named {name!r}"
        mend = "Use letters, digits, spaces and - _ / $ { } . only, with no / at either end."
        yield document.finding(RUNG, message, mend, job.name, "environment")


def _variables(document: Document, path: Path, variables: Any) -> Iterator[Finding]:
    for name, value in variables.items() if isinstance(variables, dict) else ():
        place = (*path, "variables", str(name))
        if not _VARIABLE.fullmatch(str(name)) and "$[[" not in str(name):
            message = f"no shell can read a variable named {name}"
            yield document.finding(RUNG, message, "Use letters, digits and _ only.", *place, is_error=False)
        options = value.get("options") if isinstance(value, dict) else None
        if isinstance(options, list) and value.get("value") not in options:
            mend = "Add the value to the options, or choose one of them."
            yield document.finding(RUNG, f"the value of {name} is not among its options", mend, *place)


def _caches(document: Document, name: str, value: Any) -> Iterator[Finding]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict) and each and not {"paths", "untracked"} & set(each) and "policy" not in each:
            message = f"the cache of {name} names no paths, so it keeps nothing"
            yield document.finding(RUNG, message, "Add paths.", name, "cache", is_error=False)


def _changes(document: Document, name: str, rules: Any) -> Iterator[Finding]:
    """Git knows paths without a slash or dot at their beginning."""
    for number, rule in enumerate(rules if isinstance(rules, list) else []):
        for keyword in ("changes", "exists"):
            value = rule.get(keyword) if isinstance(rule, dict) else None
            paths = value.get("paths") if isinstance(value, dict) else value
            for path in paths if isinstance(paths, list) else []:
                if isinstance(path, str) and path.startswith(("./", "../", "/" if keyword == "changes" else "./")):
                    message = f"{path} matches no file, since paths begin at the top of the repository"
                    mend = f"Write {path.lstrip('./')}."
                    yield document.finding(RUNG, message, mend, name, "rules", number, keyword, is_error=False)
