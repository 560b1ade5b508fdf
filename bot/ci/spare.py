"""Composes with an organisation's templates, and does without those that turn out broken, saying so."""

import types
from collections.abc import Callable, Mapping, Sequence

from msgspec import structs

from bot.ci.catalog import Catalog, without
from bot.ci.compose import compose
from bot.ci.layers import SHARED
from bot.ci.metadata import BrokenTemplateError
from bot.domain import Composition, Conventions, Survey, Wishes

Composer = Callable[[Catalog], Composition]


def compose_with_spares(  # noqa: PLR0913 - as compose has
    survey: Survey,
    catalog: Catalog,
    *,
    existing: str | None = None,
    existing_paths: Sequence[str] = (),
    existing_texts: Mapping[str, str] = types.MappingProxyType({}),
    wishes: Wishes = Wishes(),  # noqa: B008 - a frozen value
    retrieved: Sequence[str] = (),
    conventions: Conventions = Conventions(),  # noqa: B008 - a frozen value
) -> Composition:
    """Compose; a template of the organisation that does not render, or writes what fails the checks, is left out."""

    def composed(by: Catalog) -> Composition:
        return compose(
            survey,
            by,
            existing=existing,
            existing_paths=existing_paths,
            existing_texts=existing_texts,
            wishes=wishes,
            retrieved=retrieved,
            conventions=conventions,
        )

    remarks: list[str] = []
    while True:
        try:
            composition = composed(catalog)
        except BrokenTemplateError as broken:
            poorer = _without(catalog, broken.template)
            if poorer is None:
                raise
            remarks.append(f"left out: {broken}")
            catalog = poorer
            continue
        composition, said = _sound(composition, catalog, composed)
        return structs.replace(composition, assumptions=(*remarks, *said, *composition.assumptions))


def _without(catalog: Catalog, name: str) -> Catalog | None:
    """A shipped template can only break by the shared files that an organisation put in place of ours."""
    poorer = without(catalog, name)
    if poorer.texts != catalog.texts:
        return poorer
    poorer = without(catalog, SHARED.rstrip("/"))
    return poorer if poorer.texts != catalog.texts else None


def _sound(composition: Composition, catalog: Catalog, composed: Composer) -> tuple[Composition, tuple[str, ...]]:
    """Where the organisation's templates fail the checks and ours do not, ours are used."""
    errors = [finding for finding in composition.findings if finding.is_error]
    own = [source for source in composition.sources if source.origin]
    if not errors or not own:
        return composition, ()
    spare = composed(without(catalog, SHARED.rstrip("/"), *(source.template for source in own)))
    if any(finding.is_error for finding in spare.findings):
        return composition, ()
    names = ", ".join(f"{source.template} of {source.origin}" for source in own)
    return spare, (f"left out: what {names} writes does not pass the checks ({errors[0].message})",)
