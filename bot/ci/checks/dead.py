"""What a file holds and nobody uses: hidden jobs that no job takes, variables that nothing reads."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.ci.checks.document import Document
from bot.ci.checks.merged import Job, bases, references
from bot.ci.checks.semantics import RUNG
from bot.domain import Finding

# Variables that GitLab, its runner or common tools read by themselves, by the beginning of their names.
_READ_ELSEWHERE = tuple(
    (
        "ANALYZER ANSIBLE API APP ARTIFACT AST AWS AZURE BUILDAH BUILDKIT BUNDLE CACHE CARGO CC CFLAGS CI CMAKE CODE "
        "COMPOSE COMPOSER CONDA COREPACK CS CXX CYPRESS DAST DATABASE DB DEBIAN DISABLE DJANGO DOCKER DOTNET "
        "DS ELECTRON FF FLASK FORCE GCC GIT GITLAB GO GOOGLE GRADLE HELM HOME HTTP HTTPS JAVA JEKYLL JUPYTER "
        "KUBE KUBECONFIG KUBERNETES LANG LC LD MARIADB MAVEN MIX MONGO MSBUILD MYSQL NODE NPM NUGET OMP "
        "PATH PDM PGDATABASE PGHOST PGPASSWORD PGPORT PGUSER PHP PIP PIPENV PIPX PLAYWRIGHT PNPM POETRY "
        "POSTGRES POSTGRESQL PRE PUPPETEER PYTEST PYTHON PYTHONPATH RABBITMQ RAILS REDIS RUBY RUNNER RUST "
        "RUSTFLAGS SAST SBT SECRET SECURE SPRING SSH TERM TERRAFORM TF TOX TRANSFER TRIVY TZ UV VIRTUAL XDG "
        "YARN"
    ).split()
)
_READS_THE_ENVIRONMENT = re.compile(r"\b(?:env|printenv|export|set -a|envsubst|declare)\b")


def check_dead(document: Document, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    """Warn of what could be removed without any effect; only where the whole pipeline is at hand."""
    if document.is_open or all(job.is_hidden for job in jobs.values()):
        return
    yield from _hidden_jobs(document)
    yield from _variables(document, jobs)


def _hidden_jobs(document: Document) -> Iterator[Finding]:
    used = {base for body in document.jobs.values() for base in bases(body)} | document.aliased
    used |= {reference[0] for _, reference in references(document.data) if reference}
    for name in document.jobs:
        if name.startswith(".") and name not in used:
            mend = "Remove it, or let a job extend it."
            yield document.finding(RUNG, f"{name} is hidden and no job uses it", mend, name, is_error=False)


def _variables(document: Document, jobs: Mapping[str, Job]) -> Iterator[Finding]:
    written = _text(document.data)
    if any("trigger" in job.body for job in jobs.values()) or _READS_THE_ENVIRONMENT.search(written):
        return
    for name in ("", *jobs):
        own = document.jobs[name] if name else document.data
        variables = own.get("variables")
        for variable in variables if isinstance(variables, dict) else ():
            if not _is_read(str(variable), written):
                place = (name, "variables", str(variable)) if name else ("variables", str(variable))
                mend = "Remove it, unless a program that a job starts reads it."
                message = f"nothing in this file reads the variable {variable}"
                yield document.finding(RUNG, message, mend, *place, is_error=False)


def _is_read(name: str, written: str) -> bool:
    """A variable whose name begins like a tool the file names is probably that tool's."""
    first = name.partition("_")[0]
    if first.upper().startswith(_READ_ELSEWHERE) or re.search(rf"(?i)(?<![a-z]){re.escape(first)}", written):
        return True
    return re.search(rf"\$(?:env:)?\{{?{re.escape(name)}\b|%{re.escape(name)}%", written) is not None


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(_text(each) for each in value.values())
    if isinstance(value, list):
        return "\n".join(_text(each) for each in value)
    return str(value)
