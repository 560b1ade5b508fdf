"""Which jobs run when: every rule is tried against every pipeline there can be."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.ci.checks.conditions import evaluate
from bot.ci.checks.document import Document
from bot.ci.checks.events import BRANCH_WITH_REQUEST, EVENTS, MERGE_REQUEST, Event
from bot.ci.checks.merged import Job
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding


def check_reach(document: Document, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Yield rules that can never match, jobs that never run, and pushes that start two pipelines."""
    visible = [job for job in jobs.values() if not job.is_hidden and not job.is_open]
    yield from _dead_rules(document, ("workflow",), _workflow_rules(document), EVENTS)
    possible = [event for event in EVENTS if is_created(document, event) is not False]
    if not possible:
        message, mend = "no pipeline is ever created", "Let one rule match, such as if: $CI_COMMIT_BRANCH."
        yield document.finding(RUNG, message, mend, "workflow", "rules")
        return
    for job in visible:
        own = document.jobs[job.name].get("rules")
        if all(runs(document, job, event) is False for event in possible):
            mend = "Change its rules, or remove the job if it is no longer wanted."
            message = f"{job.name} never runs: there is no pipeline that its rules let it into"
            yield document.finding(RUNG, message, mend, job.name, "rules", is_error=False)
        elif own == job.body.get("rules"):
            yield from _dead_rules(document, (job.name,), own, possible)
    yield from _twice(document, visible)
    yield from _nothing_between(document, visible)


def _nothing_between(document: Document, visible: list[Job]) -> Iterator[Finding]:
    """GitLab creates no pipeline of `.pre` and `.post` jobs alone."""
    if not document.is_open and visible and all(job.body.get("stage") in {".pre", ".post"} for job in visible):
        message = "all jobs are in .pre or .post, so GitLab never creates a pipeline"
        yield document.finding(RUNG, message, "Put one job into a stage between them.", visible[0].name, "stage")


def is_created(document: Document, event: Event) -> bool | None:
    """Tell whether `workflow:rules` let a pipeline start; None when it cannot be known."""
    rules = _workflow_rules(document)
    if rules is None:
        return None if document.is_open else True
    return _outcome(rules, event)


def runs(document: Document, job: Job, event: Event) -> bool | None:
    """Tell whether a job becomes part of the pipeline of an event; None when it cannot be known."""
    rules = job.body.get("rules")
    if job.is_open or {"only", "except"} & set(job.body):
        return None
    if isinstance(rules, list):
        return _outcome(rules, event)
    if _workflow_rules(document) is not None:
        return True
    # Without any rules GitLab means `only: [branches, tags]`.
    return None if document.is_open else not event.is_merge_request


def deciding(rules: list[Any], event: Event) -> int | None:
    """Return which rule decides about a pipeline; None when none matches, or it cannot be known."""
    outcomes = ((number, _matches(rule, event)) for number, rule in enumerate(rules))
    number, matched = next(((number, matched) for number, matched in outcomes if matched is not False), (None, None))
    return number if matched else None


def _workflow_rules(document: Document) -> list[Any] | None:
    workflow = document.data.get("workflow")
    rules = workflow.get("rules") if isinstance(workflow, dict) else None
    return rules if isinstance(rules, list) else None


def _outcome(rules: list[Any], event: Event) -> bool | None:
    """The first rule that matches decides; none of them means no."""
    outcomes: set[bool] = set()
    for rule in rules:
        matched = _matches(rule, event)
        if matched is not False:
            outcomes.add(not isinstance(rule, dict) or rule.get("when") != "never")
        if matched:
            break
    else:
        outcomes.add(False)
    return outcomes.pop() if len(outcomes) == 1 else None


def _matches(rule: Any, event: Event) -> bool | None:
    if not isinstance(rule, dict):
        return None
    condition = rule.get("if")
    result = True if condition is None else None
    if isinstance(condition, str):
        result = None if "$[[" in condition else evaluate(condition, event.variables)
    depends = "changes" in rule or "exists" in rule
    return None if result and depends else result


def _dead_rules(document: Document, path: tuple[str, ...], rules: Any, events: Any) -> Iterator[Finding]:
    """Report the rules that no pipeline ever reaches, or that match none."""
    if not isinstance(rules, list):
        return
    reached = {number for event in events for number in _reached(rules, event)}
    matched = {
        number for event in events for number in _reached(rules, event) if _matches(rules[number], event) is not False
    }
    for number, rule in enumerate(rules):
        if not isinstance(rule, dict) or number in matched:
            continue
        what = "can never be true" if number in reached else "is never reached: the rules above it always match"
        mend = "Remove it, or correct its condition." if number in reached else "Move it up, or remove it."
        condition = f" ({rule['if']})" if isinstance(rule.get("if"), str) else ""
        message = f"rule {number + 1} of {path[0]}{condition} {what}"
        yield document.finding(RUNG, message, mend, *path, "rules", number, is_error=False)


def _reached(rules: list[Any], event: Event) -> Iterator[int]:
    for number, rule in enumerate(rules):
        yield number
        if _matches(rule, event):
            return


def _twice(document: Document, jobs: list[Job]) -> Iterator[Finding]:
    """Warn where a push to a branch with a merge request starts two pipelines for the same commit."""
    if not (is_created(document, MERGE_REQUEST) and is_created(document, BRANCH_WITH_REQUEST)):
        return
    both = [job for job in jobs if runs(document, job, MERGE_REQUEST) and runs(document, job, BRANCH_WITH_REQUEST)]
    if not both:
        return
    mend = "Add workflow:rules that stop the branch pipeline when $CI_OPEN_MERGE_REQUESTS is set."
    message = "a push to a branch with an open merge request starts two pipelines"
    if _workflow_rules(document) is not None:
        yield document.finding(RUNG, message, mend, "workflow", "rules", is_error=False)
        return
    message = f"{message}, because of the rules of {both[0].name}"
    yield document.finding(RUNG, message, mend, both[0].name, "rules", is_error=False)
