"""What single templates gave for single places, put together: the head of a pipeline, and the files of its children."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from bot.ci.assignment import Assignment
from bot.ci.catalog import Template
from bot.ci.follow import followed, in_house_order
from bot.ci.parts import Part, order, parts_of, rows, stages_of
from bot.ci.render import Place, Renderer
from bot.domain import JobRow, Unit

_NOWHERE = Unit(root="", ecosystem="generic", facts=())


class Draft(Struct, frozen=True, kw_only=True):
    """What one template gives for one place."""

    template: Template
    place: Place
    parts: tuple[Part, ...]
    files: dict[str, str] = {}


class Child(Struct, frozen=True, kw_only=True):
    """A child pipeline: its file, its text, its jobs, and the job of the main pipeline that starts it."""

    file: str
    text: str
    jobs: tuple[JobRow, ...]
    starter: Part


def head_of(renderer: Renderer, drafts: Sequence[Draft], parts: Sequence[Part], given: Assignment) -> str:
    """Return what stands above the jobs of the main pipeline."""
    includes = includes_of(drafts)
    known = {
        "stages": in_house_order(stages_of(parts, ("test",) if includes else ()), given.conventions.stages),
        "tags": list(given.conventions.tags),
        "includes": includes,
        "is_scanned": any("SAST" in str(include) for include in includes),
        "is_nightly": "nightly" in given.wishes.extras,
        "licence": _licence(drafts),
    }
    return renderer.render_shared("head.yml.j2", known)


def includes_of(drafts: Sequence[Draft]) -> list[dict[str, str]]:
    """Return what the templates include."""
    return [include for draft in drafts for include in draft.template.includes]


def children_of(renderer: Renderer, drafts: Sequence[Draft], given: Assignment) -> tuple[Child, ...]:
    """Return the child pipelines that these drafts belong to; one without any job is none."""
    files = dict.fromkeys(draft.place.child for draft in drafts if draft.place.child)
    groups = ([draft for draft in drafts if draft.place.child == file] for file in files)
    return tuple(_child(renderer, group, given) for group in groups if any(draft.parts for draft in group))


def _child(renderer: Renderer, drafts: Sequence[Draft], given: Assignment) -> Child:
    place = drafts[0].place
    parts = followed(order(part for draft in drafts for part in draft.parts), given.conventions, None)
    known = {
        "root": place.unit.root,
        "stages": in_house_order(stages_of(parts), given.conventions.stages),
        "tags": list(given.conventions.tags),
        "licence": _licence(drafts),
        "name": place.starter,
        "child": place.child,
        "changes": list(dict.fromkeys(path for draft in drafts for path in draft.place.changes)),
    }
    (starter,) = parts_of(renderer.render_shared("starter.yml.j2", known), _NOWHERE)
    text = "\n".join([renderer.render_shared("child.yml.j2", known), *(part.text for part in parts)])
    return Child(file=place.child, text=text, jobs=rows(parts, place.child), starter=starter)


def _licence(drafts: Iterable[Draft]) -> str:
    return next((found for draft in drafts if (found := draft.place.unit.first("licence"))), "")
