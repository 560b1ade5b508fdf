"""The shell in the jobs: which scripts a file holds, at which lines, and what a shell's own linters say of them."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from bot.ci.checks.document import Document, Path, Reference, read_document
from bot.ci.checks.merged import merged_jobs
from bot.domain import CannotError, Finding
from bot.domain.known import known

RUNG = "scripts"
_SECTIONS = ("before_script", "script", "after_script")
_BLOCK = re.compile(r"(?:^|[\s:-])\|[-+0-9]*\s*(?:#.*)?$")
_INPUT = re.compile(r"\$\[\[.*?\]\]")
# Windows runners speak PowerShell, where bash would find nothing but errors.
_POWERSHELL = re.compile(
    r"(?i)\$env:|\b(?:Write-(?:Host|Output)|(?:Get|Set|New|Remove|Test|Copy|Move|Invoke|Install|Start|Stop)-[A-Z]\w+)\b"
)
_WINDOWS = re.compile(r"(?i)windows|nanoserver|powershell|pwsh")
_SAID = re.compile(r"(?m)^\S*bash: line (\d+): (.*)$")
_OF_SHELLCHECK = "See shellcheck.net/wiki/SC{}."
_MEND = "Mend the shell; a job stops there with a syntax error before it does anything."


Bash = Callable[[Sequence[str]], Sequence[str]]
ShellCheck = Callable[[Sequence[str]], str | None]


class Script(Struct, frozen=True, kw_only=True):
    """One script of a job as the shell gets it; `lines` are the lines of the file that its lines stand in."""

    path: str
    where: str
    text: str
    lines: tuple[int, ...]

    def finding(self, line: int, message: str, mend: str, *, is_error: bool) -> Finding:
        """Make a finding at a line of the script, counted from 1."""
        place = self.lines[min(max(line, 1), len(self.lines)) - 1]
        return Finding(
            rung=RUNG, message=f"{self.where}: {message}", path=self.path, line=place, mend=mend, is_error=is_error
        )


class _Row(Struct, frozen=True, kw_only=True):
    """One row of ShellCheck's report."""

    file: str
    line: int
    level: str
    code: int
    message: str


def check_shell(text: str, path: str, bash: Bash, shellcheck: ShellCheck = lambda _: None) -> tuple[Finding, ...]:
    """Return what ShellCheck, or bash where there is none, says of the scripts in a file; what is no YAML has none.

    Both get the scripts' texts. Bash returns its objections to each, ShellCheck one report in which each script is
    a file named by its number.
    """
    try:
        scripts = scripts_of(read_document(text, path), text)
    except CannotError:
        return ()
    texts = [script.text for script in scripts]
    report = shellcheck(texts)
    found = read_shellcheck(report, scripts) if report is not None else read_bash(bash(texts), scripts)
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: finding.line or 0))


def scripts_of(document: Document, text: str) -> tuple[Script, ...]:
    """Return the scripts a file writes out itself, hidden jobs' too; those for PowerShell are left out."""
    source = text.splitlines()
    owners: dict[str, Any] = {"": document.data, "default": document.data.get("default"), **document.jobs}
    merged = merged_jobs(document)
    found = []
    for name, body in owners.items():
        if not isinstance(body, dict) or _is_windows(document, merged[name].body if name in merged else body):
            continue
        for section in _SECTIONS:
            path = (name, section) if name else (section,)
            rows = list(_rows(document, source, body.get(section), path))
            script = "\n".join(row for row, _ in rows) + "\n"
            if rows and not _POWERSHELL.search(script):
                lines = tuple(line for _, line in rows)
                found.append(Script(path=document.path, where=":".join(path), text=script, lines=lines))
    return tuple(found)


def read_shellcheck(report: str, scripts: Sequence[Script]) -> Iterator[Finding]:
    """Yield ShellCheck's report as findings; what is no report has none."""
    try:
        rows = msgspec.json.decode(report, type=list[_Row])
    except msgspec.MsgspecError:
        return
    for row in rows:
        if row.level in {"error", "warning"} and row.file.isdigit() and int(row.file) < len(scripts):
            message, mend = f"SC{row.code}: {row.message}", _OF_SHELLCHECK.format(row.code)
            yield scripts[int(row.file)].finding(row.line, message, mend, is_error=row.level == "error")


def read_bash(answers: Sequence[str], scripts: Sequence[Script]) -> Iterator[Finding]:
    """Yield what bash objects to, one finding a script: what follows the first comes from it."""
    for script, answer in zip(scripts, answers, strict=False):
        said = _SAID.search(answer)
        if said:
            yield script.finding(int(said[1]), said[2], _MEND, is_error=True)


def _is_windows(document: Document, body: dict[str, Any]) -> bool:
    """Judge by what a job inherits, too: the tags of Windows runners mostly stand in `default`."""
    default = document.data.get("default")
    above = {**document.data, **(default if isinstance(default, dict) else {})}
    tags, image = (body.get(key, above.get(key)) for key in ("tags", "image"))
    named = [*(tags if isinstance(tags, list) else []), image.get("name") if isinstance(image, dict) else image]
    return any(_WINDOWS.search(str(each)) for each in named)


def _rows(document: Document, source: Sequence[str], value: Any, path: Path) -> Iterator[tuple[str, int]]:
    """Yield each line of a script with its line in the file; what another job holds is no line of this one."""
    if isinstance(value, Reference):
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _rows(document, source, item, (*path, number))
        return
    if not isinstance(value, str):
        return
    place = document.place(*path)
    line = place.line if place else 1
    is_block = line <= len(source) and _BLOCK.search(source[line - 1]) is not None
    for number, each in enumerate(_INPUT.sub("x", value).splitlines() or [""]):
        yield each, line + 1 + number if is_block else line


known(_Row)
