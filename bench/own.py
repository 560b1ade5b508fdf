"""The project's own commands, run here by hand where a job is red: is the machine able to make them green at all?"""

import re
from collections.abc import Sequence

import yaml

from bench.jobs import JobRun
from bench.truth import Truth

# The runners that a CI's setup action or its image brings along.
_BROUGHT = {"tox": "tox", "nox": "nox", "pre-commit": "pre-commit", "poetry": "poetry", "pdm": "pdm", "uv": "uv",
            "hatch": "hatch", "pipenv": "pipenv"}  # fmt: skip


def own_job(run: JobRun, truth: Truth) -> dict[str, object] | None:
    """Return a job with what the project's own CI does for the same thing, in the same image; None without any."""
    kind = run.name.rpartition(":")[2]
    commands = _first_ways(truth.commands.get(kind, ()))
    if not commands:
        return None
    if all(each.startswith("pre-commit") for each in commands):  # it brings everything itself
        script = ["pre-commit run --all-files" if each == "pre-commit" else each for each in commands]
    else:
        script = [*_first_ways(truth.commands.get("install", ())), *commands]
    brought = [package for tool, package in _BROUGHT.items() if any(re.search(rf"\b{tool}\b", each) for each in script)]
    script = [*(f"pip install -q {package}" for package in brought if run.image.startswith("python")), *script]
    return {"image": run.image, "script": script}


def own_pipeline(runs: Sequence[JobRun], truth: Truth) -> str:
    """Return a pipeline with such a job for every red one, or nothing."""
    jobs = {run.name: job for run in runs if run.verdict.startswith("red") and (job := own_job(run, truth))}
    return yaml.safe_dump({name: {"stage": "test", **job} for name, job in jobs.items()}) if jobs else ""


def _first_ways(commands: Sequence[Sequence[str]]) -> list[str]:
    return [ways[0] for ways in commands if ways]
