"""Names the class of a failure from the failing region of a log and GitLab's own reason; no model is asked."""

import hashlib
import re
from collections.abc import Iterator, Mapping

from bot.failures.catalogue import Entry, catalogue, packages
from bot.failures.diagnosis import Diagnosis
from bot.failures.trace import Line, Trace, excerpt

# Warnings and passed tests name failures too, but none of this job.
_NO_NEWS = re.compile(
    r"^(?!WARNING: Retrying \(Retry\(total=0,)\s*"
    r"(?:npm (?:warn|WARN)|pnpm warn|warning\b|Warning:|WARN(?:ING)?\b|\[WARN(?:ING)?\]|DEPRECATION|hint:|[✓✔√] "
    r"|PASS\b|--- PASS|ok\s+\S|- \[x\])"
    r"|\bPASSED\b(?:\s+\[ *\d+%\])?$|\.\.\. ok$|^\s*\d+/\d+ Test .*Passed",
)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_NUMBERED = re.compile(r"(?: \d+/\d+|: \[.*\])$")
_DEFAULTS = {"who": "the project", "host": "a server", "image": "that image", "package": "such package"}
_FREE = ("told", "have", "other", "also")
_LOCKS = {
    "npm": "`npm install`", "pnpm": "`pnpm install`", "yarn": "`yarn install`", "poetry": "`poetry lock`",
    "uv": "`uv lock`", "cargo": "`cargo update --workspace`", "go": "`go mod tidy`", "bundle": "`bundle lock`",
    "pipenv": "`pipenv lock`", "terraform": "`terraform init -upgrade`", "composer": "`composer update --lock`",
}  # fmt: skip


def recognise(trace: Trace, *, job: str, failure_reason: str | None = None) -> Diagnosis:
    """Return why a job failed; the class is "unknown" where nothing is recognised."""
    lines = list(_news(trace))
    for entry in catalogue():
        if failure_reason in entry.reasons and not _is_vague(entry):
            return _diagnosis(entry, trace, job, Line(0, ""), {})
        for line in lines:
            if found := entry.told_by(line.text):
                return _diagnosis(entry, trace, job, line, found.groupdict())
    vague = next((entry for entry in catalogue() if failure_reason in entry.reasons), None)
    return _diagnosis(vague, trace, job, Line(0, ""), {}) if vague else _unknown(trace, job)


def recognise_configuration(errors: str) -> Diagnosis:
    """Return why GitLab made no jobs of a configuration."""
    lines = tuple(Line(number, text) for number, text in enumerate(re.split(r"; |\n", errors), 1))
    found = recognise(Trace(lines=lines, length=len(lines)), job="")
    if found.kind != "unknown":
        return found
    entry = next(entry for entry in catalogue() if entry.kind == "configuration")
    return _diagnosis(entry, Trace(lines=lines, length=len(lines)), "", lines[0], {"told": lines[0].text})


def written_name(job: str) -> str:
    """Return a job's name as the file has it: GitLab numbers the jobs of `parallel`."""
    return _NUMBERED.sub("", job)


def _news(trace: Trace) -> Iterator[Line]:
    yield from (line for line in trace.lines if not _NO_NEWS.search(line.text))
    if trace.ending:
        yield Line(trace.length, trace.ending)


def _is_vague(entry: Entry) -> bool:
    """GitLab's word for a failed runner also covers images and networks, which the log names better."""
    return "runner_system_failure" in entry.reasons


def _diagnosis(entry: Entry, trace: Trace, job: str, line: Line, named: Mapping[str, str | None]) -> Diagnosis:
    details = _details(entry, named, trace)
    shown = _DEFAULTS | {"command": _lock_command(trace)} | _spoken(details)
    return Diagnosis(
        kind=entry.kind,
        title=entry.title,
        nature=entry.nature,
        why=_filled(entry.why, shown),
        advice=_filled(entry.advice, shown),
        job=job,
        fingerprint=_fingerprint(job, entry.kind, line.text, details),
        fix=entry.fix,
        language=entry.language,
        wanted=details.get("wanted", ""),
        told=line.text,
        command=trace.command,
        excerpt=excerpt(trace, line.number),
        details=details,
    )


def _unknown(trace: Trace, job: str) -> Diagnosis:
    last = trace.lines[-1].text if trace.lines else trace.ending
    return Diagnosis(
        kind="unknown",
        title="no class I know",
        nature="unknown",
        why="I do not recognise this failure." if trace.lines else "The job left no log.",
        job=job,
        fingerprint=_fingerprint(job, "unknown", last, {}),
        told=last,
        command=trace.command,
        excerpt=excerpt(trace),
    )


def _details(entry: Entry, named: Mapping[str, str | None], trace: Trace) -> dict[str, str]:
    """Signs name the same thing in different groups: the first that `why` wants gets whatever was found."""
    details = {name: value.strip() for name, value in named.items() if value}
    wants = _PLACEHOLDER.findall(entry.why)
    if wants and details and not set(wants) & set(details) and wants[0] not in _DEFAULTS.keys() - {"image", "package"}:
        details[wants[0]] = next(iter(details.values()))
    if entry.kind == "network" and "other" in details:
        details["host"] = details.pop("other")
    if entry.fix == "image_version":
        details |= _version_wanted(entry, details)
    if (
        entry.kind == "missing_library"
        and "library" not in details
        and "not found:" in "".join(named.get("told") or "")
    ):
        details["library"] = trace.lines[-1].text
    return details


def _version_wanted(entry: Entry, details: Mapping[str, str]) -> dict[str, str]:
    tables = packages()
    if "classfile" in details:  # class file version 61 is Java 17's (JVMS §4.1)
        return {"wanted": str(int(details["classfile"]) - 44)}
    if "toonew" in details:
        return {"wanted": f"<{int(details['toonew']) - 44}"}
    if (
        "old" in details
    ):  # JDK 20 dropped 7, JDK 12 dropped 6; 5 is what old compiler plugins of Maven say by themselves
        return {"wanted": {"7": "<20", "6": "<12"}.get(details["old"], "")}
    what = details.get("what") or (details.get("who", "") if not details.get("wanted") else "")
    if "{since}" in entry.needs or (entry.language in ("go", "rust") and what in tables.since):
        return {"wanted": f">={tables.since[what]}"}
    if "{until}" in entry.needs:
        return {"wanted": f"<{tables.until[what]}"}
    wanted = details.get("wanted", "")
    is_bare = wanted[:1].isdigit() and entry.language in ("go", "rust", "dotnet")
    return {"wanted": f">={wanted}" if is_bare else wanted} if wanted else {}


def _spoken(details: Mapping[str, str]) -> dict[str, str]:
    spoken = {name: value.replace("`", "'") for name, value in details.items()}
    if "port" in spoken:
        spoken["port"] = f":{spoken['port']}"
    if "who" in spoken:
        spoken["who"] = f"`{spoken['who']}`"
    if "told" in spoken:
        spoken["told"] = f"`{spoken['told'][:200]}`"
    return spoken


def _filled(words: str, details: Mapping[str, str]) -> str:
    """Fill a sentence; what the log did not name is left out with its quotes."""
    filled = _PLACEHOLDER.sub(lambda found: details.get(found[1], ""), words)
    return re.sub(r"\s+([.,:])", r"\1", re.sub(r" ?``", "", filled)).rstrip(": ")


def _lock_command(trace: Trace) -> str:
    words = " ".join((trace.command, *(line.text for line in trace.lines[:40]))).lower()
    return next((command for tool, command in _LOCKS.items() if re.search(rf"\b{tool}\b", words)), "with its own tool")


def _fingerprint(job: str, kind: str, line: str, details: Mapping[str, str]) -> str:
    """Times, addresses and counts differ from run to run; what the failure names does not."""
    named = sorted(f"{name}={value}" for name, value in details.items() if name not in _FREE)
    about = "|".join(named) or re.sub(r"0x[0-9a-f]+|\b[0-9a-f]{7,40}\b|\d+", "#", re.sub(r"/\S+/", "/", line))
    return hashlib.sha256(f"{written_name(job)}|{kind}|{about}".encode()).hexdigest()[:32]
