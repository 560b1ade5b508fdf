"""The pipeline as a whole: a file with the local files it includes merged below it, as GitLab does."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.ci.checks.document import Document, Path, jobs_of, read_document
from bot.ci.checks.merged import deep_merged
from bot.domain import CannotError, Finding

MAX_DEPTH = 20
MAX_BYTES = 2_000_000  # docs.gitlab.com/administration/instance_limits


def included_paths(text: str) -> tuple[str, ...]:
    """Return the local paths and patterns that a file includes, relative to the repository."""
    if len(text) > MAX_BYTES:
        return ()
    try:
        document = read_document(text)
    except CannotError:
        return ()
    return tuple(found for _, entry in _entries(document) if (found := _local(entry)))


def include_files(document: Document, files: Mapping[str, str], root: str = "") -> tuple[Document, list[Document]]:
    """Return the whole pipeline and the documents it is made of beside the first.

    `files` holds the texts by their path in the repository; `root` is put before it to name a file in findings.
    What cannot be followed (another project, an address, a variable in a name) leaves the pipeline open.
    """
    parts: list[Document] = []
    whole = _whole(document, files, root, parts, (document.path,))
    return whole, parts


def matching(pattern: str, paths: Mapping[str, str]) -> list[str]:
    """Return the paths a local include means: `*` stays inside a folder, `**` does not."""
    expression = "".join(
        {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*"}.get(part, re.escape(part))
        for part in re.split(r"(\*\*/|\*\*|\*)", pattern.lstrip("/"))
    )
    return sorted(path for path in paths if re.fullmatch(expression, path))


def _whole(
    document: Document, files: Mapping[str, str], root: str, parts: list[Document], trail: tuple[str, ...]
) -> Document:
    below: list[Document] = []
    findings: list[Finding] = []
    is_open = document.is_open and "include" not in document.data
    for path, entry in _entries(document):
        pattern = _local(entry)
        found = matching(pattern, files) if pattern else []
        is_open = is_open or not found or (isinstance(entry, dict) and bool({"rules", "inputs"} & set(entry)))
        if pattern and not found and "*" not in pattern:
            message = f"the file {pattern} is included, but it is not there"
            is_certain = not isinstance(entry, dict) or "rules" not in entry
            mend = "Correct the path, or add the file."
            findings.append(document.finding("semantics", message, mend, *path, is_error=is_certain))
        for name in found:
            shown = f"{root}{name}"
            if shown in trail or len(trail) > MAX_DEPTH:
                continue
            part = _read(files[name], shown, findings)
            if part is None or (part.is_open and "include" not in part.data):
                is_open = True
                continue
            parts.append(part)
            inner = _whole(part, files, root, parts, (*trail, shown))
            is_open = is_open or inner.is_open
            below.append(inner)
    return _merged(document, below, findings, is_open=is_open)


def _read(text: str, path: str, findings: list[Finding]) -> Document | None:
    try:
        return read_document(text, path)
    except CannotError as error:
        line = re.search(r"\(line (\d+)\)$", str(error))
        findings.append(
            Finding(rung="yaml", message=str(error), path=path, line=int(line[1]) if line else 1, mend="Mend the line.")
        )
        return None


def _merged(document: Document, below: list[Document], findings: list[Finding], *, is_open: bool) -> Document:
    data: dict[str, Any] = {}
    places: dict[Path, Any] = {}
    for part in (*below, document):
        data, places = deep_merged(data, part.data), places | part.places
        findings = [*findings, *(each for each in part.findings if part is not document and each not in findings)]
    return Document(
        data=data,
        jobs=jobs_of(data),
        places=places,
        path=document.path,
        findings=(*document.findings, *findings),
        aliased=document.aliased.union(*(part.aliased for part in below)),
        is_open=is_open,
    )


def _entries(document: Document) -> Iterator[tuple[Path, Any]]:
    value = document.data.get("include")
    if isinstance(value, list):
        yield from ((("include", number), each) for number, each in enumerate(value))
    elif value is not None:
        yield ("include",), value


def _local(entry: Any) -> str:
    """Return the path of a local include, empty for any other or one with a variable in it."""
    path = entry if isinstance(entry, str) else entry.get("local") if isinstance(entry, dict) else None
    if not isinstance(path, str) or "$" in path or re.match(r"https?://", path):
        return ""
    return path.lstrip("/")
