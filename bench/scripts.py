"""Level 4: the shell in the jobs, and the Dockerfiles, held against bash and, where they are installed, linters."""

import json
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from bench.programs import run

_QUIET = "SC2164,SC2086,SC2046,SC2034"  # of single commands these say nothing: GitLab stops at the first that fails


def script_errors(jobs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what bash, and ShellCheck at its level `error`, say against the scripts of each job."""
    found: list[str] = []
    for name, job in jobs.items():
        text = "\n".join(["#!/bin/bash", *_lines(job.get("before_script")), *_lines(job.get("script"))]) + "\n"
        parsed = run(["bash", "-n"], limit=10, text=text)
        if parsed.code != 0:
            found.append(f"{name}: {parsed.tail(2)}")
        found += [f"{name}: {message}" for message in _shellcheck(text)]
    return found


def dockerfile_errors(files: Mapping[str, str]) -> list[str]:
    """Return what hadolint says against the proposed Dockerfiles, at its default level."""
    hadolint = shutil.which("hadolint")
    named = [(path, text) for path, text in files.items() if path.rpartition("/")[2] == "Dockerfile"]
    if hadolint is None:
        return []
    found: list[str] = []
    for path, text in named:
        ran = run([hadolint, "--no-color", "-"], limit=30, text=text)
        found += [f"{path}: {line}" for line in ran.said.splitlines() if ran.code != 0 and line]
    return found


def _lines(script: Any) -> Sequence[str]:
    if isinstance(script, str):
        return [script]
    return [str(line) for line in script] if isinstance(script, list) else []


def _shellcheck(text: str) -> list[str]:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        return []
    ran = run([shellcheck, "-f", "json", "-S", "error", "-e", _QUIET, "-"], limit=30, text=text)
    said = json.loads(ran.output or "[]")
    return [f"SC{each['code']} {each['message']}" for each in said]
