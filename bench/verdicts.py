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
    (r"(?i:could not resolve host|temporary failure in name resolution|NameResolutionError)|getaddrinfo", "no network"),
    (r"\b(?:ENOTFOUND|EAI_AGAIN)\b|nodeenv failed", "no network"),
    (r"(?i:connection refused|network is unreachable|connect timed out|i/o timeout)|\bECONNREFUSED\b", "no network"),
    (r"\b(?:ESOCKETTIMEDOUT|ETIMEDOUT)\b|(?i:read timed out|timed out awaiting)", "the network was too slow"),
    (r"(?i:unable to access 'https|github\.com.*(?:fatal|unable to access))", "no network"),
    (r"\b40[34]\b.*(?i:not found|forbidden)|\bE404\b|_FETCH_404\b|\bETARGET\b", "the registry lacks a package"),
    (r"pathspec 'v?\d[\w.]*' did not match any file", "the mirror of a repository lacks a tag"),
    (r"No matching distribution found|Unable to find installation candidates for", "the registry lacks a package"),
    (r"(?i:could not transfer artifact|could not resolve dependencies)", "the registry lacks a package"),
    (r"(?i:unable to locate package|has no installation candidate)", "the machine lacks a system package"),
    (
        r"(?i:unsupported class file|invalid target release|release version \d+ not supported)",
        "the machine has an older JDK",
    ),
    (r"No space left on device|\bKilled\b|Cannot allocate memory|\bOOM\b", "the machine is too small"),
    (r"(?i:cannot connect to the docker daemon|user namespaces)", "no container engine"),
    (r"requires rustc \d|is not installed for the toolchain", "the machine has an older Rust"),
)
# The end of a log tells why a job failed; what went wrong before and was got over does not.
_LAST = 150


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
    """Return what outside the repository and our file made a job red, with the line that says so, or nothing."""
    lines = [line.strip() for line in plain(log).splitlines() if line.strip()][-_LAST:]
    for pattern, name in _OUTSIDE:
        said = next((line for line in lines if re.search(pattern, line)), "")
        if said:
            return f"{name}: {said[:160]}"
    return differs if differs and re.search(r"(?i)version|unsupported|interpreter", "\n".join(lines)) else ""
