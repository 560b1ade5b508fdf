"""AppVeyor: its jobs on Linux; those on Windows are told, not taken over."""

import re
from collections.abc import Iterator

from bot.domain import Evidence
from bot.survey.other_ci.images import variable_versions
from bot.survey.other_ci.model import Job
from bot.survey.other_ci.packages import apt_packages
from bot.survey.other_ci.scripts import as_matrix, rows_of, steps_of, variables_of
from bot.survey.parsing import read_yaml, string, strings, table
from bot.survey.tree import Tree, find

PATTERN = r"\.?appveyor\.ya?ml"
_SECTIONS = ("install", "before_build", "build_script", "before_test", "test_script")
_STACK = re.compile(r"\b(python|node|go|ruby|jdk|java)\s+v?(\d[\w.]*)")
_VARIABLE = r"\$\{?(\w+)\}?"


def read_appveyor(tree: Tree, path: str) -> Iterator[Job]:
    """Return the one job of a file that also runs on Ubuntu."""
    data, text = tree.parsed(path, read_yaml, "YAML"), tree.text(path)
    if not _is_linux(data):
        return
    common = {name: value for name, value in table(data, "environment").items() if name != "matrix"}
    matrix = table(data, "environment").get("matrix")
    rows = tuple(variables_of(table(row)) for row in matrix) if isinstance(matrix, list) and matrix else rows_of(None)
    scripts = [as_matrix(line, _VARIABLE, list(rows[0])) for line in _lines(data, "sh")]
    yield Job(
        path=path,
        name="appveyor",
        rows=rows,
        steps=steps_of(path, text, scripts),
        versions=(*_stack(path, text, data), *variable_versions(path, text, {**variables_of(common), **rows[0]})),
        variables=variables_of(common),
        packages=apt_packages(path, text, scripts),
    )


def on_windows(tree: Tree, path: str) -> Iterator[str]:
    """Return the lines of a file that runs on Windows alone."""
    data = tree.parsed(path, read_yaml, "YAML")
    if not _is_linux(data):
        yield from _lines(data, "cmd", "ps", "pwsh", "sh")


def _is_linux(data: dict[str, object]) -> bool:
    matrix = table(data, "environment").get("matrix")
    rows = [string(table(row).get("APPVEYOR_BUILD_WORKER_IMAGE")) for row in matrix] if isinstance(matrix, list) else []
    return any(re.search(r"ubuntu|linux", name, re.I) for name in (*strings(data.get("image")), *rows))


def _lines(data: dict[str, object], *shells: str) -> Iterator[str]:
    """Return the script lines of every section: plain ones, and those for the given shells."""
    for section in _SECTIONS:
        listed = data.get(section)
        for each in listed if isinstance(listed, list) else [listed]:
            if isinstance(each, str):
                yield each
            else:
                yield from (string(line) for shell, line in table(each).items() if shell in shells)


def _stack(path: str, text: str, data: dict[str, object]) -> Iterator[tuple[str, str, Evidence]]:
    for language, version in _STACK.findall(string(data.get("stack"))):
        yield {"jdk": "java"}.get(language, language), version, find(path, text, "stack:")
