"""Tries an organisation's own templates out: each on a unit invented to fit it, with the whole check ladder behind."""

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from msgspec import Struct

from bot.ci.assignment import Assignment
from bot.ci.catalog import Catalog, Template, build_catalog
from bot.ci.choose import fallback
from bot.ci.compose import compose
from bot.ci.layers import SHARED, Layer, folders_of
from bot.domain import CannotError, Composition, Fact, Finding, Survey, Unit, Wishes

# What most units have, so that a fragment that asks for it gets something that passes the checks.
_USUAL = {
    "version": "",
    "install": "echo install",
    "test": "echo test",
    "lint": "echo lint",
    "build": "echo build",
    "artifact": "out/",
    "deployable": "yes",
    "start": "echo start",
    "port": "8000",
}
_ASKED = re.compile(r"""\b(?:facts?|has|quotes)\(\s*["'](\w+)["']""")
_ALIKE = 0.8
# What joins another template's jobs gets some to join.
_HOST = {"package_manager": "pip", "version": "3.14", "version_floor": "3.13", "dockerfile": "Dockerfile"}


class Trial(Struct, frozen=True, kw_only=True):
    """What one template did. `facts` are those the unit was given for it; `why` says what went wrong, if anything."""

    template: str
    facts: dict[str, str] = {}
    files: dict[str, str] = {}
    jobs: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    why: str = ""

    @property
    def is_well(self) -> bool:
        """Tell whether the template was chosen and what it wrote passes."""
        return not self.why and not any(each.is_error for each in self.findings)


def try_out(shipped: Mapping[str, str], layer: Layer) -> Iterator[Trial]:
    """Yield what became of each template folder of a layer, each tried without its neighbours."""
    shared = {path: text for path, text in layer.texts.items() if path.startswith(SHARED)}
    for folder in folders_of(layer.texts):
        if folder + "/" == SHARED:
            continue
        own = {path: text for path, text in layer.texts.items() if path.startswith(f"{folder}/")}
        catalog = build_catalog(shipped, Layer(origin=layer.origin, texts=shared | own))
        template = catalog.find(folder)
        if catalog.skipped or template is None:
            yield Trial(template=folder, why="; ".join(catalog.skipped))
        else:
            yield _tried(catalog, template)


def _tried(catalog: Catalog, template: Template) -> Trial:
    facts = _facts(template)
    misspelt = next(_misspelt(template, catalog), None)
    if misspelt is not None:
        return Trial(template=template.name, facts=facts, why=misspelt)
    try:
        composition = compose(_assignment(template, facts), catalog)
    except CannotError as error:
        return Trial(template=template.name, facts=facts, why=str(error))
    return Trial(
        template=template.name,
        facts=facts,
        files=composition.files,
        jobs=tuple(row.name for row in composition.jobs),
        findings=composition.findings,
        why=_missing(composition, template, catalog),
    )


def _misspelt(template: Template, catalog: Catalog) -> Iterator[str]:
    """Say which facts are no repository's: the trial would give the unit any that is asked for.

    Surveys state what they like, so only a name that is nearly a usual one is taken for a mistake.
    """
    usual = {"ecosystem", *_USUAL, *_HOST, *_asked(catalog.shipped.values())}
    usual |= {name for each in catalog.templates if not each.origin for name in each.applies_to}
    for name in sorted({*template.applies_to, *_asked(template.fragments.values())} - usual):
        for meant in get_close_matches(name, usual, n=1, cutoff=_ALIKE):
            yield f"it asks for the fact `{name}`, which no repository has: is `{meant}` meant?"


def _asked(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in _ASKED.findall(text)}


def _missing(composition: Composition, template: Template, catalog: Catalog) -> str:
    """Say what a template failed to do; nothing when it was chosen and wrote something."""
    last = fallback(catalog)
    if last is not None and last != template and _took_part(composition, last):
        return f"it writes no jobs, so {last.name} was taken in its place: what does its jobs.yml.j2 ask for?"
    return "" if _took_part(composition, template) else _not_chosen(template)


def _facts(template: Template) -> dict[str, str]:
    return {name: _plain(name, values) for name, values in template.applies_to.items()}


def _plain(name: str, values: tuple[str, ...]) -> str:
    """ "any" stands for every value there is."""
    named = [value for value in values if value != "any"]
    if named:
        return named[0]
    return "python" if name == "ecosystem" else _HOST.get(name) or _USUAL.get(name) or "something"


def _assignment(template: Template, facts: Mapping[str, str]) -> Assignment:
    host = {} if template.role == "unit" else _HOST
    all_facts = _USUAL | host | {name: value for name, value in facts.items() if name != "ecosystem"}
    unit = Unit(
        root="",
        ecosystem=facts.get("ecosystem") or ("python" if host else "generic"),
        facts=tuple(Fact(name=name, value=value, because="it is a trial") for name, value in all_facts.items()),
    )
    return Assignment(survey=Survey(units=(unit,)), wishes=Wishes(extras=template.asked_by), retrieved=(template.name,))


def _took_part(composition: Composition, template: Template) -> bool:
    return any(source.template == template.name for source in composition.sources)


def _not_chosen(template: Template) -> str:
    if template.role == "extra" and not template.asked_by:
        return "it is an extra without `asked_by`, so nobody can ask for it"
    if template.role == "fallback":
        return ""  # written only where nothing else applies
    return "it was not chosen for a unit with exactly the facts it applies to"
