"""What a pipeline does that a person should know of before approving: looked for in the merged file, job by job."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import structs

from bot.ci.checks.document import Document
from bot.ci.checks.merged import merged_jobs
from bot.ci.risks.images import image_risks
from bot.ci.risks.reach import include_risks, pinned_includes, reach_risks, source_includes
from bot.ci.risks.scripts import script_risks
from bot.ci.risks.trust import Trust
from bot.domain import Included, Risk

_ALL_JOBS = "all jobs"


def pipeline_risks(
    document: Document, includes: Sequence[Included], trust: Trust, *, source: Document
) -> tuple[Risk, ...]:
    """Return the risks of a merged pipeline, each once with its jobs.

    `includes` are the files that took part, by GitLab's word; an older one is silent, and then what the `source`
    itself includes is all there is to go by.
    """
    pinned = pinned_includes(source)
    took_part = [one for one in includes or source_includes(source) if one.location not in pinned]
    found = [*include_risks(took_part, trust)]
    for job, body in _holders(document):
        variables = _variables(document, body)
        each = [
            *image_risks(body, variables, trust),
            *script_risks(body, variables),
            *reach_risks(body, trust),
        ]
        found += [structs.replace(risk, jobs=(job,)) for risk in each]
    return together(found)


def together(found: Sequence[Risk]) -> tuple[Risk, ...]:
    """Return each risk once, with all its jobs, in the order in which they were met."""
    by_thing: dict[tuple[str, str], Risk] = {}
    for risk in found:
        known = by_thing.get((risk.kind, risk.what))
        jobs = dict.fromkeys((*known.jobs, *risk.jobs)) if known else dict.fromkeys(risk.jobs)
        by_thing[risk.kind, risk.what] = structs.replace(known or risk, jobs=tuple(jobs))
    return tuple(by_thing.values())


def marked(found: Sequence[Risk], before: Sequence[Risk]) -> tuple[Risk, ...]:
    """Return the risks, those that were there `before` marked as not new; the new ones first."""
    known = {(risk.kind, risk.what) for risk in before}
    both = [structs.replace(risk, is_new=(risk.kind, risk.what) not in known) for risk in found]
    return tuple(sorted(both, key=lambda risk: not risk.is_new))


def _holders(document: Document) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return what every job has, and each job that GitLab would run; hidden ones are in those that extend them."""
    yield _ALL_JOBS, document.data
    default = document.data.get("default")
    if isinstance(default, dict):
        yield _ALL_JOBS, default
    for name, job in merged_jobs(document).items():
        if not job.is_hidden:
            yield name, job.body


def _variables(document: Document, body: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the values a variable may have in a job; a matrix gives it several."""
    values: dict[str, tuple[str, ...]] = {}
    for mapping in (document.data.get("variables"), body.get("variables")):
        for name, value in mapping.items() if isinstance(mapping, dict) else ():
            plain = value.get("value") if isinstance(value, dict) else value
            values[str(name)] = (str(plain),)
    parallel = body.get("parallel")
    rows = parallel.get("matrix") if isinstance(parallel, dict) else None
    for row in rows if isinstance(rows, list) else ():
        for name, value in row.items() if isinstance(row, dict) else ():
            given = tuple(map(str, value)) if isinstance(value, list) else (str(value),)
            values[str(name)] = (*values.get(str(name), ()), *given)
    return values
