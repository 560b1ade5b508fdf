"""Writes a pipeline as its house does: its stages, its mirror, its runner tags, its default image."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from msgspec import structs

from bot.ci.checks.document import read_document
from bot.ci.extend import PURPOSES
from bot.ci.images import mirrored
from bot.ci.parts import Part
from bot.domain import Conventions

_IMAGE_LINE = re.compile(r"(?m)^(\s+(?:- )?(?:image: |name: |(?<=- )))([^\s#'\"]+)$")


def followed(parts: Sequence[Part], conventions: Conventions, existing: str | None) -> tuple[Part, ...]:
    """Return the parts with the house's stages, mirror and image; an existing file has stages of its own."""
    renamed = {} if existing else stage_names([part.stage for part in parts], conventions.stages)
    with_tags = conventions.tags if existing and not re.search(r"(?m)^[ \t]*tags:", existing) else ()
    return tuple(_followed(part, conventions, renamed, with_tags) for part in parts)


def from_mirror(dockerfile: str, mirror: str) -> str:
    """Return a Dockerfile that takes its base images from the house's mirror; stages are no images."""
    stages = {name.lower() for name in re.findall(r"(?mi)^FROM\s+.*\sAS\s+(\S+)", dockerfile)} | {"scratch"}

    def moved(found: re.Match[str]) -> str:
        image = found[2]
        return found[0] if image.lower() in stages or image.isdigit() else found[1] + mirrored(image, mirror)

    return re.sub(r"(?mi)^(FROM\s+(?:--\S+\s+)*|COPY\s+--from=)(\S+)", moved, dockerfile)


def stage_names(stages: Sequence[str], house: Sequence[str]) -> dict[str, str]:
    """Return the house's name for each of our stages that it has one for."""
    names: dict[str, str] = {}
    for stage in dict.fromkeys(stages):
        pattern = re.compile(PURPOSES.get(stage, re.escape(stage)), re.IGNORECASE)
        same = [each for each in house if each == stage] or [each for each in house if pattern.search(each)]
        if same:
            names[stage] = same[0]
    return names


def in_house_order(stages: Sequence[str], house: Sequence[str]) -> list[str]:
    """Sort stages as the house does; one it does not know stays behind the one before it."""
    places: dict[str, float] = {}
    last = -1.0
    for stage in stages:
        last = float(house.index(stage)) if stage in house else last + 0.01
        places[stage] = last
    return sorted(stages, key=lambda stage: places[stage])


def told(conventions: Conventions, text: str) -> tuple[str, ...]:
    """Return a sentence for each convention that shows in the text."""
    stages = read_document(text).data.get("stages") if text.strip() else None
    shows = {
        "tags": all(re.search(rf"(?m)^\s+(?:- |tags: \[.*){re.escape(tag)}\b", text) for tag in conventions.tags),
        "mirror": bool(conventions.mirror) and f"{conventions.mirror}/" in text,
        "stages": isinstance(stages, list) and bool(set(conventions.stages) & set(map(str, stages))),
        "default_image": bool(conventions.default_image) and conventions.default_image in text,
    }
    return tuple(
        f"follows house convention: {conventions.because[field]}"
        for field, is_shown in shows.items()
        if is_shown and getattr(conventions, field) and field in conventions.because
    )


def _followed(part: Part, conventions: Conventions, stages: Mapping[str, str], tags: Sequence[str]) -> Part:
    text = part.text
    if part.stage in stages and not part.is_hidden:
        text = re.sub(rf"(?m)^  stage: {re.escape(part.stage)}$", f"  stage: {stages[part.stage]}", text)
    images = {image: _housed(image, part, conventions) for image in _images(part.body)}
    text = _IMAGE_LINE.sub(lambda found: found.group(1) + images.get(found.group(2), found.group(2)), text)
    if tags and not part.is_hidden and "tags" not in part.body:
        text = re.sub(
            r"(?m)^  stage: .*$", lambda found: f"{found.group()}\n  tags: [{', '.join(tags)}]", text, count=1
        )
    if text == part.text:
        return part
    return structs.replace(part, text=text, body=next(iter(yaml.safe_load(text).values())))


def _housed(image: str, part: Part, conventions: Conventions) -> str:
    """Where nothing is known of a repository, the house's own image is the best guess."""
    if part.unit.ecosystem == "generic" and conventions.default_image:
        return conventions.default_image
    return mirrored(image, conventions.mirror)


def _images(body: Mapping[str, Any]) -> list[str]:
    services = body.get("services")
    values = [body.get("image"), *(services if isinstance(services, list) else [])]
    return [str(each.get("name", "")) if isinstance(each, dict) else str(each) for each in values if each]
