"""Bringing new jobs into a file: a new one is written whole, an existing one only gets what it lacks."""

import re
from collections.abc import Sequence

import yaml

from bot.ci.checks.document import read_document
from bot.ci.edit import add_to_list, append_block, blocks
from bot.ci.parts import Part
from bot.domain import CannotError

_DEFAULT_STAGES = {"lint": "test", "image": "deploy"}
_PURPOSES = {
    "lint": r"lint|style|format|check|static|quality|pre-?commit|ruff|flake8|eslint|mypy",
    "test": r"test|spec|pytest|tox|nox|unit|check",
    "build": r"build|compile|package|dist|wheel|assemble",
    "image": r"image|docker|container|kaniko|buildah|buildkit",
}

Extended = tuple[str, tuple[Part, ...], tuple[str, ...], tuple[str, ...]]


def extend(existing: str | None, parts: Sequence[Part], head: str) -> Extended:
    """Return the new text, the parts written into it, the jobs left alone, and what a reader should know."""
    if existing is None or not existing.strip():
        return "\n".join([head, *(part.text for part in parts)]), tuple(parts), (), ()
    blocks(existing)
    document = read_document(existing)
    kept = tuple(name for name in document.jobs if not name.startswith("."))
    added = _missing(parts, document.jobs, document.entries)
    if not added:
        return existing, (), kept, ("the existing pipeline already does all of this, so nothing was added",)
    text, added = _in_its_stages(existing, added, document.data.get("stages"))
    for part in added:
        text = append_block(text, part.text)
    names = ", ".join(part.name for part in added if not part.is_hidden)
    return text, tuple(added), kept, (f"the existing jobs stay as they are; added at the end: {names}",)


def _missing(parts: Sequence[Part], jobs: dict[str, dict[str, object]], entries: set[str]) -> list[Part]:
    wanted = [part for part in parts if not part.is_hidden and not _is_covered(part, jobs)]
    bases = {name for part in wanted for name in part.extends}
    clash = [part.name for part in parts if part.name in entries and (part in wanted or part.name in bases)]
    chosen = [part for part in parts if part in wanted or part.name in bases]
    return [_renamed(part, clash) for part in chosen]


def _is_covered(part: Part, jobs: dict[str, dict[str, object]]) -> bool:
    """A job is covered when one of the same purpose exists, by its name, its stage or a command it runs."""
    pattern = re.compile(_PURPOSES.get(part.stage, re.escape(part.name)), re.IGNORECASE)
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
    return Part(name=name, text=text, body=body, unit=part.unit)


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
        return add_to_list(text, "stages", [stage], before=stages[0] if stage == "lint" else deploy)
    except CannotError as error:
        raise CannotError(f"I could not add the stage {stage}: {error}") from error


def _in_stage(part: Part, stage: str) -> Part:
    if stage == part.stage or part.is_hidden:
        return part
    text = re.sub(rf"(?m)^  stage: {re.escape(part.stage)}$", f"  stage: {stage}", part.text)
    return Part(name=part.name, text=text, body=part.body | {"stage": stage}, unit=part.unit)
