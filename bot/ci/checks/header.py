"""The `spec` header of a file that is included with inputs: what it declares and what the file asks for."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from bot.ci.checks.semantics import RUNG
from bot.domain import Finding

_TYPES = ("string", "number", "boolean", "array")
_USED = re.compile(r"\$\[\[\s*inputs\.([\w-]+)")


def check_header(text: str, path: str) -> Iterator[Finding]:
    """Yield inputs of types that GitLab does not know, and those that are used but not declared."""
    header = _header(text)
    if header is None:
        return
    inputs = header.get("inputs")
    declared: Mapping[str, Any] = inputs if isinstance(inputs, dict) else {}
    lines = text.splitlines()
    for name, body in declared.items():
        kind = body.get("type", "string") if isinstance(body, dict) else "string"
        if kind not in _TYPES:
            line = next((n for n, each in enumerate(lines, 1) if each.strip().startswith(f"{name}:")), 1)
            message = f"the input {name} is of the type {kind}, which GitLab does not know"
            yield _at(path, line, message, f"Use one of: {', '.join(_TYPES)}.")
    for number, each in enumerate(lines, 1):
        for name in dict.fromkeys(_USED.findall(each)):
            if name not in declared and "include" not in header and not each.lstrip().startswith("#"):
                message = f"the input {name} is used, but spec:inputs does not declare it"
                yield _at(path, number, message, f"Declare {name} below spec:inputs, or correct the name.")


def _header(text: str) -> Mapping[str, Any] | None:
    """Return what `spec` holds in the first of two documents, None where there is no header."""
    if not re.search(r"(?m)^---", text) or not re.search(r"(?m)^spec:", text):
        return None
    first = re.split(r"(?m)^---(?:\s.*)?$", text.removeprefix("---\n"), maxsplit=1)[0]
    try:
        data = yaml.safe_load(first)
    except yaml.YAMLError:
        return None
    spec = data.get("spec") if isinstance(data, dict) else None
    return spec if isinstance(spec, dict) else None


def _at(path: str, line: int, message: str, mend: str) -> Finding:
    return Finding(rung=RUNG, message=message, path=path, line=line, mend=mend)
