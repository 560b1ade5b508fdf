"""Levels 0 to 5: what can be said of a pipeline without running it."""

import re
import tempfile
from pathlib import Path

from msgspec import Struct, structs

from bench import policy
from bench.answers import CI_FILE, Answer
from bench.ci_local import CiLocal, LateError, RefusedError
from bench.jobs import copied
from bench.scripts import dockerfile_errors, script_errors
from bot.ci.checks import check
from bot.ci.children import is_pipeline

RUNGS = ("yaml", "schema", "semantics")


class Climb(Struct, frozen=True, kw_only=True):
    """How far one answer climbs. None means not asked; `complaints` maps a level to what was said against it.

    With `is_late` gitlab-ci-local said nothing in its time.
    """

    parses: bool = False
    schema: bool = False
    semantics: bool = False
    accepted: bool | None = None
    scripts: bool | None = None
    policy: float | None = None
    complaints: dict[str, list[str]] = {}
    is_late: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing up to gitlab-ci-local stands against it."""
        return self.parses and self.schema and self.semantics and self.accepted is not False


def climb(answer: Answer, checkout: Path, ci_local: CiLocal | None) -> Climb:
    """Climb the static levels; what includes files from elsewhere is not put before gitlab-ci-local."""
    if not answer.text:
        return Climb(complaints={"L0": [answer.complaint or "no pipeline was proposed"]})
    findings = [found for path, text in _pipelines(answer).items() for found in check(text, path=path)]
    against = {rung: [each for each in findings if each.rung == rung and each.is_error] for rung in RUNGS}
    complaints = {
        f"L{level}": [f"{each.path}:{each.line}: {each.message}" for each in against[rung]]
        for level, rung in enumerate(RUNGS)
        if against[rung]
    }
    found = Climb(
        parses=not against["yaml"],
        schema=not against["yaml"] and not against["schema"],
        semantics=not any(against.values()),
        complaints=complaints,
    )
    if ci_local is None or _includes(answer.text):
        return found
    with tempfile.TemporaryDirectory(prefix="pipewright-bench-") as folder:
        return _tried(found, answer, copied(checkout, {**answer.files, CI_FILE: answer.text}, Path(folder)), ci_local)


def _tried(found: Climb, answer: Answer, copy: Path, ci_local: CiLocal) -> Climb:
    children = [path for path in _pipelines(answer) if path != CI_FILE]
    try:
        refusal, jobs = _asked(ci_local, copy, children)
    except LateError as error:
        return structs.replace(found, accepted=False, is_late=True, complaints={**found.complaints, "L3": [str(error)]})
    errors = [*script_errors(jobs), *dockerfile_errors(answer.files)]
    kept = policy.points(answer.text, jobs)
    against = {"L3": [refusal] if refusal else [], "L4": errors, "L5": _names(kept)}
    return structs.replace(
        found,
        accepted=not refusal,
        scripts=None if refusal else not errors,
        policy=None if refusal else policy.share(kept),
        complaints={**found.complaints, **{level: said for level, said in against.items() if said}},
    )


def _pipelines(answer: Answer) -> dict[str, str]:
    """Return the main pipeline and those it starts as children, by their files."""
    return {CI_FILE: answer.text, **{path: text for path, text in answer.files.items() if is_pipeline(path)}}


def _asked(ci_local: CiLocal, copy: Path, children: list[str]) -> tuple[str, dict[str, dict[str, object]]]:
    """A child is put before gitlab-ci-local by itself, for it starts none."""
    try:
        jobs = ci_local.jobs(copy)
        ci_local.validate(copy)
        for child in children:
            own = ci_local.jobs(copy, child)
            jobs |= {f"{child}:{name}": body for name, body in own.items()}
    except LateError:
        raise
    except RefusedError as error:
        return str(error), {}
    return "", jobs


def _names(kept: dict[str, bool]) -> list[str]:
    return [name for name, is_kept in kept.items() if not is_kept]


def _includes(text: str) -> bool:
    """Templates of GitLab and other projects' files are not on this machine."""
    return re.search(r"^include:", text, re.MULTILINE) is not None
