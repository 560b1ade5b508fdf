"""The stages of a Dockerfile, with the lines they stand in."""

from msgspec import Struct

from bot.ci.dockerfile import Instruction, instructions
from bot.domain import CannotError


class Stage(Struct, frozen=True, kw_only=True):
    """What one FROM begins. Lines count from 1; `last` is the line of its last instruction."""

    image: str
    name: str
    first: int
    last: int
    instructions: tuple[Instruction, ...]


def stages_of(text: str) -> tuple[Stage, ...]:
    """Return the stages in their order; raise CannotError when there is none."""
    groups: list[list[Instruction]] = []
    for each in instructions(text):
        if each.word == "FROM":
            groups.append([])
        if groups:
            groups[-1].append(each)
    if not groups:
        raise CannotError("the Dockerfile has no FROM")
    return tuple(_stage(group) for group in groups)


def _stage(group: list[Instruction]) -> Stage:
    words = [word for word in group[0].rest.split() if not word.startswith("--")]
    named = len(words) == 3 and words[1].upper() == "AS"
    return Stage(
        image=words[0] if words else "",
        name=words[2] if named else "",
        first=group[0].line,
        last=group[-1].end,
        instructions=tuple(group),
    )
