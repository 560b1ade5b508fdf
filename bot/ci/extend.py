"""Bringing new jobs into a file: a new one is written whole, an existing one only gets what it lacks."""

import re
import types
from collections.abc import Mapping, Sequence

import yaml
from msgspec import structs

from bot.ci.checks.document import Document, read_document
from bot.ci.checks.includes import include_files
from bot.ci.edit import AddInclude, AddStage, append_block, apply, blocks
from bot.ci.parts import Part
from bot.domain import CannotError

_DEFAULT_STAGES = {"lint": "test", "image": "deploy"}
PURPOSES = {
    "lint": r"(?<![a-z])(?:lint|style|format|check|static|quality|pre-?commit|ruff|flake8|eslint|mypy)",
    "test": r"(?<![a-z])(?:tests?(?![a-z])|testing|rspec|specs?(?![a-z])|pytest|tox|nox|unit|check)",
    "build": r"(?<![a-z])(?:build|compile|package|dist|wheel|assemble)",
    "image": r"image|docker|container|kaniko|buildah|buildkit",
}
# What a job takes from `default`, or from the top of the file, that was not meant for it.
_INHERITED = {"before_script", "after_script", "services", "cache", "image", "hooks"}

Extended = tuple[str, tuple[Part, ...], tuple[str, ...], tuple[str, ...]]


def extend(
    existing: str | None,
    parts: Sequence[Part],
    head: str,
    includes: Sequence[Mapping[str, str]] = (),
    texts: Mapping[str, str] = types.MappingProxyType({}),
) -> Extended:
    """Return the new text, the parts written into it, the jobs left alone, and what a reader should know.

    `texts` are the repository's other files by path: what the existing file includes of them counts as there.
    """
    if existing is None or not existing.strip():
        return "\n".join([head, *(part.text for part in parts)]), tuple(parts), (), ()
    document = _read(existing)
    whole, _ = include_files(document, texts)
    kept = tuple(name for name in whole.jobs if not name.startswith("."))
    added = _missing(parts, whole.jobs, whole.entries)
    text, remarks = _with_includes(existing, document, includes)
    if not added and text == existing:
        return existing, (), kept, ("the existing pipeline already does all of this, so nothing was added", *remarks)
    if "stages" in document.data or "stages" not in whole.data:
        text, added = _in_its_stages(text, added, document.data.get("stages"))
    else:
        added = [_in_stage(part, _nearest(part.stage, whole.data["stages"])) for part in added]
    added = [_beside(part, whole) for part in added]
    for part in added:
        text = append_block(text, part.text)
    names = ", ".join(part.name for part in added if not part.is_hidden) or "files that are included"
    return text, tuple(added), kept, (f"the existing jobs stay as they are; added at the end: {names}", *remarks)


def _read(existing: str) -> Document:
    try:
        blocks(existing)
        return read_document(existing)
    except CannotError as error:
        raise CannotError(
            f"the existing `.gitlab-ci.yml` can't be extended: {error}. Mend that, then ask again."
        ) from error


def _nearest(stage: str, stages: Sequence[str]) -> str:
    """Return a stage that an included file lists: that list is not ours to change."""
    return next((each for each in (stage, "test") if each in stages), stages[0])


def _with_includes(text: str, document: Document, includes: Sequence[Mapping[str, str]]) -> tuple[str, tuple[str, ...]]:
    """Include what is not included yet; where the file's own list cannot be extended, say so."""
    listed = document.data.get("include")
    known = listed if isinstance(listed, list) else [listed]
    missing = [include for include in includes if dict(include) not in known]
    try:
        for include in missing:
            text = apply(text, AddInclude(include=include))
    except CannotError as error:
        return text, (f"I could not include {', '.join(map(str, missing[0].values()))}: {error}",)
    return text, ()


def _beside(part: Part, document: Document) -> Part:
    """Keep a new job away from what the file sets up for its own jobs, and out of pipelines those don't run in."""
    lines = []
    default = document.data.get("default")
    named = set(default) if isinstance(default, dict) else set()
    if not part.is_hidden and _INHERITED & (named | document.entries):
        lines = ["  inherit:", "    default: [tags, interruptible, retry, timeout]"]
    text = part.text
    if lines:
        text = re.sub(rf"(?m)^({re.escape(part.name)}:)$", "\n".join(["\\g<1>", *lines]), text, count=1)
    if "include" not in document.data and "workflow" not in document.data:
        never = '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"\n      when: never\n'
        text = re.sub(r"(?m)^  rules:\n", "  rules:\n" + never, text)
    return structs.replace(part, text=text, body=next(iter(yaml.safe_load(text).values())))


def _missing(parts: Sequence[Part], jobs: dict[str, dict[str, object]], entries: set[str]) -> list[Part]:
    wanted = [part for part in parts if not part.is_hidden and not _is_covered(part, jobs)]
    bases = {name for part in wanted for name in part.extends}
    clash = [part.name for part in parts if part.name in entries and (part in wanted or part.name in bases)]
    chosen = [part for part in parts if part in wanted or part.name in bases]
    return [_renamed(part, clash) for part in chosen]


def _is_covered(part: Part, jobs: dict[str, dict[str, object]]) -> bool:
    """A job is covered when one of the same purpose exists, by its name, its stage or a command it runs.

    What a person asked for by name is covered only by a job of that name.
    """
    if part.is_asked:
        return part.name in jobs
    pattern = re.compile(PURPOSES.get(part.stage, re.escape(part.name)), re.IGNORECASE)
    for name, body in jobs.items():
        if name.startswith("."):
            continue
        if pattern.search(name) or body.get("stage") == part.stage:
            return True
        script = body.get("script")
        if set(part.script[-1:]) & set(script if isinstance(script, list) else [script]):
            return True
    return False


def _renamed(part: Part, clash: Sequence[str]) -> Part:
    """Give a new job another name where the file already uses it."""
    text, body = part.text, dict(part.body)
    for name in clash:
        text = re.sub(rf"(?m)^(  extends: |){re.escape(name)}(:?)$", rf"\g<1>{name}-added\g<2>", text)
    if text == part.text:
        return part
    name = f"{part.name}-added" if part.name in clash else part.name
    body = next(iter(yaml.safe_load(text).values()))
    return structs.replace(part, name=name, text=text, body=body)


def _in_its_stages(text: str, parts: list[Part], stages: object) -> tuple[str, list[Part]]:
    """Put the jobs into stages the file has; add a stage only where the file lists its own."""
    if not isinstance(stages, list) or not stages:
        return text, [_in_stage(part, _DEFAULT_STAGES.get(part.stage, part.stage)) for part in parts]
    missing = list(dict.fromkeys(part.stage for part in parts if not part.is_hidden and part.stage not in stages))
    for stage in missing:
        text = _with_stage(text, stage, [str(each) for each in stages])
    return text, parts


def _with_stage(text: str, stage: str, stages: Sequence[str]) -> str:
    """Lint goes first, everything else before the deployment, else last."""
    deploy = next((each for each in stages if re.search(r"deploy|release|publish|prod", each)), None)
    try:
        return apply(text, AddStage(stage=stage, before=stages[0] if stage == "lint" else deploy))
    except CannotError as error:
        raise CannotError(f"I could not add the stage {stage}: {error}") from error


def _in_stage(part: Part, stage: str) -> Part:
    if stage == part.stage or part.is_hidden:
        return part
    text = re.sub(rf"(?m)^  stage: {re.escape(part.stage)}$", f"  stage: {stage}", part.text)
    return structs.replace(part, text=text, body=part.body | {"stage": stage})
