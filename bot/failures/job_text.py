"""One job as the file has it: what GitLab merges into it, and edits that put a line where it belongs."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Literal

from bot.ci.checks.document import Document, Reference, read_document
from bot.ci.checks.merged import merged_jobs
from bot.ci.edit import Edit, SetKey, apply
from bot.ci.edit.place import add_item, set_value
from bot.ci.edit.tree import find, read_tree
from bot.failures.recognise import written_name

Distribution = Literal["debian", "alpine", ""]

_DEBIAN = frozenset(
    "debian ubuntu python node golang rust gcc buildpack-deps ruby php maven gradle eclipse-temurin openjdk perl "
    "haskell julia elixir erlang swift dart r-base postgres mysql redis nginx sdk uv".split()
)
# A command that installs packages, up to where another one or a comment begins.
_INSTALLING = re.compile(r"(?:apt(?:-get)? (?:[^;&|]* )?install|apk add) [^&]*?(?=\s*(?:&|\s#|$))")
_INTRICATE = re.compile(r"[;|<>\n\"']")


class JobText:
    """A job of a pipeline's text, with everything it inherits."""

    def __init__(self, text: str, job: str) -> None:
        self.text = text
        self._document: Document = read_document(text)
        self.name = job if job in self._document.jobs else written_name(job)
        self.exists = self.name in self._document.jobs
        self.own: dict[str, Any] = self._document.jobs.get(self.name, {})
        self.body: dict[str, Any] = merged_jobs(self._document)[self.name].body if self.exists else {}

    def inherited(self, key: str) -> Any:
        """Return a key's value: the job's, else of `default`, else of the file."""
        default = self._document.data.get("default")
        above = default.get(key) if isinstance(default, dict) else None
        return self.body.get(key, above if above is not None else self._document.data.get(key))

    @property
    def image(self) -> str:
        """The image it runs in, or nothing."""
        value = self.inherited("image")
        return str(value.get("name", "") if isinstance(value, dict) else value or "")

    @property
    def distribution(self) -> Distribution:
        """Which package manager the image has; nothing where that is not sure."""
        name, _, tag = self.image.rpartition("/")[2].partition(":")
        if "$" in self.image or not name:
            return ""
        if name == "alpine" or "alpine" in tag or "musl" in tag:
            return "alpine"
        return "debian" if name in _DEBIAN and "distroless" not in self.image else ""

    def lines(self, key: str) -> list[str]:
        """Return the lines of `script` or `before_script`, flat."""
        return list(_flat(self.inherited(key)))

    @property
    def commands(self) -> list[str]:
        """Everything the job runs, in order."""
        return [*self.lines("before_script"), *self.lines("script")]

    def variable(self, name: str) -> str | None:
        """Return a variable of the job or of the file."""
        for holder in (self.body.get("variables"), self._document.data.get("variables")):
            if isinstance(holder, dict) and name in holder:
                value = holder[name]
                return str(value.get("value", "") if isinstance(value, dict) else value)
        return None

    def variables(self) -> dict[str, str]:
        """Return every variable the file gives the job."""
        both = {**(self._document.data.get("variables") or {}), **(self.body.get("variables") or {})}
        return {str(name): str(value) for name, value in both.items() if not isinstance(value, dict)}

    # edits

    def first(self, line: str) -> tuple[Edit, ...]:
        """Run a line before everything else."""
        return self._placed("before_script", 0, line)

    def before(self, command: str, line: str) -> tuple[Edit, ...]:
        """Run a line right before a command; at the end of `before_script` where the command is not a line there."""
        for key in ("before_script", "script"):
            if (position := _position(self.lines(key), command)) is not None:
                return self._placed(key, position, line)
        return self._placed("before_script", len(self.lines("before_script")), line)

    def rewritten(self, change: Callable[[str], str]) -> tuple[Edit, ...]:
        """Change every line of both scripts that `change` changes."""
        edits: list[Edit] = []
        text = self.text
        for key in ("before_script", "script"):
            old = self.lines(key)
            for position, line in enumerate(old):
                if change(line) != line:
                    edit = self._replaced(text, key, position, change(line))
                    edits.append(edit)
                    text = apply(text, edit)
        return tuple(edits)

    def install(self, package: str) -> tuple[Edit, ...]:
        """Install packages of the distribution, with those that are installed already."""
        for key in ("before_script", "script"):
            for position, line in enumerate(self.lines(key)):
                found = _INSTALLING.search(line)
                if found and not _INTRICATE.search(line):
                    longer = f"{line[: found.end()]} {package}{line[found.end() :]}"
                    return (self._replaced(self.text, key, position, longer),)
        if self.distribution == "alpine":
            return self.first(f"apk add --no-cache {package}")
        return self.first(f"apt-get update -q && apt-get install -yq --no-install-recommends {package}")

    def _placed(self, key: str, position: int, line: str) -> tuple[Edit, ...]:
        if self._is_plain_list(key):
            return (add_item(self.text, (self.name, key), line, position),)
        lines = self.lines(key)
        return (SetKey(job=self.name, key=key, value=[*lines[:position], line, *lines[position:]]),)

    def _replaced(self, text: str, key: str, position: int, line: str) -> Edit:
        if self._is_plain_list(key):
            return set_value(text, (self.name, key, position), line)
        lines = JobText(text, self.name).lines(key)
        return SetKey(job=self.name, key=key, value=[*lines[:position], line, *lines[position + 1 :]])

    def _is_plain_list(self, key: str) -> bool:
        """Only a list of the job itself, without aliases, references or lists inside, has an item for each line."""
        node, depth = find(read_tree(self.text), (self.name, key))
        value: Any = self.own.get(key) if depth == 2 and node.kind == "sequence" else None
        is_list = isinstance(value, list) and not isinstance(value, Reference)
        return is_list and bool(value) and all(isinstance(line, str) for line in value)


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _flat(each)
    elif value is not None:
        yield str(value)


def _position(lines: list[str], command: str) -> int | None:
    """The log shows only the first line of a command that has several."""
    wanted = command.partition(" # collapsed multi-line command")[0].strip()
    found = [number for number, line in enumerate(lines) if line.strip().split("\n")[0].strip() == wanted]
    return found[-1] if found and wanted else None
