"""What a composition is after one of its files was changed: its job table read anew, what was kept, what was found."""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from bot.ci.checks.document import Document, read_document
from bot.ci.checks.merged import merged_jobs
from bot.ci.children import PIPELINE_FILE, is_pipeline
from bot.ci.compose import findings_of
from bot.ci.edit import block_text, blocks
from bot.domain import Composition, JobRow


def recomposed(old: Composition, files: Mapping[str, str], *, before: Mapping[str, str]) -> Composition:
    """Return the composition with these files; `before` has the texts until now of those that were there.

    Jobs that did not change keep what was said about them; those of a file that was there first are listed only when
    they did change.
    """
    all_files = {**old.files, **files}
    jobs, kept = old.jobs, old.kept
    for path, text in files.items():
        if is_pipeline(path):
            jobs, kept = _jobs(structs.replace(old, jobs=jobs, kept=kept), path, text, before.get(path))
    return structs.replace(old, files=all_files, jobs=jobs, kept=kept, findings=findings_of(all_files))


def _jobs(old: Composition, path: str, text: str, before: str | None) -> tuple[tuple[JobRow, ...], tuple[str, ...]]:
    """Return the job table with that of one file written anew, where it stood."""
    file = "" if path == PIPELINE_FILE else path
    rows, kept = _of_file(old, file, text, before)
    above = [row for row in old.jobs if row.file < file]
    below = [row for row in old.jobs if row.file > file]
    return (*above, *rows, *below), old.kept if file else kept


def _of_file(old: Composition, file: str, text: str, before: str | None) -> tuple[list[JobRow], tuple[str, ...]]:
    document, merged = read_document(text), merged_jobs(read_document(text))
    previous = {block.name: block_text(before, block) for block in blocks(before)} if before else {}
    told = {row.name: row for row in old.jobs if row.file == file}
    rows: list[JobRow] = []
    kept: list[str] = []
    for block in blocks(text):
        name, written = block.name, block_text(text, block)
        if name not in document.jobs or name.startswith("."):
            continue
        is_same = previous.get(name) == written
        if is_same and name in old.kept and not file:
            kept.append(name)
        else:
            row = _row(document, merged[name].body, name, written, told.get(name) if is_same else None)
            rows.append(structs.replace(row, file=file))
    return rows, tuple(kept)


def _row(document: Document, body: dict[str, Any], name: str, written: str, told: JobRow | None) -> JobRow:
    default = document.data.get("default")
    image = body.get("image") or (default.get("image") if isinstance(default, dict) else None)
    image = image or document.data.get("image")
    return JobRow(
        name=name,
        stage=str(body.get("stage", "test")),
        image=str(image.get("name", "") if isinstance(image, dict) else image or ""),
        does=told.does if told else _does(body, written),
        why=told.why if told else "",
    )


def _does(body: dict[str, Any], written: str) -> str:
    """Say it in the words of the comment above the job, else by its last command."""
    lines = written.splitlines()
    comment = [line.lstrip("# ").strip() for line in lines[: _first_key(lines)]]
    if any(comment):
        return " ".join(comment)
    script = body.get("script")
    commands = [script] if isinstance(script, str) else script if isinstance(script, list) else []
    last = str(commands[-1]).strip() if commands else ""
    return last.splitlines()[0] if last else ""


def _first_key(lines: list[str]) -> int:
    return next((number for number, line in enumerate(lines) if not line.startswith("#")), 0)
