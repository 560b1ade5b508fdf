"""Whether a draft may be proposed: its paths, and what its merged pipeline does, by the project's own rules.

Every draft and every change of one passes here before it is stored. What the target branch holds already is told, but
not held against the proposal.
"""

import types
from collections.abc import Mapping
from fnmatch import fnmatchcase

from msgspec import Struct, structs

from bot.ci.checks.document import Document, read_document
from bot.ci.checks.includes import include_files, included_paths
from bot.ci.children import is_pipeline
from bot.ci.compose import CI_FILE
from bot.ci.risks import marked, pipeline_risks, together
from bot.ci.risks.docker import docker_risks, is_dockerfile
from bot.ci.risks.images import registries_of
from bot.ci.risks.trust import Trust
from bot.domain import CannotError, Composition, Risk
from bot.gitlab.values import LintResult
from bot.proposals.commit import require_allowed
from bot.proposals.policy import POLICY_PATH, Policy, Rules, read_policy
from bot.proposals.prepare import gitlab_findings, lint_results
from bot.replies.risks import risk_line
from bot.replies.texts import finding_list
from bot.services import Services

_MOST_LOCAL_FILES = 20


class Destination(Struct, frozen=True, kw_only=True):
    """Where a draft is to go."""

    project_id: int
    project_path: str
    branch: str


def vetted(
    services: Services,
    to: Destination,
    composition: Composition,
    linted: Mapping[str, LintResult] = types.MappingProxyType({}),
    rules_text: str | None = None,
) -> Composition:
    """Return the composition with its risks; raise CannotError for what the project's rules, or GitLab, refuse.

    `linted` spares calls where GitLab has merged the same texts a moment ago, `rules_text` (empty for none) where the
    project's rules were read with its files.
    """
    if rules_text is None:
        rules_text = services.gitlab.read_file(to.project_id, to.branch, POLICY_PATH)
    rules = _rules(rules_text)
    require_paths(rules, composition)
    before = _Before(services, to)
    trust = _trust(services, to, rules, composition)
    linted = _linted(services, to, composition, linted)
    found = _risks(services, to, composition.files, trust, linted)
    if found:  # only then it matters what was there
        trust = structs.replace(trust, registries=(*trust.registries, *before.registries()))
        found = _risks(services, to, composition.files, trust, linted) if before.registries() else found
        found = marked(found, _risks(services, to, before.files(composition.files), trust, {}))
    judged = tuple(structs.replace(risk, is_allowed=rules.verdict(risk.kind) == "allow") for risk in found)
    require_permitted(rules, judged)
    return structs.replace(composition, risks=judged)


def _linted(
    services: Services, to: Destination, composition: Composition, known: Mapping[str, LintResult]
) -> dict[str, LintResult]:
    """Let GitLab merge and check each pipeline; raise CannotError with its errors."""
    results = lint_results(services, to.project_id, _pipelines(composition.files), to.branch, known)
    if errors := gitlab_findings(results):
        raise CannotError(f"the changed files do not pass the checks:\n\n{finding_list(errors)}")
    return results


def _pipelines(files: Mapping[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if is_pipeline(path)}


def _rules(text: str | None) -> Rules:
    policy = read_policy(text)
    if policy.runners.privileged and policy.policy.privileged_services == "flag":  # the project itself asked for it
        return structs.replace(policy.policy, privileged_services="allow")
    return policy.policy


def require_paths(rules: Rules, composition: Composition) -> None:
    """Raise CannotError for a file that the bot never touches, or not in this project."""
    for path in composition.files:
        require_allowed(path)
        if not any(fnmatchcase(path, pattern) for pattern in rules.paths):
            allowed = ", ".join(f"`{pattern}`" for pattern in rules.paths)
            raise CannotError(
                f"in this project I may change only {allowed} (`policy.paths` in `{POLICY_PATH}`), not `{path}`."
            )


def require_permitted(rules: Rules, risks: tuple[Risk, ...]) -> None:
    """Raise CannotError where a draft would bring what the project's rules refuse."""
    refused = [risk for risk in risks if risk.is_new and rules.verdict(risk.kind) == "refuse"]
    if not refused:
        return
    lines = "\n".join(f"- `{risk.kind}: refuse` — {risk_line(risk)}" for risk in refused)
    raise CannotError(
        f"this project's rules (`policy` in `{POLICY_PATH}`, or their defaults) don't allow what the draft would bring:"
        f"\n\n{lines}\n\nAsk for it without that, or let a Maintainer set the rule to `flag` or `allow` there."
    )


def require_still_permitted(policy: Policy, composition: Composition) -> None:
    """The same at approval: rules may have become stricter since the draft was made."""
    require_permitted(policy.policy, composition.risks)


def _trust(services: Services, to: Destination, rules: Rules, composition: Composition) -> Trust:
    own = services.settings.templates_project
    return Trust(
        project=to.project_path,
        projects=(*rules.trusted_projects, *((own,) if own else ())),
        registries=(*rules.trusted_registries, *composition.house),
        texts=tuple(services.catalog.texts.values()),
    )


def _risks(
    services: Services, to: Destination, files: Mapping[str, str], trust: Trust, linted: Mapping[str, LintResult]
) -> tuple[Risk, ...]:
    results = lint_results(services, to.project_id, _pipelines(files), to.branch, linted)
    found = [risk for path in results for risk in _pipeline_risks(services, to, files[path], trust, results[path])]
    for path, text in files.items():
        found += docker_risks(text, path, trust) if is_dockerfile(path) else ()
    return together(found)


def _pipeline_risks(
    services: Services, to: Destination, text: str, trust: Trust, result: LintResult
) -> tuple[Risk, ...]:
    """GitLab's merged file is what will run; where it merges none, our own merging comes nearest."""
    own = read_document(text)
    document = read_document(result.merged_yaml) if result.merged_yaml else _merged_by_us(services, to, text, own)
    return pipeline_risks(document, result.includes, trust, source=own)


def _merged_by_us(services: Services, to: Destination, text: str, own: Document) -> Document:
    paths = [path for path in included_paths(text) if "*" not in path][:_MOST_LOCAL_FILES]
    texts = {path: services.gitlab.read_file(to.project_id, to.branch, path) for path in paths}
    whole, _ = include_files(own, {path: found for path, found in texts.items() if found is not None})
    return whole


class _Before:
    """What the target branch holds now, read when it is asked for."""

    def __init__(self, services: Services, to: Destination) -> None:
        self._services = services
        self._to = to
        self._texts: dict[str, str | None] = {}

    def files(self, paths: Mapping[str, str]) -> dict[str, str]:
        """Return the texts of these files; those that are not there, or no YAML, are left out."""
        found = {path: self._text(path) for path in paths if is_pipeline(path) or is_dockerfile(path)}
        return {path: text for path, text in found.items() if text and _is_readable(path, text)}

    def registries(self) -> tuple[str, ...]:
        """Return where the images of the pipeline come from."""
        text = self._text(CI_FILE)
        return registries_of(read_document(text)) if text and _is_readable(CI_FILE, text) else ()

    def _text(self, path: str) -> str | None:
        if path not in self._texts:
            self._texts[path] = self._services.gitlab.read_file(self._to.project_id, self._to.branch, path)
        return self._texts[path]


def _is_readable(path: str, text: str) -> bool:
    if not is_pipeline(path):
        return True
    try:
        read_document(text)
    except CannotError:
        return False
    return True
