"""What YAML itself gets wrong silently: keys given twice, and texts that become numbers, dates or booleans."""

import re
from collections.abc import Iterator, Sequence

import yaml

from bot.domain import CannotError, Finding

MAX_DEPTH = 100
# GitLab counts the memory a file takes with its aliases written out, and refuses more than 2 MB.
MAX_VALUES = 200_000
MAX_DIGITS = 300  # Python refuses to write out numbers of more than 4300 digits, and hexadecimal ones grow
# Below these keys GitLab wants texts; what YAML reads as something else reaches the job in another spelling.
_TEXTS = frozenset({"variables", "matrix", "image", "services", "tags", "needs", "stages", "stage", "entrypoint"})
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_CLOCK = re.compile(r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_SHORT_BOOLEANS = frozenset({"yes", "no", "on", "off"})


def refuse_too_many(nodes: Sequence[yaml.Node]) -> None:
    """Raise CannotError when a file's aliases make more of it than GitLab, or we, could read through."""
    sizes: dict[int, int] = {}
    if sum(_size(node, sizes) for node in nodes) > MAX_VALUES:
        raise CannotError(f"the file comes to more than {MAX_VALUES} values, which is over GitLab's 2 MB (line 1)")


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """Count what a value holds, an alias as often as it is written."""
    if id(node) in sizes:
        if not sizes[id(node)]:
            raise CannotError(f"an alias stands for something it is itself a part of (line {_line(node)})")
        return sizes[id(node)]
    if node.tag == "tag:yaml.org,2002:int" and len(node.value) > MAX_DIGITS:
        raise CannotError(f"a number of {len(node.value)} digits is none GitLab knows (line {_line(node)})")
    sizes[id(node)] = 0
    children = node.value if isinstance(node, yaml.CollectionNode) else []
    parts = (part for child in children for part in (child if isinstance(child, tuple) else (child,)))
    sizes[id(node)] = 1 + sum(_size(part, sizes) for part in parts)
    return sizes[id(node)]


def too_many_documents(nodes: Sequence[yaml.Node], path: str) -> Iterator[Finding]:
    """GitLab reads one document, and before it at most one header that holds `spec`."""
    header = nodes[0] if len(nodes) > 1 else None
    is_header = isinstance(header, yaml.MappingNode) and any(key.value == "spec" for key, _ in header.value)
    if header is not None and (len(nodes) > 2 or not is_header):
        message = f"the file holds {len(nodes)} YAML documents, where GitLab reads one after an optional spec header"
        yield _at(nodes[-1], path, message, "Remove the lines --- between them.")


def find_traps(root: yaml.Node, path: str) -> Iterator[Finding]:
    """Yield the traps of one YAML document, by their lines."""
    waiting: list[tuple[yaml.Node, bool, int]] = [(root, False, 0)]
    seen: set[int] = set()
    while waiting:
        node, is_text, depth = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if depth > MAX_DEPTH:
            yield _at(node, path, f"the file is nested deeper than {MAX_DEPTH} levels", "Make it flatter.")
            return
        if isinstance(node, yaml.MappingNode):
            yield from _keys(node, path)
            waiting += [(value, is_text or str(key.value) in _TEXTS, depth + 1) for key, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(item, is_text, depth + 1) for item in node.value]
        elif isinstance(node, yaml.ScalarNode) and not node.style:
            yield from _scalar(node, path, is_text=is_text)


def _keys(node: yaml.MappingNode, path: str) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name == "<<":
            yield from _merge(key, value, seen, path)
            continue
        if name in seen:
            message = f"{name!r} is given twice; the one on line {seen[name]} is ignored"
            yield _at(key, path, message, "Keep one of them, or rename one.")
        seen[name] = line
        if key.tag == "tag:yaml.org,2002:bool" and name.lower() in _SHORT_BOOLEANS:
            meaning = str(name.lower() in {"yes", "on"}).lower()
            yield _at(key, path, f"the key {name} means {meaning} in YAML", f'Quote it: "{name}".')


def _merge(key: yaml.Node, value: yaml.Node, seen: dict[str, int], path: str) -> Iterator[Finding]:
    """GitLab's parser lets what is merged win over the keys written above the `<<`, against YAML's own rule."""
    merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
    names = {str(inner.value) for each in merged if isinstance(each, yaml.MappingNode) for inner, _ in each.value}
    for name in sorted(names & set(seen)):
        message = f"{name!r} on line {seen[name]} stands above <<, so GitLab replaces it with the merged one"
        yield _at(key, path, message, "Write << first, and below it what it should not change.", is_error=False)


def _scalar(node: yaml.ScalarNode, path: str, *, is_text: bool) -> Iterator[Finding]:
    text = str(node.value)
    if node.tag == "tag:yaml.org,2002:timestamp":
        yield _at(node, path, f"{text} is a date in YAML, which GitLab refuses to load", f'Quote it: "{text}".')
    elif is_text:
        reading = _reading(node.tag.rpartition(":")[2], text)
        if reading:
            message = f"{text} is no text in YAML, so jobs get {reading}"
            yield _at(node, path, message, f'Quote it: "{text}".', is_error=False)


def _reading(kind: str, text: str) -> str:
    """Return what a plain scalar turns into, empty when it stays the same."""
    if kind == "bool" and text.lower() in _SHORT_BOOLEANS:
        return str(text.lower() in {"yes", "on"}).lower()
    if kind == "int" and _OCTAL.fullmatch(text):
        return str(int(text.replace("_", ""), 8))
    if kind in {"int", "float"} and _CLOCK.fullmatch(text):
        return "a number of seconds or minutes"
    if kind == "int" and text.lstrip("-+").startswith(("0x", "0b")):
        return str(int(text.replace("_", ""), 0))
    if kind == "int" and ("_" in text or text.startswith("+")):
        return str(int(text.replace("_", "")))
    if kind == "float" and re.fullmatch(r"\d+\.\d*0", text) and not re.fullmatch(r"\d+\.0", text):
        return str(float(text))
    return ""


def _at(node: yaml.Node, path: str, message: str, mend: str, *, is_error: bool = True) -> Finding:
    return Finding(rung="yaml", message=message, path=path, line=_line(node), mend=mend, is_error=is_error)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
