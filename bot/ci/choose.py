"""Which templates write for a unit, and how units are told apart in one pipeline."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from bot.ci.catalog import Catalog, Template
from bot.ci.metadata import Role
from bot.ci.render import Place
from bot.ci.wishes import asked_for
from bot.domain import Survey, Unit, Wishes


def best_template(catalog: Catalog, unit: Unit, retrieved: Sequence[str] = ()) -> Template | None:
    """Return the organisation's own template, else the one that asks for most; retrieval only breaks a tie."""
    fitting = [(template.score(unit), template) for template in catalog.templates if template.role == "unit"]
    scored = [
        (bool(template.origin), score, _rank(template, retrieved), template)
        for score, template in fitting
        if score is not None
    ]
    return max(scored, key=lambda entry: entry[:3])[3] if scored else None


def additions(catalog: Catalog, unit: Unit) -> tuple[Template, ...]:
    """Return the templates that join the unit's own one, such as the image build."""
    return tuple(each for each in _with_role(catalog, "addition") if each.score(unit) is not None)


def extras(catalog: Catalog, wishes: Wishes) -> tuple[Template, ...]:
    """Return the templates a person asked for by one of their phrases."""
    return tuple(
        each
        for each in _with_role(catalog, "extra")
        if set(each.asked_by) & set(wishes.extras) or any(asked_for(wishes.words, phrase) for phrase in each.asked_by)
    )


def fallback(catalog: Catalog) -> Template | None:
    """Return the template for a repository nothing is known about."""
    return max(_with_role(catalog, "fallback"), key=lambda template: bool(template.origin), default=None)


def places(survey: Survey, paths: Sequence[str]) -> tuple[Place, ...]:
    """Return where each unit sits; only several units need labels and `rules:changes`."""
    existing = set(paths)
    labels = _labels(survey.units)
    shared = _shared_changes(survey)
    return tuple(
        Place(
            unit=unit,
            label=label,
            changes=_changes(unit, shared) if len(survey.units) > 1 else (),
            has_dockerfile=bool(unit.first("dockerfile")) or _under(unit.root, "Dockerfile") in existing,
        )
        for unit, label in zip(survey.units, labels, strict=True)
    )


def _with_role(catalog: Catalog, role: Role) -> tuple[Template, ...]:
    return tuple(template for template in catalog.templates if template.role == role)


def _rank(template: Template, retrieved: Sequence[str]) -> int:
    names = list(retrieved)
    return -names.index(template.name) if template.name in names else -len(names)


def _labels(units: Sequence[Unit]) -> list[str]:
    """Name units by the last folder, by the whole root if that is ambiguous, else also by ecosystem."""
    if len(units) < 2:
        return [""] * len(units)
    labels = [PurePosixPath(unit.root).name or unit.ecosystem for unit in units]
    if len(set(labels)) < len(labels):
        labels = [unit.root.replace("/", "-") or unit.ecosystem for unit in units]
    if len(set(labels)) < len(labels):
        labels = [f"{label}-{unit.ecosystem}" for label, unit in zip(labels, units, strict=True)]
    if len(set(labels)) < len(labels):
        labels = [f"{label}-{number}" for number, label in enumerate(labels, 1)]
    return labels


def _changes(unit: Unit, shared: Sequence[str]) -> tuple[str, ...]:
    """Return the paths that concern a unit; one at the top is concerned by everything, so by no rule."""
    if not unit.root:
        return ()
    own = [f"{unit.root}/**/*", *unit.all("beside"), *shared]
    outside = [path for name in ("lockfile", "manifest") for path in unit.all(name) if "/" not in path]
    return tuple(dict.fromkeys((*own, *outside)))


def _shared_changes(survey: Survey) -> tuple[str, ...]:
    roots = {unit.root for unit in survey.units}
    locks = [lock for unit in survey.units for lock in unit.all("lockfile") if "/" not in lock and "" in roots]
    return tuple(dict.fromkeys((".gitlab-ci.yml", *locks)))


def _under(root: str, name: str) -> str:
    return f"{root}/{name}" if root else name
