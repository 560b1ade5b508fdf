"""Composes with an organisation's templates, and does without those that turn out broken, saying so."""

from msgspec import structs

from bot.ci.assignment import Assignment
from bot.ci.catalog import Catalog, without
from bot.ci.compose import compose
from bot.ci.layers import SHARED
from bot.ci.metadata import BrokenTemplateError
from bot.domain import Composition


def compose_with_spares(given: Assignment, catalog: Catalog) -> Composition:
    """Compose; a template of the organisation that does not render, or writes what fails the checks, is left out."""
    remarks: list[str] = []
    while True:
        try:
            composition = compose(given, catalog)
        except BrokenTemplateError as broken:
            poorer = _without(catalog, broken.template)
            if poorer is None:
                raise
            remarks.append(f"left out: {broken}")
            catalog = poorer
            continue
        composition, said = _sound(composition, catalog, given)
        return structs.replace(composition, assumptions=(*remarks, *said, *composition.assumptions))


def _without(catalog: Catalog, name: str) -> Catalog | None:
    """A shipped template can only break by the shared files that an organisation put in place of ours."""
    poorer = without(catalog, name)
    if poorer.texts != catalog.texts:
        return poorer
    poorer = without(catalog, SHARED.rstrip("/"))
    return poorer if poorer.texts != catalog.texts else None


def _sound(composition: Composition, catalog: Catalog, given: Assignment) -> tuple[Composition, tuple[str, ...]]:
    """Where the organisation's templates fail the checks and ours do not, ours are used."""
    errors = [finding for finding in composition.findings if finding.is_error]
    own = [source for source in composition.sources if source.origin]
    if not errors or not own:
        return composition, ()
    spare = compose(given, without(catalog, SHARED.rstrip("/"), *(source.template for source in own)))
    if any(finding.is_error for finding in spare.findings):
        return composition, ()
    names = ", ".join(f"{source.template} of {source.origin}" for source in own)
    return spare, (f"left out: what {names} writes does not pass the checks ({errors[0].message})",)
