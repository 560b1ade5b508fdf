"""What a careful person looks for in a Dockerfile, without a daemon."""

import re
from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct, structs

from bot.domain import Finding
from bot.domain.known import known


class Instruction(Struct, frozen=True, kw_only=True):
    """One instruction, its continued lines joined; it stands in the lines from `line` to `end`, counted from 1."""

    line: int
    word: str
    rest: str
    end: int = 0


class _Row(Struct, frozen=True, kw_only=True):
    """One row of hadolint's report."""

    line: int
    code: str
    message: str
    level: str


_OF_HADOLINT = "See github.com/hadolint/hadolint/wiki/{}."


def check_dockerfile(text: str) -> tuple[Finding, ...]:
    """Return what is wrong (errors) or unwise (warnings) in a Dockerfile, by line."""
    every = list(instructions(text))
    if not any(each.word == "FROM" for each in every):
        return (_finding(1, "there is no FROM", "Start from a pinned base image.", is_error=True),)
    rules: tuple[Callable[[list[Instruction]], Iterator[Finding]], ...] = (_bases, _user, _commands, _copies, _runs)
    found = [finding for rule in rules for finding in rule(every)]
    return tuple(sorted(found, key=lambda finding: finding.line or 0))


def read_hadolint(answer: str) -> tuple[Finding, ...]:
    """Return hadolint's JSON report as findings; what is no report has none."""
    try:
        rows = msgspec.json.decode(answer, type=list[_Row])
    except msgspec.MsgspecError:
        return ()
    return tuple(
        _finding(row.line, f"{row.code}: {row.message}", _OF_HADOLINT.format(row.code), is_error=row.level == "error")
        for row in rows
        if row.level in {"error", "warning"}
    )


def instructions(text: str) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile; comments and the bodies of heredocs are none."""
    start, joined, heredoc = 0, "", ""
    waiting: Instruction | None = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if heredoc:
            heredoc = "" if stripped == heredoc else heredoc
            waiting = waiting and structs.replace(waiting, end=number)
            continue
        if not stripped or stripped.startswith("#"):
            continue
        start = start if joined else number
        joined += stripped.removesuffix("\\") + " "
        if stripped.endswith("\\"):
            continue
        if waiting is not None:
            yield waiting
        word, _, rest = joined.strip().partition(" ")
        waiting = Instruction(line=start, word=word.upper(), rest=rest.strip(), end=number)
        heredoc = _heredoc(word, rest)
        joined = ""
    if waiting is not None:
        yield waiting


def _heredoc(word: str, rest: str) -> str:
    match = re.search(r"<<-?['\"]?(\w+)", rest) if word.upper() in {"RUN", "COPY", "ADD"} else None
    return match[1] if match else ""


def _bases(instructions: list[Instruction]) -> Iterator[Finding]:
    stages: set[str] = {"scratch"}
    for each in (one for one in instructions if one.word == "FROM"):
        words = [word for word in each.rest.split() if not word.startswith("--")]
        image = words[0] if words else ""
        if len(words) == 3 and words[1].upper() == "AS":
            stages.add(words[2].lower())
        if image.lower() in stages or "$" in image or "@sha256:" in image:
            continue
        tag = image.rsplit("/", 1)[-1].partition(":")[2]
        if tag in {"", "latest"}:
            yield _finding(each.line, f"the base image {image} is not pinned", "Name a version as tag.", is_error=True)


def _user(instructions: list[Instruction]) -> Iterator[Finding]:
    last = max(number for number, each in enumerate(instructions) if each.word == "FROM")
    base = instructions[last].rest
    users = [each for each in instructions[last:] if each.word == "USER"]
    if not users:
        if "nonroot" not in base:
            yield _finding(
                instructions[last].line, "the container runs as root", "End with USER and a numeric id such as 10001."
            )
        return
    user = users[-1].rest.split(":")[0]
    if user in {"root", "0"}:
        yield _finding(users[-1].line, "the container runs as root", "Use a numeric id such as 10001.")
    elif not user.isdigit() and "$" not in user:
        yield _finding(
            users[-1].line, f"USER {user} is a name, which Kubernetes cannot prove to be non-root", "Use a numeric id."
        )


def _commands(instructions: list[Instruction]) -> Iterator[Finding]:
    for each in instructions:
        if each.word in {"CMD", "ENTRYPOINT"} and not each.rest.startswith("["):
            mend = f'Write it as a list: {each.word} ["program", "argument"].'
            yield _finding(each.line, f"{each.word} runs in a shell, which swallows the stop signal", mend)


def _copies(instructions: list[Instruction]) -> Iterator[Finding]:
    for each in instructions:
        if each.word == "ADD" and not re.search(r"https?://|git@|\.(tar|tgz|txz)", each.rest):
            yield _finding(each.line, "ADD also unpacks and downloads", "Use COPY for files.")
        if each.word in {"ARG", "ENV"} and re.search(r"(?i)(password|secret|token|api_key)\w*=\S", each.rest):
            yield _finding(
                each.line,
                f"{each.word} keeps a secret in the image",
                "Mount it: RUN --mount=type=secret.",
                is_error=True,
            )


def _runs(instructions: list[Instruction]) -> Iterator[Finding]:
    for each in (one for one in instructions if one.word == "RUN"):
        if re.search(r"\bapt(-get)? install\b", each.rest):
            if "apt/lists" not in each.rest and "target=/var/lib/apt" not in each.rest:
                yield _finding(
                    each.line, "the package lists stay in the image", "End with && rm -rf /var/lib/apt/lists/*."
                )
            if not re.search(r"\s(-\w*y|--yes|--assume-yes)", each.rest):
                yield _finding(each.line, "apt-get install waits for an answer", "Add -y.", is_error=True)
        if re.search(r"(curl|wget)[^|;&]*\|\s*(sudo\s+)?(ba|z)?sh\b", each.rest):
            yield _finding(each.line, "a downloaded script is run unseen", "Download it, check its hash, then run it.")
        if re.search(r"\bsudo\b", each.rest):
            yield _finding(each.line, "sudo is not needed while building", "Use USER root for that step.")


def _finding(line: int, message: str, mend: str, *, is_error: bool = False) -> Finding:
    return Finding(rung="policy", message=message, path="Dockerfile", line=line, mend=mend, is_error=is_error)


known(_Row)
