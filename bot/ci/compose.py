"""From a survey to the files to propose: render, merge and order the jobs, or add the missing ones to a file."""

from collections.abc import Iterator, Mapping, Sequence

import yaml
from msgspec import structs

from bot.ci.assignment import Assignment
from bot.ci.catalog import Catalog, Template
from bot.ci.checks import check
from bot.ci.children import MANY_UNITS, PIPELINE_FILE, is_pipeline, started_by, with_children, without_started
from bot.ci.choose import additions, best_template, extras, fallback, places
from bot.ci.digests import about_digests, dockerfile_with_digests, named_digests, with_digests
from bot.ci.dockerfile import check_dockerfile
from bot.ci.drafts import Child, Draft, children_of, head_of, includes_of
from bot.ci.extend import extend
from bot.ci.follow import followed, from_mirror, told
from bot.ci.here import about_building, about_runners, is_here, why_not_here, with_builder, with_tags
from bot.ci.metadata import BrokenTemplateError
from bot.ci.parts import order, parts_of, rows
from bot.ci.render import Place, Renderer
from bot.ci.score import scorecard
from bot.ci.wishes import apply_wishes
from bot.domain import CannotError, Composition, Conventions, Finding, Source, Survey, Unit

CI_FILE = PIPELINE_FILE
JOBS = "jobs.yml.j2"
UNSURE = 0.7
_IMAGE = "$CI_REGISTRY_IMAGE"


def compose(given: Assignment, catalog: Catalog) -> Composition:
    """Write the pipeline of a repository, and a Dockerfile where it deploys something without one."""
    if not given.survey.units and not given.paths and not given.existing:
        raise CannotError("the repository is empty, so there is nothing to build or test yet")
    given = with_tags(given)
    renderer = Renderer(catalog)
    drafts = _drafts(renderer, given, catalog)
    children = children_of(renderer, drafts, given)
    own = order(part for draft in drafts if not draft.place.child for part in draft.parts)
    started = (child.starter for child in children)
    digests = named_digests(given.texts) if given.surroundings.wants_digests else {}
    parts = with_digests(order((*started, *own)), digests)
    parts = followed(parts, given.conventions, given.existing)
    head = head_of(renderer, drafts, parts, given)
    text, added, kept, remarks = extend(given.existing, parts, head, includes_of(drafts), given.texts)
    files = {path: content for draft in drafts for path, content in draft.files.items()}
    files = {path: dockerfile_with_digests(text, digests) for path, text in files.items()}
    files = {path: from_mirror(text, given.conventions.mirror) for path, text in files.items()}
    files |= {child.file: child.text for child in children}
    if text != given.existing:
        files[CI_FILE] = text
    return Composition(
        files=files,
        jobs=(*rows(added), *(row for child in children for row in child.jobs)),
        sources=_sources(drafts),
        assumptions=(
            *_assumptions(given.survey, drafts),
            *_about_here(catalog, drafts, given),
            *_split(children),
            *remarks,
            *_about_digests(given, files, digests),
            *told(given.conventions, files.get(CI_FILE, "")),
        ),
        kept=kept,
        findings=(found := findings_of(files)),
        score=scorecard(given.survey, files, found, given.paths),
        house=_house(given.conventions),
    )


def _about_digests(given: Assignment, files: Mapping[str, str], digests: Mapping[str, str]) -> Iterator[str]:
    remark = about_digests(list(files.values()), digests) if given.surroundings.wants_digests else ""
    if remark:
        yield remark


def _house(conventions: Conventions) -> tuple[str, ...]:
    """Return where the house keeps its images, as its conventions tell."""
    given = (conventions.mirror, conventions.default_image.rpartition("/")[0])
    return tuple(dict.fromkeys(each for each in given if each))


def _wished(given: Assignment) -> Survey:
    units = (apply_wishes(unit, given.wishes) for unit in given.survey.units)
    return structs.replace(given.survey, units=tuple(with_builder(unit, given.surroundings) for unit in units))


def _split(children: Sequence[Child]) -> Iterator[str]:
    if children:
        yield (
            f"from {MANY_UNITS} parts on, each part has its jobs in a file of its own ({children[0].file} and so on), "
            "which the main pipeline starts as a child when something the part depends on changed"
        )


def _drafts(renderer: Renderer, given: Assignment, catalog: Catalog) -> list[Draft]:
    wishes = given.wishes
    found = places(_wished(given), given.paths)
    # A pipeline that is there keeps everything in the file that its people know, or in the children it has.
    found = without_started(found, given.existing) if given.existing else with_children(found, given.paths)
    drafts: list[Draft] = []
    for place in found:
        template = best_template(catalog, place.unit, given.retrieved)
        files = _docker_files(renderer, template, place, given) if template else {}
        built = structs.replace(place, has_dockerfile=place.has_dockerfile or bool(files))
        if template:
            drafts.append(_draft(renderer, template, built, files))
        if (
            built.has_dockerfile
            and not place.unit.first("image_lacks")
            and wishes.dockerfile is not False
            and "image" not in wishes.without
        ):
            drafts += [_draft(renderer, each, built) for each in additions(catalog, place.unit)]
    if not any(draft.parts for draft in drafts) and (found or not started_by(given.existing or "")):
        drafts += _nothing_known(renderer, catalog, given.retrieved)
    for each in extras(catalog, wishes):
        if is_here(each, given.surroundings):
            drafts += [_draft(renderer, each, place) for place in _wanted_in(each, found, given)]
    return drafts


def _wanted_in(template: Template, found: Sequence[Place], given: Assignment) -> list[Place]:
    """What a person asked for is written once, or for every unit it applies to where it is about units."""
    if not template.applies_to:
        return [Place(unit=with_builder(Unit(root="", ecosystem="generic", facts=()), given.surroundings))]
    return [place for place in found if template.score(place.unit) is not None]


def _draft(renderer: Renderer, template: Template, place: Place, files: dict[str, str] | None = None) -> Draft:
    try:
        parts = parts_of(renderer.render(template, JOBS, place), place.unit, is_asked=template.role == "extra")
    except BrokenTemplateError:
        raise
    except (yaml.YAMLError, CannotError, LookupError, TypeError) as error:
        what = f"the template {template.name}/{JOBS} writes no jobs: {' '.join(str(error).split())}"
        raise BrokenTemplateError(template.name, what) from error
    return Draft(template=template, place=place, parts=parts, files=files or {})


def _nothing_known(renderer: Renderer, catalog: Catalog, retrieved: Sequence[str]) -> list[Draft]:
    """The organisation may know better what a repository is in which nothing was recognised."""
    nowhere = Place(unit=Unit(root="", ecosystem="generic", facts=()))
    knowing = (best_template(catalog, nowhere.unit, retrieved), fallback(catalog))
    drafts = (_draft(renderer, template, nowhere) for template in knowing if template)
    return next(([draft] for draft in drafts if draft.parts), [])


def _docker_files(renderer: Renderer, template: Template, place: Place, given: Assignment) -> dict[str, str]:
    """Write a Dockerfile only for what one deploys, and never over one that exists."""
    if place.has_dockerfile or given.wishes.dockerfile is False or place.unit.first("deployable") != "yes":
        return {}
    dockerfile = renderer.render(template, "Dockerfile.j2", place)
    if not dockerfile:
        return {}
    prefix = f"{place.unit.root}/" if place.unit.root else ""
    files = {f"{prefix}Dockerfile": dockerfile}
    ignore = renderer.render(template, "dockerignore.j2", place)
    if ignore and f"{prefix}.dockerignore" not in given.paths:
        files[f"{prefix}.dockerignore"] = ignore
    return files


def _sources(drafts: Sequence[Draft]) -> tuple[Source, ...]:
    sources: dict[str, Source] = {}
    for draft in drafts:
        template, unit = draft.template, draft.place.unit
        asked = ", ".join(f"{name} is {unit.first(name) or unit.ecosystem}" for name in template.applies_to)
        why = f"{unit.root or 'the repository'}: {asked}" if asked else template.description
        source = Source(template=template.name, content_hash=template.content_hash, why=why, origin=template.origin)
        sources.setdefault(template.name, source)
    return tuple(sources.values())


def _assumptions(survey: Survey, drafts: Sequence[Draft]) -> tuple[str, ...]:
    guesses = [
        f"{fact.name.replace('_', ' ')} is {fact.value}, because {fact.because}"
        for unit in survey.units
        for fact in unit.facts
        if fact.confidence < UNSURE
    ]
    used = [draft for draft in drafts if draft.parts or draft.template.role == "extra"]
    assumed = [sentence for draft in used for sentence in draft.template.assumes]
    return tuple(dict.fromkeys((*guesses, *assumed, *survey.remarks)))


def _about_here(catalog: Catalog, drafts: Sequence[Draft], given: Assignment) -> Iterator[str]:
    if any(part.stage == "image" for draft in drafts for part in draft.parts):
        yield about_building(given.surroundings)
    yield from _not_here(catalog, drafts, given)
    yield from about_runners(given)


def _not_here(catalog: Catalog, drafts: Sequence[Draft], given: Assignment) -> Iterator[str]:
    """Say which wish could not be met, and what it would take."""
    written = {draft.template.name for draft in drafts}
    for template in extras(catalog, given.wishes):
        if not is_here(template, given.surroundings):
            yield why_not_here(template, given.surroundings)
        elif template.name not in written:
            needs = ", ".join(f"{name.replace('_', ' ')} {' or '.join(of)}" for name, of in template.applies_to.items())
            yield f"you asked for {template.name.replace('-', ' ')}, which no part of the repository fits ({needs})"
    asked = [part.name for draft in drafts for part in draft.parts if part.is_asked and _IMAGE in part.text]
    if asked and not any(draft.place.has_dockerfile for draft in drafts):
        yield f"{asked[0]} needs the project's image, and there is no Dockerfile to build it from; add one first"


def findings_of(files: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return what our own rungs of the ladder find in files, by their path."""
    found: list[Finding] = []
    for path, text in files.items():
        if is_pipeline(path):
            found += check(text, path=path)
        elif path.rsplit("/", 1)[-1] == "Dockerfile":
            found += [structs.replace(finding, path=path) for finding in check_dockerfile(text)]
    return tuple(found)
