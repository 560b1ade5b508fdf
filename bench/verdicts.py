"""Reading a job's log: how many tests ran, and whose fault a red job is."""

import re
from typing import Literal

Verdict = Literal["green", "red: us", "red: project or machine", "not run"]

# What each runner prints about the tests it ran; every match counts.
_COUNTS = (
    r"(\d+) passed(?:,| in|\s*\(|\s*$)",
    r"^Ran (\d+) tests? in",
    r"^# pass (\d+)",
    r"^ℹ pass (\d+)",
    r"(\d+) passing",
    r"Tests run: (\d+), Failures",
    r"tests passed.* out of (\d+)",
    r"^Ok:\s+(\d+)",
    r"test result: ok\. (\d+) passed",
    r"^OK \((\d+) tests?",
    r"(\d+) examples?, 0 failures",
    r"(\d+) tests?, 0 failures",
    r"^1\.\.(\d+)$",
    r"(\d+)/\1 tests? (?:passed|succeeded)",
)
_GO_PACKAGES = re.compile(r"^(?:ok  \t|--- PASS|✓ )", re.MULTILINE)
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

# What in a log says that no file of ours could have made the job green here.
_OUTSIDE = (
    (r"could not resolve host|Temporary failure in name resolution|ENOTFOUND|EAI_AGAIN|getaddrinfo", "no network"),
    (r"Connection refused|ECONNREFUSED|Network is unreachable|Connect timed out|i/o timeout", "no network"),
    (
        r"\b40[34]\b.*(?:Not Found|Forbidden)|E404|ETARGET|No matching distribution found",
        "the registry lacks a package",
    ),
    (
        r"Unable to connect to|Could not transfer artifact|Could not resolve dependencies",
        "the registry lacks a package",
    ),
    (r"Unable to locate package|has no installation candidate", "the machine lacks a system package"),
    (
        r"Unsupported class file|invalid target release|release version \d+ not supported",
        "the machine has an older JDK",
    ),
    (r"No space left on device|Killed\b|Cannot allocate memory|OOM", "the machine is too small"),
    (r"Cannot connect to the Docker daemon|rootless|user namespaces", "no container engine"),
    (r"requires rustc \d|is not installed for the toolchain|rustup component", "the machine has an older Rust"),
    (r"from github\.com|github\.com.*(?:fatal|unable to access)|unable to access 'https", "no network"),
)


def plain(log: str) -> str:
    """Return a log without colours."""
    return _COLOURS.sub("", log)


def tests_run(log: str) -> int:
    """Return how many tests a log tells of; packages of Go, which counts them only when asked, count as one each."""
    text = plain(log)
    text = re.sub(r"^\S+ +> ", "", text, flags=re.MULTILINE)
    counted = sum(int(found) for pattern in _COUNTS for found in re.findall(pattern, text, re.MULTILINE))
    return counted or len(_GO_PACKAGES.findall(text))


def outside_cause(log: str, differs: str = "") -> str:
    """Return what outside the repository and our file made a job red, or nothing."""
    text = plain(log)
    cause = next((name for pattern, name in _OUTSIDE if re.search(pattern, text, re.IGNORECASE)), "")
    if cause:
        return cause
    return differs if differs and re.search(r"(?i)version|not found|unsupported|interpreter", text) else ""
