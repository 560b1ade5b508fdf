"""Rules from plain words: when a job runs, when it does not, and which pipelines there are at all."""

from collections.abc import Sequence
from typing import Any

from bot.ci.asked.lookup import body_of, is_open, merged_body, written_as
from bot.ci.asked.operation import Operation, When
from bot.ci.checks.document import read_document
from bot.ci.edit import SetKey, SetRules, SetWorkflow, apply
from bot.ci.edit.place import add_item
from bot.ci.edit.splice import splice
from bot.domain import CannotError

_CONDITIONS: dict[str, str] = {
    "merge_requests": '$CI_PIPELINE_SOURCE == "merge_request_event"',
    "default_branch": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
    "branches": "$CI_COMMIT_BRANCH",
    "tags": "$CI_COMMIT_TAG",
    "nightly": '$CI_PIPELINE_SOURCE == "schedule"',
}
_WORDS: dict[str, str] = {
    "merge_requests": "for merge requests",
    "default_branch": "on the default branch",
    "branches": "on branches",
    "tags": "for tags",
    "nightly": "in scheduled pipelines",
    "manual": "when somebody starts it",
    "always": "always",
    "never": "never",
}
_ANY_BRANCH = frozenset({"$CI_COMMIT_BRANCH", "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "$CI_COMMIT_REF_NAME"})
NIGHTLY_NOTE = (
    "GitLab starts scheduled pipelines only once a schedule exists: Build > Pipeline schedules, for example with the "
    "cron line `17 3 * * *`."
)


def rules_for(when: Sequence[When], branches: Sequence[str] = (), paths: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the rules for words such as nightly or manual; `branches` narrow the branch, `paths` what changed."""
    if "never" in when:
        return [{"when": "never"}]
    rules: list[dict[str, Any]] = [{"if": condition} for condition in _conditions(when, branches)] or [{}]
    for rule in rules:
        if paths:
            rule["changes"] = list(paths)
        if "manual" in when:  # by itself such a rule would make the pipeline wait for somebody
            rule |= {"when": "manual", "allow_failure": True}
    return [rule or {"when": "on_success"} for rule in rules]


def run_when(text: str, job: str, operation: Operation) -> str:
    """Let a job run only then; rules it has already that say so by other means are replaced."""
    for old in ("only", "except", "when"):
        if written_as(text, job, old):
            text = apply(text, SetKey(job=job, key=old, value=None))
    if tuple(operation.when) == ("always",) and not operation.paths:
        return apply(text, SetRules(job=job, rules=())) if "rules" in body_of(text, job) else text
    text = apply(text, SetRules(job=job, rules=rules_for(operation.when, operation.values, operation.paths)))
    return let_schedules_in(text) if "nightly" in operation.when else text


def skip_when(text: str, job: str, operation: Operation) -> str:
    """Keep a job out of some pipelines, and as it is in all others."""
    body = merged_body(text, job)
    if "only" in body or "except" in body:
        raise CannotError(f"the job {job} uses only or except, which cannot be mixed with rules; use run_when")
    never = [{"if": condition, "when": "never"} for condition in _conditions(operation.when, operation.values)]
    if not never:
        raise CannotError("skip_when needs a condition such as tags or merge_requests")
    if written_as(text, job, "rules") == "sequence":
        for rule in reversed(never):
            text = splice(text, add_item(text, (job, "rules"), rule, 0))
        return text
    rules = [*never, *_usual(text, job, operation.when)]
    plain = apply(text, SetKey(job=job, key="when", value=None)) if written_as(text, job, "when") else text
    return apply(plain, SetRules(job=job, rules=rules))


def _usual(text: str, job: str, when: Sequence[When]) -> list[Any]:
    """Return rules for what a job without own ones does: those it inherits, else what its `when` says."""
    body = merged_body(text, job)
    if is_open(text, job):
        raise CannotError(f"when {job} runs is said in a file that is included, so I cannot keep to it; use run_when")
    if isinstance(body.get("rules"), list):
        return list(body["rules"])
    usual = {"when": body.get("when", "on_success")}
    if usual["when"] == "manual" and "allow_failure" not in body:  # only in rules such a job holds up the pipeline
        usual["allow_failure"] = True
    return [*_not_in_merge_requests(text, when), usual]


def _not_in_merge_requests(text: str, when: Sequence[When]) -> list[dict[str, Any]]:
    """Without any rules GitLab keeps a job out of merge request pipelines; with rules it has to be said."""
    data = read_document(text).data
    if "workflow" in data or "merge_requests" in when:
        return []
    return [{"if": _CONDITIONS["merge_requests"], "when": "never"}]


def set_pipelines(text: str, operation: Operation) -> str:
    """Let pipelines run only then."""
    conditions = list(_conditions(operation.when, operation.values))
    if not conditions:
        raise CannotError("set_pipelines needs conditions such as merge_requests or default_branch")
    rules: list[dict[str, Any]] = [{"if": condition} for condition in conditions]
    if "branches" in operation.when and "merge_requests" in operation.when:  # else a change gets two pipelines
        place = conditions.index(_CONDITIONS["branches"])
        rules.insert(place, {"if": "$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", "when": "never"})
    return apply(text, SetWorkflow(rules=rules))


def in_words(when: Sequence[When], branches: Sequence[str] = (), paths: Sequence[str] = ()) -> str:
    """Say when."""
    named = f"on {_coded(branches)}" if branches else ""
    words = [_WORDS[one] for one in when if one != "manual" and not (one == "branches" and named)]
    words += [named] if named else []
    changed = f" when {_coded(paths)} changed" if paths else ""
    by_hand = ("once somebody starts it" if words or changed else _WORDS["manual"]) if "manual" in when else ""
    said = " and ".join(words) + changed
    return ", ".join(part for part in (said.strip(), by_hand) if part)


def _coded(names: Sequence[str]) -> str:
    return ", ".join("`" + name.replace("`", "'") + "`" for name in names)


def _conditions(when: Sequence[When], branches: Sequence[str]) -> list[str]:
    named = [f'$CI_COMMIT_BRANCH == "{branch}"' for branch in branches]
    kinds = [one for one in _CONDITIONS if one in when and not (one == "branches" and named)]
    return [*(_CONDITIONS[one] for one in kinds), *named]


def let_schedules_in(text: str) -> str:
    """Return the text with scheduled pipelines allowed, unchanged where its workflow allows them already."""
    workflow = read_document(text).data.get("workflow")
    rules = workflow.get("rules") if isinstance(workflow, dict) else None
    if not isinstance(rules, list) or any(_lets_schedules_in(rule) for rule in rules):
        return text
    return splice(text, add_item(text, ("workflow", "rules"), {"if": _CONDITIONS["nightly"]}, 0))


def _lets_schedules_in(rule: Any) -> bool:
    if not isinstance(rule, dict) or rule.get("when") == "never":
        return False
    condition = str(rule.get("if", ""))
    return not condition or "schedule" in condition or condition.strip() in _ANY_BRANCH
