"""When jobs run: the grammar of `rules:if`, `only` beside `rules`, manual jobs, and pipelines that run twice."""

import re
from collections.abc import Iterator
from typing import Any

from bot.ci.checks.document import Document, Path
from bot.ci.checks.merged import Job
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<operand> \$[A-Za-z_]\w* | "[^"]*" | '[^']*' | null\b | /(?:\\.|[^/\\])+/[ismU]* )
    | (?P<compare> == | != | =~ | !~ )
    | (?P<join> && | \|\| )
    | (?P<open> \( ) | (?P<close> \) )
    )""",
    re.VERBOSE,
)
_WHY = (
    (r"\$\{", "variables are written $NAME here, without braces"),
    (r"(?<![=!<>~])=(?![=~])", "one = is no comparison; write =="),
    (r"\b(?:and|or|not)\b", "GitLab knows && and ||, but no words"),
    (r"[<>]", "GitLab compares only with ==, !=, =~ and !~"),
)


def check_rules(document: Document, jobs: dict[str, Job]) -> Iterator[Finding]:
    """Yield what is wrong with the conditions of the pipeline, its includes and its jobs."""
    for path, rule in _rules(document):
        yield from _condition(document, path, rule)
    for job in jobs.values():
        yield from _mixed(document, job)
        yield from _manual(document, job)
    yield from _twice(document, jobs)


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


def syntax_problem(text: str) -> str:
    """Return what is wrong with a `rules:if` expression, empty when GitLab accepts it."""
    kinds, position = [], 0
    stripped = text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            return _why(stripped[position:])
        kinds.append(str(match.lastgroup))
        position = match.end()
    return _order_problem(kinds)


def _why(rest: str) -> str:
    """Explain by what stands where the reader got stuck."""
    near = rest.strip()[:12]
    return next(
        (why for pattern, why in _WHY if re.match(r"\s*" + pattern, rest)), f"it cannot be read from {near!r} on"
    )


def _order_problem(kinds: list[str]) -> str:
    """Operands and operators must take turns, and brackets must close."""
    depth, wants_operand = 0, True
    for kind in kinds:
        if kind == "open" and wants_operand:
            depth += 1
        elif kind == "close" and not wants_operand and depth:
            depth -= 1
        elif kind == "operand" and wants_operand:
            wants_operand = False
        elif kind in {"compare", "join"} and not wants_operand:
            wants_operand = True
        else:
            return "an operator is missing" if kind in {"operand", "open"} else "a value is missing, or a bracket"
    if depth:
        return "a bracket is not closed"
    return "it ends where a value should follow" if wants_operand else ""


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


def _twice(document: Document, jobs: dict[str, Job]) -> Iterator[Finding]:
    """Warn where a push to a branch with a merge request starts two pipelines for the same commit."""
    workflow = document.data.get("workflow")
    rules = workflow.get("rules") if isinstance(workflow, dict) else None
    if document.has_includes and rules is None:
        return
    mend = "Add workflow:rules that stop the branch pipeline when $CI_OPEN_MERGE_REQUESTS is set."
    message = "a push to a branch with an open merge request starts two pipelines"
    if isinstance(rules, list):
        if _runs_twice(rules):
            yield document.finding(RUNG, message, mend, "workflow", "rules", is_error=False)
        return
    for job in jobs.values():
        own = job.body.get("rules")
        if not job.is_hidden and isinstance(own, list) and _runs_twice(own):
            yield document.finding(
                RUNG, f"{message}, because of the rules of {job.name}", mend, job.name, "rules", is_error=False
            )
            return


def _runs_twice(rules: list[Any]) -> bool:
    """Say whether rules let both the merge request and the branch through."""
    conditions = [(str(rule.get("if", "")), rule.get("when")) for rule in rules if isinstance(rule, dict)]
    if any("CI_OPEN_MERGE_REQUESTS" in text for text, _ in conditions):
        return False
    excluded = [text for text, when in conditions if when == "never"]
    kept = [text for text, when in conditions if when != "never"]
    merge = any(not text or "merge_request_event" in text or "CI_MERGE_REQUEST_" in text for text in kept)
    branch = any(not text or re.search(r'\$CI_COMMIT_BRANCH(?!\s*==)|== "push"', text) for text in kept)
    never = any(
        re.search(r'merge_request_event|CI_MERGE_REQUEST_|"push"|CI_COMMIT_BRANCH(?!\s*[=!])', text)
        for text in excluded
    )
    return merge and branch and not never
