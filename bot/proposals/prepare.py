"""Surveys a project and composes its files, checked on every rung; nothing is written anywhere yet."""

import types
from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from bot import linters
from bot.ci.assignment import Assignment
from bot.ci.checks import check, new_among
from bot.ci.checks.shell import check_shell
from bot.ci.children import is_pipeline
from bot.ci.score import rung, with_rung
from bot.ci.spare import compose_with_spares
from bot.ci.wishes import read_wishes
from bot.domain import AccessLevel, CannotError, Composition, Finding, Snapshot, Survey
from bot.gitlab.surroundings import Instance
from bot.gitlab.values import LintResult, Project
from bot.proposals.policy import POLICY_PATH
from bot.proposals.rights import require_own
from bot.proposals.surroundings import surroundings_of
from bot.replies.render import quoted
from bot.replies.texts import finding_list
from bot.services import Services
from bot.survey.report import survey
from bot.survey.wanted import wanted_paths
from bot.tracing import part

CI_PATH = ".gitlab-ci.yml"


class Prepared(Struct, frozen=True, kw_only=True):
    """What would be proposed, for which commit of the default branch; `linted` is what GitLab said of its files."""

    project: Project
    base_branch: str
    base_sha: str
    paths: tuple[str, ...]
    survey: Survey
    composition: Composition
    linted: dict[str, LintResult] = {}
    rules: str | None = None


class Read(Struct, frozen=True, kw_only=True):
    """A project as it stands at the head of its default branch, and what surrounds it."""

    project: Project
    base_branch: str
    base_sha: str
    snapshot: Snapshot
    instance: Instance


def prepare(services: Services, project_id: int, words: str) -> Prepared:
    """Read the project at the head of its default branch and compose what it lacks.

    Raises CannotError when there is nothing to read or nothing to add.
    """
    read = read_project(services, project_id)
    with part("survey"):
        found = survey(read.snapshot)
    with part("compose"):
        composition = _composition(services, read, found, words)
    with part("check"):
        pipelines = {path: text for path, text in composition.files.items() if is_pipeline(path)}
        found_in = _findings(pipelines)
        linted = _check(services, read, pipelines, found_in)
    composition = _scored(composition, found_in, linted)
    return structs.replace(prepared_with(read, found, composition), linted=linted)


def read_project(services: Services, project_id: int) -> Read:
    """Read the project; raise CannotError when there is nothing in it yet or nothing can be changed."""
    project = services.gitlab.project(project_id)
    if project.is_archived:
        raise CannotError("the project is archived, so nothing can be changed in it.")
    _require_room(project)
    require_own(services, project.id, AccessLevel.DEVELOPER, "ask for a draft", known=project.own_level)
    base_sha = None
    if project.default_branch and not project.is_empty:
        base_sha = services.gitlab.branch_head(project.id, project.default_branch)
    if not project.default_branch or base_sha is None:
        raise CannotError("the repository is empty. Push a first commit, then ask me again.")
    snapshot, instance = _snapshot(services, project, base_sha)
    return Read(
        project=project, base_branch=project.default_branch, base_sha=base_sha, snapshot=snapshot, instance=instance
    )


def _require_room(project: Project) -> None:
    """Raise CannotError where GitLab would run nothing of a draft, or take none."""
    where = "A Maintainer can switch that on under *Settings › General › Visibility, project features, permissions*."
    if not project.has_merge_requests:
        raise CannotError(f"merge requests are switched off in this project. {where}")
    if not project.has_ci:
        raise CannotError(f"CI/CD is switched off in this project. {where}")
    if project.ci_path.lstrip("/") not in ("", CI_PATH):
        raise CannotError(
            f"GitLab reads this project's pipeline from {quoted(project.ci_path)}, so it would run nothing of the "
            f"`{CI_PATH}` that I write. Empty *CI/CD configuration file* under *Settings › CI/CD › General pipelines*, "
            "then ask me again."
        )


def prepared_with(read: Read, found: Survey, composition: Composition) -> Prepared:
    """Return what would be proposed for a project that was read."""
    return Prepared(
        project=read.project,
        base_branch=read.base_branch,
        base_sha=read.base_sha,
        paths=read.snapshot.paths,
        survey=found,
        composition=composition,
        rules=read.snapshot.read(POLICY_PATH),
    )


def _snapshot(services: Services, project: Project, sha: str) -> tuple[Snapshot, Instance]:
    paths = services.gitlab.tree(project.id, sha)
    if not paths:
        raise CannotError("the repository holds no files yet. Push some, then ask me again.")
    wanted = [*wanted_paths(paths), *({POLICY_PATH} & set(paths))]
    texts, instance = services.gitlab.texts_and_instance(project.path, sha, wanted)
    if CI_PATH in paths and CI_PATH not in texts:
        raise CannotError(f"the existing `{CI_PATH}` is too large or not text, so I would rather not touch it.")
    return Snapshot(paths=paths, texts=texts), instance


def _composition(services: Services, read: Read, found: Survey, words: str) -> Composition:
    catalog, project, snapshot = services.templates.refresh(), read.project, read.snapshot
    given = Assignment(
        survey=found,
        existing=snapshot.read(CI_PATH),
        paths=snapshot.paths,
        texts=snapshot.texts,
        wishes=read_wishes(words),
        retrieved=services.templates.ranked(words, found.units),
        conventions=services.examples.conventions(project, catalog),
        surroundings=surroundings_of(read.instance, project, snapshot.read(POLICY_PATH)),
    )
    composition = compose_with_spares(given, catalog)
    if not composition.files:
        raise CannotError("the existing pipeline already does all I would propose; there is nothing to add.")
    return composition


def _findings(pipelines: Mapping[str, str]) -> tuple[Finding, ...]:
    return tuple(
        finding
        for path, text in pipelines.items()
        for finding in (*check(text, path=path), *check_shell(text, path, linters.bash))
    )


def _check(
    services: Services, read: Read, pipelines: Mapping[str, str], found: Sequence[Finding]
) -> dict[str, LintResult]:
    """Climb the ladder: our own rungs first, then GitLab's lint, with a dry run of the main pipeline.

    What our own rungs find in the existing file too is no reason to add nothing to it; what GitLab refuses is.
    """
    own = tuple(finding for finding in found if finding.is_error)
    errors = _brought(read, own)
    linted: dict[str, LintResult] = {}
    if not errors:
        linted = lint_results(services, read.project.id, pipelines, read.project.default_branch)
        refused = gitlab_findings(linted)
        errors = (*own, *refused) if refused else ()
    if errors:
        raise CannotError(f"what I composed does not pass the checks, so I don't propose it:\n\n{finding_list(errors)}")
    return linted


def _brought(read: Read, errors: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the errors that the existing file has not; it is looked at only where there are any."""
    existing = read.snapshot.read(CI_PATH) if errors else None
    return new_among(errors, _findings({CI_PATH: existing})) if existing else errors


def _scored(composition: Composition, found: Sequence[Finding], linted: Mapping[str, LintResult]) -> Composition:
    """Note on the scorecard what scripts and GitLab's lint were held against; nothing new that failed is proposed."""
    card = composition.score
    if linters.has_bash():
        card = with_rung(card, rung("scripts", found, by="bash"))
    if linted:
        how = ", the main file with a dry run" if any(each.is_simulated for each in linted.values()) else ""
        card = with_rung(card, rung("gitlab", (), by=f"GitLab's lint{how}"))
    return structs.replace(composition, score=card)


def lint_results(
    services: Services,
    project_id: int,
    pipelines: Mapping[str, str],
    ref: str | None,
    known: Mapping[str, LintResult] = types.MappingProxyType({}),
) -> dict[str, LintResult]:
    """Return what GitLab's lint says of pipelines by their path; only the main one starts by itself, on `ref`.

    What is `known` of the same text already is not asked for again.
    """
    results: dict[str, LintResult] = {}
    for path, text in pipelines.items():
        old = known.get(path)
        is_same = old is not None and old.content == text
        results[path] = (
            old if old and is_same else services.gitlab.lint(project_id, text, ref if path == CI_PATH else None)
        )
    return results


def gitlab_findings(results: Mapping[str, LintResult]) -> tuple[Finding, ...]:
    """Return the errors of GitLab's lint."""
    return tuple(
        Finding(rung="gitlab", message=message, path=path)
        for path, result in results.items()
        for message in result.errors
    )
