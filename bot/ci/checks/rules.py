"""What single rules say: conditions that cannot be read, `only` beside `rules`, manual jobs that block."""

from collections.abc import Iterator
from typing import Any

from bot.ci.checks.conditions import syntax_problem
from bot.ci.checks.document import Document, Path
from bot.ci.checks.merged import Job
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding


def check_rules(document: Document, jobs: dict[str, Job]) -> Iterator[Finding]:
    """Yield what is wrong with the conditions of the pipeline, its includes and its jobs."""
    for path, rule in _rules(document):
        yield from _condition(document, path, rule)
    for job in jobs.values():
        yield from _mixed(document, job)
        yield from _manual(document, job)


def _rules(document: Document) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Return every rule of the file as written, with its place."""
    includes = document.data.get("include")
    holders: list[tuple[Path, Any]] = [((name,), body) for name, body in document.jobs.items()]
    holders.append((("workflow",), document.data.get("workflow")))
    holders += [
        (("include", number), each) for number, each in enumerate(includes if isinstance(includes, list) else [])
    ]
    for path, holder in holders:
        rules = holder.get("rules") if isinstance(holder, dict) else None
        for number, rule in enumerate(rules if isinstance(rules, list) else []):
            if isinstance(rule, dict):
                yield (*path, "rules", number), rule


def _condition(document: Document, path: Path, rule: dict[str, Any]) -> Iterator[Finding]:
    text = rule.get("if")
    if not isinstance(text, str) or "$[[" in text:
        return
    problem = syntax_problem(text)
    if problem:
        mend = 'Write it like $CI_COMMIT_BRANCH == "main" && $CI_PIPELINE_SOURCE != "schedule".'
        yield document.finding(RUNG, f"the condition {text!r} is not valid: {problem}", mend, *path, "if")


def _mixed(document: Document, job: Job) -> Iterator[Finding]:
    for keyword in ("only", "except"):
        if keyword in job.body and "rules" in job.body:
            mend = f"Say with rules what {keyword} says, and remove {keyword}."
            at = keyword if keyword in document.jobs[job.name] else "rules"
            yield document.finding(RUNG, f"{job.name} has both rules and {keyword}", mend, job.name, at)


def _manual(document: Document, job: Job) -> Iterator[Finding]:
    rules = document.jobs[job.name].get("rules")
    for number, rule in enumerate(rules if isinstance(rules, list) else []):
        if not isinstance(rule, dict) or rule.get("when") != "manual" or job.is_hidden:
            continue
        if "allow_failure" not in rule and "allow_failure" not in job.body:
            message = f"{job.name} is manual in rules, so the pipeline stays blocked until somebody starts it"
            mend = "Add allow_failure: true to the rule if the pipeline may pass without it."
            yield document.finding(RUNG, message, mend, job.name, "rules", number, is_error=False)
