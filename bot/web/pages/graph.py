"""Which jobs a pipeline has, in which stages, and what each waits for: read from the text of a `.gitlab-ci.yml`."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bot.ci.checks.document import read_document
from bot.ci.checks.merged import merged_jobs
from bot.domain import CannotError

_STAGES = ("build", "test", "deploy")  # what GitLab assumes where a file names none
_FIRST, _LAST = ".pre", ".post"
_USUAL_STAGE = "test"
MOST_JOBS = 120


class GraphJob(Struct, frozen=True, kw_only=True):
    """A job to draw. `needs` is None where it waits for all stages before its own, empty where it starts at once.

    `column` counts stages, and steps inside a stage where jobs of one stage need each other; `status` is GitLab's word.
    """

    name: str
    stage: str
    needs: tuple[str, ...] | None
    column: int = 0
    status: str = ""


class Graph(Struct, frozen=True, kw_only=True):
    """What is drawn: jobs in the order of the file, and for each stage its name with its first and last column."""

    jobs: tuple[GraphJob, ...]
    stages: tuple[tuple[str, int, int], ...]
    left_out: int = 0


def graph_of(gitlab_ci: str | None, statuses: Mapping[str, str] | None = None) -> Graph:
    """Return the graph of a pipeline's text; it has no jobs where the text cannot be read. `statuses` are by name."""
    try:
        document = read_document(gitlab_ci or "")
    except CannotError:
        return Graph(jobs=(), stages=())
    found = [_job(name, job.body, statuses or {}) for name, job in merged_jobs(document).items() if not job.is_hidden]
    shown = found[:MOST_JOBS]
    columns, stages = _columns(shown, _stage_names(document.data.get("stages"), shown))
    jobs = tuple(
        GraphJob(name=job.name, stage=job.stage, needs=job.needs, column=columns[job.name], status=job.status)
        for job in shown
    )
    return Graph(jobs=jobs, stages=stages, left_out=len(found) - len(shown))


def _job(name: str, body: Mapping[str, Any], statuses: Mapping[str, str]) -> GraphJob:
    stage = body.get("stage")
    status = statuses.get(name) or _of_parallel(name, statuses)
    return GraphJob(
        name=name, stage=stage if isinstance(stage, str) else _USUAL_STAGE, needs=_needs(body), status=status
    )


def _of_parallel(name: str, statuses: Mapping[str, str]) -> str:
    """GitLab names the copies of a parallel job `name 1/3` or `name: [value]`; the worst of them is shown."""
    copies = {
        status for each, status in statuses.items() if each.startswith((f"{name}: [", f"{name} ")) and each != name
    }
    order = ("failed", "canceled", "running", "pending", "created", "manual", "success")
    return next((status for status in order if status in copies), "")


def _needs(body: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the jobs of this pipeline it needs; what other projects or pipelines do is not drawn."""
    needs = body.get("needs")
    if not isinstance(needs, list):
        return None
    named = [each.get("job") if isinstance(each, dict) and "project" not in each else each for each in needs]
    return tuple(dict.fromkeys(each for each in named if isinstance(each, str)))


def _stage_names(named: Any, jobs: list[GraphJob]) -> list[str]:
    declared = [each for each in named if isinstance(each, str)] if isinstance(named, list) else list(_STAGES)
    unknown = [job.stage for job in jobs if job.stage not in declared and job.stage not in (_FIRST, _LAST)]
    middle = [each for each in (*declared, *unknown) if each not in (_FIRST, _LAST)]
    return [_FIRST, *dict.fromkeys(middle), _LAST]


def _columns(jobs: list[GraphJob], names: list[str]) -> tuple[dict[str, int], tuple[tuple[str, int, int], ...]]:
    columns: dict[str, int] = {}
    stages: list[tuple[str, int, int]] = []
    first = 0
    for stage in names:
        members = {job.name: job for job in jobs if job.stage == stage}
        steps = _steps(members)
        if not steps:
            continue
        last = first + max(steps.values())
        columns |= {name: first + step for name, step in steps.items()}
        stages.append((stage, first, last))
        first = last + 1
    return columns, tuple(stages)


def _steps(members: Mapping[str, GraphJob]) -> dict[str, int]:
    """Return for each job of a stage how many of the same stage come before it, one after another.

    Each round places what needs placed jobs only; a circle, which GitLab refuses, is left and placed at its end.
    """
    steps: dict[str, int] = {}
    while len(steps) < len(members):
        ready = {name: _before(members, name) for name in members if name not in steps}
        placed = {
            name: 1 + max((steps[each] for each in before), default=-1)
            for name, before in ready.items()
            if all(each in steps for each in before)
        }
        steps |= placed or dict.fromkeys(ready, 1 + max(steps.values(), default=-1))
    return steps


def _before(members: Mapping[str, GraphJob], name: str) -> list[str]:
    return [each for each in members[name].needs or () if each in members and each != name]
