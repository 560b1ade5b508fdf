"""Reduces a job's log, however long, to the lines of the command that failed.

The log comes in pieces and is never held whole: kept are the first telling lines of the last command, and its last
lines. Sections, colours, timestamps and progress bars are the runner's and terminal's (docs.gitlab.com/ci/jobs).
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator

from msgspec import Struct

from bot.masking import mask_secrets

LONGEST_LINE = 400
_LONGEST_RAW_LINE = 16_384
_MOST_TELLING = 80
_MOST_LAST = 200

_SECTION = re.compile(r"section_(start|end):\d+:([\w.-]+)(?:\[[^\]\r\n]*\])?\r?(?:\x1b\[0K)?")
_TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z \d\d[OE]([ +])")
# Of two letters too, as `tput sgr0` writes: what is left of one is part of the next word, and hides what that is.
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ECHO = re.compile(r"^\x1b\[32;1m\$ (.*?)(?:\x1b\[0;m)?$")
_PLAIN_ECHO = re.compile(r"^\$ (\S.*)$")
_EXIT = re.compile(r"^(?:ERROR: )?Job failed(?: \([^)]*\))?: (?:.*?)exit (?:code|status) (\d+)")
_TELLING = re.compile(
    r"error|err!|fail|fatal|cannot|can't|could not|not found|no such|denied|missing|unable|exception|refused|undefined|"
    r"unsupported|not support|require|invalid|killed|panic|out of|no space|timed? ?out|unbound|^E: |no tests|not match",
    re.IGNORECASE,
)
# What the runner does after the script has ended says nothing about why it ended.
_AFTERWARDS = ("after_script", "archive_cache", "upload_artifacts", "cleanup_file_variables")


class Line(Struct, frozen=True):
    """One line of a log, counted from 1, cleaned and with secrets masked."""

    number: int
    text: str


class Trace(Struct, frozen=True, kw_only=True):
    """The failing region of a job's log: what the last `command` said, as far as it was kept.

    `section` is the runner's own part of the job, such as `get_sources` or `step_script`; `length` counts the lines of
    the whole log. `ending` holds what the runner said last, such as "ERROR: Job failed: exit code 1".
    """

    lines: tuple[Line, ...] = ()
    command: str = ""
    section: str = ""
    exit_code: int | None = None
    ending: str = ""
    length: int = 0


def read_trace(pieces: Iterable[bytes]) -> Trace:
    """Read a log piece by piece, in bounded memory."""
    reader = _Reader()
    for raw in _raw_lines(pieces):
        reader.read(raw)
    return reader.trace()


def excerpt(trace: Trace, told: int | None = None, most: int = 30) -> str:
    """Return the lines worth showing: around the line that told the cause, and the last ones; gaps are marked."""
    wanted = {line.number for line in trace.lines[-most // 2 :]}
    if told is not None:
        wanted |= {line.number for line in trace.lines if -3 <= line.number - told <= most // 2 - 4}
    shown: list[str] = []
    before = None
    for line in (line for line in trace.lines if line.number in wanted):
        shown += ["…"] if before is not None and line.number > before + 1 else []
        shown.append(line.text)
        before = line.number
    head = [f"$ {trace.command}"] if trace.command else []
    return "\n".join([*head, *shown, *([trace.ending] if trace.ending else [])])


def _raw_lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Cut pieces into lines; what is longer than any sensible line is cut off, not kept."""
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line[:_LONGEST_RAW_LINE].decode("utf-8", "replace") for line in lines)
        if len(rest) > _LONGEST_RAW_LINE:
            # Progress bars draw over one line for ever: its beginning and its newest end are enough.
            rest = rest[: _LONGEST_RAW_LINE // 2] + b"\r" + rest[-_LONGEST_RAW_LINE // 4 :]
    if rest:
        yield rest[:_LONGEST_RAW_LINE].decode("utf-8", "replace")


class _Reader:
    """Keeps what was said since the last command began."""

    def __init__(self) -> None:
        self._telling: list[Line] = []
        self._last: deque[Line] = deque(maxlen=_MOST_LAST)
        self._number = 0
        self._sections: list[str] = []
        self._section = ""
        self._command = ""
        self._has_echoes = False
        self._exit_code: int | None = None
        self._ending = ""

    def read(self, raw: str) -> None:
        """Take in one line as it came."""
        self._number += 1
        stamped = _TIMESTAMP.match(raw)
        line = raw[stamped.end() :] if stamped else raw
        line = _SECTION.sub(self._mark, line).rstrip("\r")
        if self._sections and self._sections[0].startswith(_AFTERWARDS):
            return
        if self._is_command(line):
            return
        text = _cleaned(line)
        if not text.strip():
            return
        ending = _EXIT.match(text)
        if ending or text.startswith("ERROR: Job failed"):
            self._ending = text
            self._exit_code = int(ending[1]) if ending else None
        elif stamped and stamped[1] == "+" and self._last:
            self._keep(Line(self._last.pop().number, ""), text)
        else:
            self._keep(Line(self._number, ""), text)

    def trace(self) -> Trace:
        """Return what was kept."""
        kept = {line.number: line for line in (*self._telling, *self._last)}
        return Trace(
            lines=tuple(_masked([kept[number] for number in sorted(kept)])),
            command=mask_secrets(self._command),
            section=self._section,
            exit_code=self._exit_code,
            ending=mask_secrets(self._ending),
            length=self._number,
        )

    def _keep(self, place: Line, text: str) -> None:
        line = Line(place.number, text)
        self._last.append(line)
        if len(self._telling) < _MOST_TELLING and _TELLING.search(text):
            self._telling.append(line)

    def _mark(self, found: "re.Match[str]") -> str:
        if found[1] == "end":
            self._sections = self._sections[: self._sections.index(found[2])] if found[2] in self._sections else []
            return ""
        self._sections.append(found[2])
        if len(self._sections) == 1 and not found[2].startswith(_AFTERWARDS):
            self._section = found[2]
            self._begin_anew("")
        return ""

    def _is_command(self, line: str) -> bool:
        found = _ECHO.match(line)
        self._has_echoes = self._has_echoes or found is not None
        if found is None and not self._has_echoes:
            found = _PLAIN_ECHO.match(line)
        if found is None:
            return False
        self._begin_anew(_cleaned(found[1]))
        return True

    def _begin_anew(self, command: str) -> None:
        """A job ends with the first command that fails, so what came before the last one went well."""
        self._command = command
        self._telling.clear()
        self._last.clear()


def _cleaned(line: str) -> str:
    """Return what a terminal would show in the end: colours gone, only the last of what was drawn over."""
    text = _ESCAPE.sub("", line).rstrip("\r")
    text = _CONTROL.sub("", text.rpartition("\r")[2]).rstrip()
    return text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"


def _masked(lines: list[Line]) -> Iterator[Line]:
    """Mask all at once: a private key runs over many lines."""
    texts = mask_secrets("\n".join(line.text for line in lines)).split("\n") if lines else []
    if len(texts) == len(lines):
        yield from (Line(line.number, text) for line, text in zip(lines, texts, strict=True))
        return
    yield from (Line(number, text) for number, text in enumerate(texts, lines[0].number))
