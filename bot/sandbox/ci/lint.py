"""Answers CI lint (docs.gitlab.com/api/lint): always 200, `valid` tells."""

from collections.abc import Collection, Sequence
from typing import Any

import yaml

from bot.sandbox.ci.config import Config, needs_of, read_config
from bot.sandbox.ci.includes import Elsewhere, ReadFile
from bot.sandbox.ci.rules import RuleError, decide

MOST_NEEDS = 50  # unless an administrator allows more (docs: instance_limits, ci_needs_size_limit)
_NO_JOBS = (
    "Pipeline will not run for the selected trigger. The rules configuration prevented any jobs from being added to "
    "the pipeline."
)


def lint(
    text: str,
    *,
    read_file: ReadFile | None = None,
    elsewhere: Elsewhere | None = None,
    dry_run: bool = False,
    ref: str = "main",
    paths: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the answer's body; only a dry run notices that no job would run."""
    config = read_config(text, read_file, elsewhere)
    errors = list(config.errors) or rule_errors(config)
    warnings: list[str] = []
    if dry_run and not errors:
        jobs = selected(
            config, {"CI_COMMIT_BRANCH": ref, "CI_COMMIT_REF_NAME": ref, "CI_PIPELINE_SOURCE": "push"}, paths
        )
        errors += missing_needs(config, jobs) if jobs else [_NO_JOBS]
    if not config.workflow:
        warnings += [
            f"jobs:{name} may allow multiple pipelines to run for a single action due to `rules:when` clause with no "
            "`workflow:rules`"
            for name, job in config.jobs.items()
            if any(set(rule) == {"when"} for rule in job.get("rules") or [] if isinstance(rule, dict))
        ]
    return {
        "valid": not errors,
        "merged_yaml": yaml.safe_dump(_plain(config.merged), sort_keys=False) if not errors else None,
        "errors": errors,
        "warnings": warnings,
        "includes": config.includes,
    }


def no_right_to_run(ref: str) -> dict[str, Any]:
    """Return the answer to a simulation on a branch that one may not update (chain/validate/abilities.rb)."""
    text = (
        f"You do not have sufficient permission to run a pipeline on '{ref}'. Please select a different branch or "
        "contact your administrator for assistance."
    )
    return refused(text)


def refused(text: str) -> dict[str, Any]:
    """Return the answer when not even the configuration is looked at."""
    return {"valid": False, "merged_yaml": None, "errors": [text], "warnings": [], "includes": []}


def rule_errors(config: Config) -> list[str]:
    """Return what is wrong with the `if`s."""
    errors: list[str] = []
    for name, job in [("workflow", config.workflow), *((f"jobs:{name}", job) for name, job in config.jobs.items())]:
        for rule in job.get("rules") or []:
            try:
                decide([rule], {}, ()) if isinstance(rule, dict) else None
            except RuleError as error:
                errors.append(f"{name}:rules:rule if {error}")
    return errors


def missing_needs(config: Config, chosen: Collection[str]) -> list[str]:
    """Say what the jobs of a pipeline need that is not in it (lib/gitlab/ci/pipeline/seed/build.rb)."""
    errors: list[str] = []
    for name in chosen:
        count = len(needs_of(config.jobs[name]) or ())
        if count > MOST_NEEDS:
            errors.append(
                f"{name}: one job can only need {MOST_NEEDS} others, but you have listed {count}. See needs keyword "
                "documentation for more details"
            )
            continue
        errors += [
            f"'{name}' job needs '{needed}' job, but '{needed}' does not exist in the pipeline. This might be because "
            "of the only, except, or rules keywords. To need a job that sometimes does not exist in the pipeline, use "
            "needs:optional."
            for needed in needs_of(config.jobs[name], only_required=True) or ()
            if needed not in chosen
        ]
    return errors


def selected(config: Config, variables: dict[str, str], paths: Sequence[str]) -> dict[str, str]:
    """Return the jobs a pipeline gets, with their `when`; empty when the workflow's rules forbid it."""
    known = {**config.variables, **variables}
    workflow = decide(config.workflow.get("rules"), known, paths)
    if workflow is None or workflow.get("when") == "never":
        return {}
    chosen: dict[str, str] = {}
    for name, job in config.jobs.items():
        rule = decide(job.get("rules"), known, paths)
        if rule is None or not _only(job, known, has_workflow="rules" in config.workflow):
            continue
        when = str(rule.get("when", job.get("when", "on_success")))
        if when != "never":
            chosen[name] = when
    return chosen


def _only(job: dict[str, Any], variables: dict[str, str], *, has_workflow: bool) -> bool:
    """Without `rules`, here or in the workflow, a job runs for branches and tags, not for merge requests."""
    if "rules" in job:
        return True
    if "except" in job and _names(job["except"], variables):
        return False
    if job.get("only") is None:
        return has_workflow or "CI_MERGE_REQUEST_IID" not in variables
    return _names(job["only"], variables)


def _names(refs: Any, variables: dict[str, str]) -> bool:
    """Tell whether the value of `only` or `except` names what a pipeline is for."""
    wanted = refs if isinstance(refs, list) else [refs] if isinstance(refs, str) else refs.get("refs", ["branches"])
    branch = variables.get("CI_COMMIT_BRANCH")
    return any(
        ref == branch or (ref == "branches" and branch) or (ref == "merge_requests" and not branch) for ref in wanted
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value
