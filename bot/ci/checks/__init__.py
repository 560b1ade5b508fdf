"""The local check ladder: YAML, the official schema, GitLab's meaning, policy; each finding carries its mend."""

import re
from collections.abc import Iterable, Mapping, Sequence

from bot.ci.checks.dead import check_dead
from bot.ci.checks.document import Document, read_document
from bot.ci.checks.durations import check_durations
from bot.ci.checks.header import check_header
from bot.ci.checks.includes import MAX_BYTES, include_files
from bot.ci.checks.keywords import check_keywords
from bot.ci.checks.limits import check_limits
from bot.ci.checks.links import check_links
from bot.ci.checks.merged import merged_jobs
from bot.ci.checks.needs import check_needs
from bot.ci.checks.patterns import check_patterns
from bot.ci.checks.policy import check_policy
from bot.ci.checks.reach import check_reach
from bot.ci.checks.rules import check_rules
from bot.ci.checks.schema import check_schema
from bot.ci.checks.scripts import check_scripts
from bot.ci.checks.semantics import check_jobs
from bot.domain import CannotError, Finding

_MEANING = (
    check_jobs, check_keywords, check_durations, check_patterns, check_scripts, check_needs, check_rules, check_reach,
    check_links, check_limits, check_dead,
)  # fmt: skip


def check(
    text: str, *, path: str = ".gitlab-ci.yml", files: Mapping[str, str] | None = None, root: str = ""
) -> tuple[Finding, ...]:
    """Climb the ladder and return every finding, by line; a file that is not YAML stops at the first rung.

    `files` are the local files it may include, by their path in the repository, each named after `root` in findings.
    Without them, names that an included file could hold are not judged.
    """
    if len(text.encode()) > MAX_BYTES:
        return (Finding(rung="yaml", message="the file is larger than GitLab's 2 MB", path=path, mend="Split it."),)
    try:
        document = read_document(text, path)
    except CannotError as error:
        return (_not_yaml(str(error), path),)
    whole, parts = (document, []) if files is None else include_files(document, files, root)
    found = _climb(
        whole, [document, *parts], {path: text, **{f"{root}{name}": each for name, each in (files or {}).items()}}
    )
    first = {finding: finding.path != path for finding in found}
    return tuple(
        sorted(first, key=lambda finding: (first[finding], finding.path, finding.line or 0, not finding.is_error))
    )


def new_among(found: Iterable[Finding], before: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the findings that a change brings: not those that were there before, whichever lines they stand in now."""
    known = {_without_lines(finding) for finding in before}
    return tuple(finding for finding in found if _without_lines(finding) not in known)


def _without_lines(finding: Finding) -> tuple[str, str]:
    return finding.path, re.sub(r"\bline \d+", "line", finding.message)


def _climb(whole: Document, documents: Sequence[Document], texts: Mapping[str, str]) -> list[Finding]:
    """Schema and policy look at each file by itself, the meaning is that of the whole."""
    jobs = merged_jobs(whole)
    found = [*whole.findings, *(finding for rule in _MEANING for finding in rule(whole, jobs))]
    for document in documents:
        text = texts[document.path]
        found += [*check_header(text, document.path), *check_policy(document, text)]
        found += _not_said(check_schema(document, whole), found)
    return found


def _not_said(schema: Iterable[Finding], said: Sequence[Finding]) -> list[Finding]:
    """Drop what the schema says about a line that the rules explain better."""
    explained = {(finding.path, finding.line) for finding in said if finding.is_error}
    return [finding for finding in schema if (finding.path, finding.line) not in explained]


def _not_yaml(message: str, path: str) -> Finding:
    line = re.search(r"\(line (\d+)\)$", message)
    mend = "Mend the line; quoting a text with ': ' or ' #' in it often helps."
    if "alias" in message or "values" in message:
        mend = "Write the values out, with fewer aliases."
    if "by name" in message:
        mend = "Write each job as a key, such as test:, with its script below."
    message = message.removesuffix(f" {line[0]}") if line else message
    return Finding(rung="yaml", message=message, path=path, line=int(line[1]) if line else None, mend=mend)
