"""What a repository's own CI says, as a table of people's notes tells it."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

# The word of a row → the ecosystems that may answer it; the first is the plain one.
ECOSYSTEMS: dict[str, tuple[str, ...]] = {
    "python": ("python",),
    "javascript": ("node",),
    "javascript/ts": ("node",),
    "typescript": ("node", "deno"),
    "go": ("go",),
    "rust": ("rust",),
    "java": ("java",),
    "kotlin": ("java", "kotlin"),
    "c": ("cpp",),
    "c++": ("cpp",),
    "c/c++": ("cpp",),
    "ruby": ("ruby",),
    "php": ("php",),
    ".net": ("dotnet",),
    "elixir": ("elixir",),
    "static site": ("static", "node"),
    "dockerfile only": ("docker",),
    "terraform": ("terraform",),
    "helm": ("helm",),
    "shell": ("shell",),
    "clojure": ("clojure", "generic", "java"),
}
_MANAGERS = {"go modules": "go", "docker": "docker", "nuget": "nuget", "leiningen": "leiningen", "mix": "mix"}
_NOTHING = {"", "-", "none", "n/a", "(none)"}
_CLASSES = {"install": "install_cmd", "test": "test_cmd", "lint": "lint_cmd", "build": "build_cmd"}
_ACTION = re.compile(r"[\w.-]+(?:/[\w.-]+)+\)?|[\w-]+-action\)?|\([^()]*\)|[\w-]+-cache\)?")
_BARE_SCRIPT = re.compile(r"[\w-]+:[\w:-]+")
# Words to a reader, not to a shell.
_NOTE = re.compile(
    r"per (?:folder|workspace)|\bonly\b|^in |inside|in build|reusable|platforms|no diff|\w: \S|^prepare$|^kind\)"
)


class Truth(Struct, frozen=True, kw_only=True):
    """One row. `commands` maps a class to its commands, each a tuple of ways to say the same; a class is left out when
    the row has only words about it, such as "per folder".

    `ecosystems` and `managers` are empty where the row names none: then anything, or nothing, is right.
    """

    repo: str
    run: str
    ecosystems: tuple[str, ...]
    managers: tuple[str, ...]
    versions: str
    floor: str
    commands: dict[str, tuple[tuple[str, ...], ...]]
    is_empty: bool = False
    is_polyglot: bool = False


def read_truths(path: Path) -> dict[str, Truth]:
    """Return the rows by the checkout's folder name: owner+name."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {row["repo"].replace("/", "+"): _truth(row) for row in rows}


def _truth(row: dict[str, str]) -> Truth:
    word = row["ecosystem"].lower()
    return Truth(
        repo=row["repo"],
        run=row["run"],
        ecosystems=_ecosystems(word),
        managers=_managers(row["package_manager"].lower()),
        versions="" if row["lang_version_ci"].lower() in _NOTHING else row["lang_version_ci"],
        floor=row["version_sources"],
        commands=_all_commands(row),
        is_empty="empty" in word,
        is_polyglot=word == "polyglot",
    )


def _ecosystems(word: str) -> tuple[str, ...]:
    """ "hard: Jenkinsfile (java)" is about Java, "go+ruby" about Go first."""
    if word in ECOSYSTEMS:
        return ECOSYSTEMS[word]
    named = [each for each in re.findall(r"[a-z.]+", word) if each in ECOSYSTEMS]
    return ECOSYSTEMS[named[0]] if named else ()


def _managers(word: str) -> tuple[str, ...]:
    """Return every manager a row would accept, "pip+tox (setuptools)" being pip."""
    plain = re.sub(r"\([^)]*\)", "", word).strip()
    if plain in _NOTHING or plain.startswith("none"):
        return ()
    if plain.startswith(("gradle", "cmake", "uv", "deno")):
        return (re.split(r"[\s(]", plain)[0],)
    if plain.startswith("yarn"):
        return ("yarn1",) if "yarn 1" in plain else ("yarn-berry",)
    names = [each.strip() for each in re.split(r"[+,]", plain) if each.strip()]
    known = [_MANAGERS.get(name, name.split(" ")[0]) for name in names]
    return tuple({"setup.cfg": "pip", "setup.py": "pip", "bundler": "bundler"}.get(name, name) for name in known)


def _all_commands(row: dict[str, str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    read = {name: tuple(_commands(row[column])) for name, column in _CLASSES.items()}
    return {name: found for name, found in read.items() if found or row[_CLASSES[name]].strip().lower() in _NOTHING}


def _commands(cell: str) -> Iterator[tuple[str, ...]]:
    """Split a cell into commands; what stands in brackets after one is what it runs in the end."""
    if cell.strip().lower() in _NOTHING:
        return
    runner = ""
    for piece in _pieces(cell.replace("build-push-action", "build")):
        outer, _, inner = piece.partition(" (")
        ways = [*re.split(r" / | = ", outer.strip()), *(each.strip() for each in re.split(r"[;,]| && ", inner))]
        ways[0] = f"{runner}{ways[0]}" if _BARE_SCRIPT.fullmatch(ways[0]) else ways[0]
        runner = "npm run " if ways[0].startswith("npm run ") else ""
        said = tuple(way.rstrip(")") if "(" not in way else way for way in ways if _is_command(way))
        if said:
            yield said


def _pieces(cell: str) -> Iterator[str]:
    """Split at semicolons outside of brackets, and take "terraform fmt/validate, tflint (…)" apart."""
    for piece in re.split(r"\s*;\s*(?![^()]*\))", cell):
        plain = re.sub(r"^(\w+) (\w+)/(\w+)(?=,|$)", r"\1 \2, \1 \3", piece)
        listed = re.fullmatch(r"([\w ]+(?:, [\w ]+)+)(?: \([^()]*\))?", plain)
        yield from listed[1].split(", ") if listed else [piece]


def _is_command(way: str) -> bool:
    if way.lower().strip(")") in _NOTHING or way.startswith("(") or _ACTION.fullmatch(way):
        return False
    return _NOTE.search(way) is None
