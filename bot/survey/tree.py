"""A snapshot as folders: what lies where, and the parsed manifests of one folder."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cached_property

from bot.domain import Evidence, Snapshot
from bot.survey import parsing

MAX_QUOTE = 120


class Tree:
    """A snapshot indexed by folder. Problems found while parsing gather in `problems`, once for each file."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.paths = frozenset(snapshot.paths)
        self.sorted_paths = sorted(self.paths)
        self.problems: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}
        for path in snapshot.paths:
            folder, _, name = path.rpartition("/")
            self._names.setdefault(folder, set()).add(name)

    def names(self, folder: str) -> set[str]:
        """Return the names of the files directly in a folder."""
        return self._names.get(folder, set())

    @property
    def folders(self) -> Sequence[str]:
        """Every folder that holds a file directly, sorted."""
        return sorted(self._names)

    def text(self, path: str) -> str:
        """Return the text of a file without a byte order mark; nothing when it was not read."""
        return (self.snapshot.read(path) or "").removeprefix("\ufeff")

    def parsed(self, path: str, parse: Callable[[str], object], form: str) -> dict[str, object]:
        """Return the top table of a file; a broken file is an empty table and a problem worth a remark."""
        text = self.text(path)
        if not text.strip():
            return {}
        value = parse(text)
        if isinstance(value, dict):
            return value
        self.problems[path] = f"`{path}` is not valid {form}, so it was not used."
        return {}


class Folder:
    """One folder of a tree, the place of a unit. All names are relative to it."""

    def __init__(self, tree: Tree, root: str) -> None:
        self.tree = tree
        self.root = root
        self._parsed: dict[str, dict[str, object]] = {}

    def full(self, name: str) -> str:
        """Return the path from the repository's root."""
        return f"{self.root}/{name}" if self.root else name

    def has(self, name: str) -> bool:
        """Say whether a file exists."""
        return self.full(name) in self.tree.paths

    def first(self, *names: str) -> str:
        """Return the first name that exists, or nothing."""
        return next((name for name in names if self.has(name)), "")

    def text(self, name: str) -> str:
        """Return the text of a file, or nothing."""
        return self.tree.text(self.full(name))

    def names(self, pattern: str = "") -> list[str]:
        """Return the names directly in this folder that match the whole pattern, sorted."""
        return sorted(name for name in self.tree.names(self.root) if not pattern or re.fullmatch(pattern, name))

    def under(self, pattern: str) -> list[str]:
        """Return the names, at any depth, that match the whole pattern; they are relative and sorted."""
        match = re.compile(pattern).fullmatch
        cut = len(self.root) + 1 if self.root else 0
        return [path[cut:] for path in self._paths if match(path, cut)]

    @cached_property
    def _paths(self) -> list[str]:
        """Every path below this folder, sorted."""
        if not self.root:
            return self.tree.sorted_paths
        paths = self.tree.sorted_paths
        return paths[bisect_left(paths, f"{self.root}/") : bisect_left(paths, f"{self.root}0")]

    def toml(self, name: str) -> dict[str, object]:
        """Return the tables of a TOML file, or nothing."""
        return self._once(name, parsing.read_toml, "TOML")

    def json(self, name: str) -> dict[str, object]:
        """Return the object of a JSON file, or nothing."""
        return self._once(name, parsing.read_json, "JSON")

    def yaml(self, name: str) -> dict[str, object]:
        """Return the mapping of a YAML file, or nothing."""
        return self._once(name, parsing.read_yaml, "YAML")

    def ini(self, name: str) -> dict[str, object]:
        """Return the sections of an INI file, or nothing."""
        return self._once(name, parsing.read_ini, "INI")

    def evidence(self, name: str, *needles: str) -> Evidence:
        """Return where the first needle stands in a file; only the file when none does."""
        return find(self.full(name), self.text(name), *needles)

    def _once(self, name: str, parse: Callable[[str], object], form: str) -> dict[str, object]:
        if name not in self._parsed:
            self._parsed[name] = self.tree.parsed(self.full(name), parse, form)
        return self._parsed[name]


def find(path: str, text: str, *needles: str) -> Evidence:
    """Return the first line that holds a needle; earlier needles win, no needle found means the file as a whole."""
    for needle in needles:
        position = text.find(needle) if needle else -1
        if position >= 0:
            start = text.rfind("\n", 0, position) + 1
            quote = text[start : start + 500].split("\n", 1)[0].strip()
            return Evidence(path=path, line=text.count("\n", 0, position) + 1, quote=quote[:MAX_QUOTE])
    return Evidence(path=path)
