"""The parts of a pipeline: top-level entries with their text, put in the order a reader expects."""

from collections.abc import Iterable, Sequence

import yaml
from msgspec import Struct

from bot.ci.edit import block_text, blocks
from bot.domain import CannotError, JobRow, Unit

STAGES = ("lint", "test", "build", "image", "deploy")


class Part(Struct, frozen=True, kw_only=True):
    """A rendered job, or a hidden one that others extend. `is_asked` when a person named it."""

    name: str
    text: str
    body: dict[str, object]
    unit: Unit
    is_asked: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether GitLab never runs it by itself."""
        return self.name.startswith(".")

    @property
    def stage(self) -> str:
        """The stage it names, else GitLab's own default."""
        return str(self.body.get("stage", "test"))

    @property
    def extends(self) -> tuple[str, ...]:
        """The hidden jobs it builds on."""
        value = self.body.get("extends", ())
        return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()

    @property
    def script(self) -> tuple[str, ...]:
        """The lines of its script."""
        value = self.body.get("script", ())
        return (value,) if isinstance(value, str) else tuple(map(str, value)) if isinstance(value, list) else ()


def parts_of(text: str, unit: Unit, *, is_asked: bool = False) -> tuple[Part, ...]:
    """Split rendered text into its jobs."""
    if not text:
        return ()
    bodies = yaml.safe_load(text)
    if not isinstance(bodies, dict) or not all(isinstance(body, dict) for body in bodies.values()):
        raise CannotError("it is not jobs by their names")
    return tuple(
        Part(name=block.name, text=block_text(text, block), body=bodies[block.name], unit=unit, is_asked=is_asked)
        for block in blocks(text)
    )


def order(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Sort jobs by stage, each hidden job just before the first that extends it."""
    given = list(parts)
    hidden = {part.name: part for part in given if part.is_hidden}
    visible = sorted((part for part in given if not part.is_hidden), key=lambda part: _position(part.stage))
    ordered: dict[str, Part] = {}
    for part in visible:
        for name in part.extends:
            if name in hidden:
                ordered.setdefault(name, hidden[name])
        ordered[part.name] = part
    return tuple(ordered.values())


def stages_of(parts: Sequence[Part], others: Sequence[str] = ()) -> list[str]:
    """Return the stages in use, in order, with those that included files need."""
    return sorted({part.stage for part in parts if not part.is_hidden} | set(others), key=_position)


def rows(parts: Sequence[Part], file: str = "") -> tuple[JobRow, ...]:
    """Return the job table of what was written; `file` names a child pipeline's."""
    by_name = {part.name: part for part in parts}
    return tuple(
        JobRow(
            name=part.name, stage=part.stage, image=_image(part, by_name), does=_does(part), why=_why(part), file=file
        )
        for part in parts
        if not part.is_hidden
    )


def _position(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


def _image(part: Part, by_name: dict[str, Part]) -> str:
    for body in (part.body, *(by_name[name].body for name in part.extends if name in by_name)):
        image = body.get("image")
        if image:
            return str(image.get("name", "")) if isinstance(image, dict) else str(image)
    return ""


def _does(part: Part) -> str:
    """Say it in the words of the comment above the job, else by its last command."""
    comment = [line.lstrip("# ").strip() for line in part.text.splitlines() if line.startswith("#")]
    if comment:
        return " ".join(comment)
    return part.script[-1].splitlines()[0] if part.script else ""


def _why(part: Part) -> str:
    name = "dockerfile" if part.stage == "image" else part.stage
    names = (name, "deployable") if name == "dockerfile" else (name,)
    return next((fact.because for fact in part.unit.facts if fact.name in names), "")
