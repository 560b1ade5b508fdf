"""Reading a `.gitlab-ci.yml` with the line of every key, `!reference` tags, and what YAML itself gets wrong."""

from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct

from bot.ci.checks.traps import find_traps, refuse_too_many, too_many_documents
from bot.ci.nesting import FAST, refuse_endless_nesting
from bot.domain import CannotError, Finding

GLOBAL_KEYS = frozenset(
    {
        "after_script", "before_script", "cache", "default", "image", "include", "pages", "services", "spec",
        "stages", "variables", "workflow",
    }
)  # fmt: skip
_JOB_LIKE = frozenset({"pages"})
# How much of a file the slow parser reads again to put an error into words.
MAX_EXPLAINED = 200_000

Path = tuple[str | int, ...]


class Place(Struct, frozen=True):
    """Where a key stands: the file, and its line counted from 1."""

    file: str
    line: int


class Reference(list[str]):
    """A `!reference [job, key]`: a list for the schema, but known as a pointer to the rules."""


class _Slow(yaml.SafeLoader):
    """SafeLoader plus GitLab's own tag; says best what is wrong with a file."""


class _Fast(FAST):  # type: ignore[misc, valid-type]  # chosen while running
    """The same on the parser that GitLab uses too: ten times faster, with poorer words."""


def _reference(loader: yaml.SafeLoader, node: yaml.Node) -> Reference:
    if not isinstance(node, yaml.SequenceNode):
        raise yaml.constructor.ConstructorError(None, None, "!reference needs a list", node.start_mark)
    return Reference(str(item) for item in loader.construct_sequence(node))


for _each in (_Slow, _Fast):
    _each.add_constructor("!reference", _reference)


class Document(Struct, frozen=True, kw_only=True):
    """A parsed pipeline file, alone or with what it includes. `jobs` includes hidden ones, as written.

    `aliased` are the top-level entries that something repeats by a YAML alias. `is_open` means that a file
    which is not at hand takes part: then a name this one lacks may come from there.
    """

    data: dict[str, Any]
    jobs: dict[str, dict[str, Any]]
    places: dict[Path, Place]
    path: str = ".gitlab-ci.yml"
    findings: tuple[Finding, ...] = ()
    aliased: frozenset[str] = frozenset()
    is_open: bool = False

    @property
    def entries(self) -> set[str]:
        """Every top-level name."""
        return set(self.data)

    def place(self, *path: str | int) -> Place | None:
        """Return where a key stands, else the nearest key above it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return None

    def finding(self, rung: str, message: str, mend: str, *at: str | int, is_error: bool = True) -> Finding:
        """Make a finding at a key."""
        place = self.place(*at) or Place(self.path, 1)
        return Finding(rung=rung, message=message, path=place.file, line=place.line, mend=mend, is_error=is_error)


def read_document(text: str, path: str = ".gitlab-ci.yml") -> Document:
    """Parse the file; raise CannotError with the line when it is not YAML or holds no mapping."""
    refuse_endless_nesting(text)
    try:
        nodes = _documents(text, _Fast)
        return _document(nodes, path)
    except yaml.MarkedYAMLError as error:
        raise CannotError(_explain(_in_words(text) or error)) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CannotError(f"not valid YAML: {error} (line 1)") from error


def _document(nodes: list[yaml.Node], path: str) -> Document:
    node = nodes[-1] if nodes else None
    refuse_too_many(nodes)
    if not isinstance(node, yaml.MappingNode):
        raise CannotError("the file does not hold jobs by name (line 1)")
    findings = (*too_many_documents(nodes, path), *(found for each in nodes for found in find_traps(each, path)))
    data = {str(key): value for key, value in _Slow("").construct_document(node).items()}
    return Document(
        data=data,
        jobs=jobs_of(data),
        places={key: Place(path, line) for key, line in _lines(node, ())},
        path=path,
        findings=findings,
        aliased=frozenset(_aliased(node)),
        is_open="include" in data or len(nodes) > 1,
    )


def _documents(text: str, loader_of: type[yaml.SafeLoader]) -> list[yaml.Node]:
    """Return the documents: two when a `spec:` header comes first."""
    loader = loader_of(text)
    nodes: list[yaml.Node] = []
    try:
        while loader.check_node():
            node = loader.get_node()
            if node is not None:
                nodes.append(node)
    finally:
        loader.dispose()
    return nodes


def _in_words(text: str) -> yaml.MarkedYAMLError | None:
    """Return the error again as the slow parser puts it; None where it has no objection."""
    try:
        _documents(text[:MAX_EXPLAINED], _Slow)
    except yaml.MarkedYAMLError as error:
        return error
    except (yaml.YAMLError, RecursionError):
        return None
    return None


def jobs_of(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the entries that are jobs, hidden ones too."""
    names = (name for name in data if name not in GLOBAL_KEYS or name in _JOB_LIKE)
    return {name: data[name] for name in names if isinstance(data[name], dict)}


def _explain(error: yaml.MarkedYAMLError) -> str:
    line = error.problem_mark.line + 1 if error.problem_mark else 1
    problem = error.problem or "not valid YAML"
    if r"'\t'" in problem:
        problem = "a tab is used for indentation, where YAML allows only spaces"
    return f"not valid YAML: {problem} (line {line})"


def _lines(node: yaml.Node, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            yield below, key.start_mark.line + 1
            yield from _lines(value, below)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield (*path, number), item.start_mark.line + 1
            yield from _lines(item, (*path, number))


def _aliased(root: yaml.MappingNode) -> Iterator[str]:
    """Return the entries a part of which is met a second time: an alias gives the very node of its anchor."""
    owners: dict[int, str] = {}
    for key, value in root.value:
        waiting = [value]
        while waiting:
            node = waiting.pop()
            if id(node) in owners:
                yield owners[id(node)]
                continue
            owners[id(node)] = str(key.value)
            children = node.value if isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) else []
            waiting += [child[1] if isinstance(child, tuple) else child for child in children]
