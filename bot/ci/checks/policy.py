"""What GitLab accepts and a careful person would not: floating images, secrets, unseen scripts, dead tools."""

import re
from collections.abc import Iterator
from typing import Any

from bot.ci.checks.document import Document, Path, Reference
from bot.domain import Finding

RUNG = "policy"
_SECRETS = (
    (r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[\w-]{16,}", "a GitLab token"),
    (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "an AWS access key"),
    (r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----", "a private key"),
    (r"\bgh[pousr]_[A-Za-z0-9]{36,}", "a GitHub token"),
    (r"\bgithub_pat_\w{22,}", "a GitHub token"),
    (r"\bxox[abprs]-[\w-]{10,}", "a Slack token"),
    (r"\bAIza[\w-]{35}\b", "a Google API key"),
    (r"\bnpm_[A-Za-z0-9]{36}\b", "an npm token"),
    (r"\bpypi-AgEIcHlwaS[\w-]{20,}", "a PyPI token"),
    (r"\bdckr_pat_[\w-]{20,}", "a Docker token"),
    (r"https?://[^\s/:@$\"']+:[^\s/:@$\"']{6,}@", "a password in an address"),
)
_NAMED = re.compile(r"(?i)(?:^|_)(?:password|passwd|secret|token|api_?key|private_key)$")
_HARMLESS = re.compile(
    r"(?i)^(?:|true|false|test\w*|postgres|mysql|root|password|changeme|example|dummy|secret|\d{1,4})$"
)


def check_policy(document: Document, text: str) -> Iterator[Finding]:
    """Yield what is dangerous or will surprise later; only secrets are errors."""
    yield from _secrets(document, text)
    yield from _unseen_scripts(document, text)
    for path, body in _holders(document):
        yield from _named_secrets(document, path, body.get("variables"))
        yield from _images(document, path, body)
    yield from _includes(document)


def _holders(document: Document) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Return the file, `default` and every job: all that may name images and variables."""
    yield (), document.data
    default = document.data.get("default")
    if isinstance(default, dict):
        yield ("default",), default
    for name, body in document.jobs.items():
        yield (name,), body


def _secrets(document: Document, text: str) -> Iterator[Finding]:
    mend = "Revoke it now, and keep the new one in a masked variable (Settings > CI/CD > Variables)."
    for number, line in enumerate(text.splitlines(), 1):
        found = next((name for pattern, name in _SECRETS if re.search(pattern, line)), None)
        if found:
            message = f"{found} is written into the file"
            yield Finding(rung=RUNG, message=message, path=document.path, line=number, mend=mend)


def _named_secrets(document: Document, path: Path, variables: Any) -> Iterator[Finding]:
    for name, value in variables.items() if isinstance(variables, dict) else ():
        plain = value.get("value") if isinstance(value, dict) else value
        if not _NAMED.search(str(name)) or not isinstance(plain, str) or "$" in plain or _HARMLESS.match(plain):
            continue
        message = f"the variable {name} looks like a secret that everybody who reads the file can see"
        mend = "Keep it in a masked variable (Settings > CI/CD > Variables)."
        yield document.finding(RUNG, message, mend, *path, "variables", str(name), is_error=False)


def _unseen_scripts(document: Document, text: str) -> Iterator[Finding]:
    for number, line in enumerate(text.splitlines(), 1):
        code = line.partition(" #")[0]
        if code.lstrip().startswith("#"):
            continue
        if re.search(r"\b(?:curl|wget)\b[^|;&]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b", code):
            message, mend = "a downloaded script is run unseen", "Download it, check its hash, then run it."
            yield _at(document, number, message, mend)


def _images(document: Document, path: Path, body: dict[str, Any]) -> Iterator[Finding]:
    services = body.get("services")
    listed: list[tuple[Path, Any]] = [((*path, "image"), body.get("image"))]
    listed += [
        ((*path, "services", number), each)
        for number, each in enumerate(services if isinstance(services, list) else [])
        if not isinstance(services, Reference)
    ]
    for place, value in listed:
        name = value.get("name") if isinstance(value, dict) else value
        if isinstance(name, str) and name:
            yield from _image(document, place, name)


def _image(document: Document, place: Path, name: str) -> Iterator[Finding]:
    if "kaniko" in name:
        message = "kaniko is archived since June 2025 and gets no fixes"
        mend = "Build with rootless BuildKit: moby/buildkit and buildctl-daemonless.sh."
        yield document.finding(RUNG, message, mend, *place, is_error=False)
        return
    tag = name.rsplit("/", 1)[-1].partition(":")[2]
    if "dind" in tag and "rootless" not in tag:
        message = f"{name} works only on privileged runners, where a job can take over the machine"
        mend = "Build images with rootless BuildKit if that is what it is for."
        yield document.finding(RUNG, message, mend, *place, is_error=False)
    if "$" not in name and "@sha256:" not in name and tag in {"", "latest"}:
        message = f"the image {name} changes under your feet, since it names no version"
        yield document.finding(RUNG, message, "Name a version as tag.", *place, is_error=False)


def _includes(document: Document) -> Iterator[Finding]:
    value = document.data.get("include")
    for number, each in enumerate(value if isinstance(value, list) else [value]):
        address = each.get("remote") if isinstance(each, dict) else each
        if isinstance(address, str) and address.startswith("http://"):
            message = "a file is included over plain http, so anybody on the way can change what your jobs run"
            place = ("include", number) if isinstance(value, list) else ("include",)
            yield document.finding(RUNG, message, "Use https.", *place, is_error=False)


def _at(document: Document, line: int, message: str, mend: str) -> Finding:
    return Finding(rung=RUNG, message=message, path=document.path, line=line, mend=mend, is_error=False)
