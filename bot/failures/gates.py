"""Holds every fix to one rule: no gate of the pipeline becomes weaker."""

import re
from typing import Any

from bot.ci.checks.document import read_document
from bot.ci.checks.merged import merged_jobs
from bot.failures.job_text import JobText

_SHRUG = re.compile(
    r"\|\|\s*(?:true|:|exit 0|echo\b)|;\s*(?:true|exit 0)\s*$|\bset \+e\b|--exit-zero|"
    r"--passWithNoTests|--no-verify|-DskipTests|-Dmaven\.test\.skip|--if-present"
)
_KEYS = ("allow_failure", "when", "rules", "only", "except", "coverage", "trigger", "parallel", "manual_confirmation")


def weakened(before: str, after: str) -> str | None:
    """Say which gate of a pipeline is weaker after a change; None when none is."""
    old, new = _jobs(before), _jobs(after)
    if gone := sorted(old.keys() - new.keys()):
        return f"the job {gone[0]} would be gone"
    for name, body in old.items():
        for key in _KEYS:
            if body.get(key) != new[name].get(key):
                return f"{key} of {name} would change"
        if found := _weaker_script(JobText(before, name).commands, JobText(after, name).commands):
            return f"{name}: {found}"
    workflow = [read_document(text).data.get("workflow") for text in (before, after)]
    return "when pipelines run would change" if workflow[0] != workflow[1] else None


def _jobs(text: str) -> dict[str, dict[str, Any]]:
    return {name: job.body for name, job in merged_jobs(read_document(text)).items()}


def _weaker_script(old: list[str], new: list[str]) -> str | None:
    if len(new) < len(old):
        return "a line of its script would be gone"
    shrugs = [line for line in new if _SHRUG.search(line)]
    known = [line for line in old if _SHRUG.search(line)]
    return "its failures would be ignored" if len(shrugs) > len(known) else None
