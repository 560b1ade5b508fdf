"""Reading a `.gitlab-ci.yml` with the line of every key, `!reference` tags, and what YAML itself gets wrong."""

from collections.abc import Iterator
from typing import Any

import yaml
from msgspec import Struct

from bot.domain import CannotError, Finding

GLOBAL_KEYS = frozenset(
    {
        "after_script", "before_script", "cache", "default", "image", "include", "pages", "services", "spec",
        "stages", "variables", "workflow",
    }
)  # fmt: skip
_JOB_LIKE = frozenset({"pages"})

Path = tuple[str | int, ...]


class Reference(list[str]):
    """A `!reference [job, key]`: a list for the schema, but known as a pointer to the rules."""


class _Loader(yaml.SafeLoader):
    """SafeLoader plus GitLab's own tag."""


def _reference(loader: _Loader, node: yaml.Node) -> Reference:
    if not isinstance(node, yaml.SequenceNode):
        raise yaml.constructor.ConstructorError(None, None, "!reference needs a list", node.start_mark)
    return Reference(str(item) for item in loader.construct_sequence(node))


_Loader.add_constructor("!reference", _reference)


class Document(Struct, frozen=True, kw_only=True):
    """A parsed pipeline file. `jobs` includes hidden ones, as written; `lines` counts from 1."""

    data: dict[str, Any]
    jobs: dict[str, dict[str, Any]]
    lines: dict[Path, int]
    path: str = ".gitlab-ci.yml"
    findings: tuple[Finding, ...] = ()

    @property
    def entries(self) -> set[str]:
        """Every top-level name."""
        return set(self.data)

    @property
    def has_includes(self) -> bool:
        """Whether other files take part: then a name this file lacks may come from there."""
        return "include" in self.data

    def line(self, *path: str | int) -> int | None:
        """Return the line of a key, else of the nearest key above it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None

    def finding(self, rung: str, message: str, mend: str, *at: str | int, is_error: bool = True) -> Finding:
        """Make a finding at a key."""
        return Finding(rung=rung, message=message, path=self.path, line=self.line(*at), mend=mend, is_error=is_error)


def read_document(text: str, path: str = ".gitlab-ci.yml") -> Document:
    """Parse the file; raise CannotError with the line when it is not YAML or holds no mapping."""
    loader = _Loader(text)
    try:
        nodes = _documents(loader)
        node = nodes[-1] if nodes else None
        if not isinstance(node, yaml.MappingNode):
            raise CannotError("the file does not hold jobs by name (line 1)")
        duplicates = tuple(_duplicates(node, path))
        lines = dict(_lines(node, ()))
        data = {str(key): value for key, value in loader.construct_document(node).items()}
    except yaml.MarkedYAMLError as error:
        raise CannotError(_explain(error)) from error
    except yaml.YAMLError as error:
        raise CannotError(f"not valid YAML: {error} (line 1)") from error
    finally:
        loader.dispose()
    return Document(data=data, jobs=_jobs(data), lines=lines, path=path, findings=duplicates)


def _documents(loader: _Loader) -> list[yaml.Node]:
    """Return the documents: two when a `spec:` header comes first."""
    nodes: list[yaml.Node] = []
    while loader.check_node():
        node = loader.get_node()
        if node is not None:
            nodes.append(node)
    return nodes


def _jobs(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
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


def _duplicates(node: yaml.Node, path: str) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    children = node.value if isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) else []
    for child in children:
        key, value = child if isinstance(child, tuple) else (None, child)
        if key is not None and key.value != "<<":
            line = key.start_mark.line + 1
            if str(key.value) in seen:
                yield Finding(
                    rung="yaml",
                    message=f"{key.value!r} is given twice; the one on line {seen[str(key.value)]} is ignored",
                    path=path,
                    line=line,
                    mend="Keep one of them, or rename one.",
                )
            seen[str(key.value)] = line
        yield from _duplicates(value, path)
