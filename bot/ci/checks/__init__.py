"""The local check ladder: YAML, the official schema, GitLab's meaning, policy; each finding carries its mend."""

import re
from collections.abc import Iterable, Sequence

from bot.ci.checks.document import read_document
from bot.ci.checks.merged import merged_jobs
from bot.ci.checks.needs import check_needs
from bot.ci.checks.policy import check_policy
from bot.ci.checks.rules import check_rules
from bot.ci.checks.schema import check_schema
from bot.ci.checks.semantics import check_jobs
from bot.domain import CannotError, Finding

MAX_BYTES = 2_000_000


def check(text: str, *, path: str = ".gitlab-ci.yml") -> tuple[Finding, ...]:
    """Climb the ladder and return every finding, by line; a file that is not YAML stops at the first rung."""
    if len(text.encode()) > MAX_BYTES:
        return (Finding(rung="yaml", message="the file is larger than GitLab's 2 MB", path=path, mend="Split it."),)
    try:
        document = read_document(text, path)
    except CannotError as error:
        return (_not_yaml(str(error), path),)
    jobs = merged_jobs(document)
    meaning = [*check_jobs(document, jobs), *check_needs(document, jobs), *check_rules(document, jobs)]
    found = [*document.findings, *_not_said(check_schema(document), meaning), *meaning, *check_policy(document, text)]
    return tuple(sorted(found, key=lambda finding: (finding.line or 0, not finding.is_error)))


def _not_said(schema: Iterable[Finding], meaning: Sequence[Finding]) -> list[Finding]:
    """Drop what the schema says about a line that the rules explain better."""
    explained = {finding.line for finding in meaning if finding.is_error}
    return [finding for finding in schema if finding.line not in explained]


def _not_yaml(message: str, path: str) -> Finding:
    line = re.search(r"\(line (\d+)\)$", message)
    mend = "Mend the line; quoting a text with ': ' or ' #' in it often helps."
    return Finding(rung="yaml", message=message, path=path, line=int(line[1]) if line else None, mend=mend)
