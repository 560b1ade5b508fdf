"""Explains failed pipelines of a project: reads the logs of the failed jobs, and asks the model only for the rest."""

import time

import structlog
from msgspec import Struct, structs

from bot.agent.prompts import render_prompt
from bot.ci.compose import CI_FILE
from bot.domain import CannotError, ChatMessage, UnreachableError
from bot.failures.diagnosis import Diagnosis
from bot.failures.mending import Mended, mend
from bot.failures.recognise import recognise, recognise_configuration
from bot.failures.scene import Scene
from bot.failures.trace import read_trace
from bot.gitlab.values import Job, Pipeline
from bot.llm.chat import TooLongError, Watch
from bot.proposals import note
from bot.proposals.order import Order
from bot.proposals.which import find_wanted
from bot.replies import changes, failures, progress
from bot.replies.render import quoted
from bot.services import Services

log = structlog.get_logger()

MOST_JOBS = 5
_MOST_WORDS = 1_500
_PATIENCE_SECONDS = 180.0


class Explained(Struct, frozen=True, kw_only=True):
    """A pipeline and why its jobs failed; `left` counts the failed jobs that were not looked at."""

    pipeline: Pipeline
    diagnoses: tuple[Diagnosis, ...]
    left: int = 0


def explained_text(services: Services, order: Order, words: str) -> str:
    """Return the explanation in Markdown; raises CannotError where there is no such pipeline or job."""
    wanted = find_wanted(services, order, words)
    found = explain_pipeline(services, order.project.id, wanted.pipeline, job=wanted.job)
    where = f"on {quoted(wanted.pipeline.ref)}"
    line = progress.pipeline_line(wanted.pipeline.status, wanted.pipeline.web_url, where=where)
    if not found.diagnoses:
        return failures.nothing_failed(line)
    parts = [line, failures.explanation([note.told(each) for each in found.diagnoses], left=found.left)]
    mended = suggestion(services, order.project.id, found)
    if mended is not None:
        parts.append(failures.suggested(mended.titles[0], changes.diff_of(mended.before, mended.after)))
    return "\n\n".join(parts)


def explain_pipeline(services: Services, project_id: int, pipeline: Pipeline, *, job: str | None = None) -> Explained:
    """Say why a pipeline failed, or one of its jobs; no diagnoses when nothing in it did."""
    errors = pipeline.yaml_errors or services.gitlab.pipeline(project_id, pipeline.id).yaml_errors
    if errors:
        return Explained(pipeline=pipeline, diagnoses=(recognise_configuration(errors),))
    failed = _failed_jobs(services.gitlab.jobs(project_id, pipeline.id), job)
    told = tuple(explain_job(services, project_id, each) for each in failed[:MOST_JOBS])
    return Explained(pipeline=pipeline, diagnoses=told, left=max(len(failed) - MOST_JOBS, 0))


def explain_job(services: Services, project_id: int, job: Job) -> Diagnosis:
    """Say why a job failed."""
    trace = read_trace(services.gitlab.job_trace(project_id, job.id) if job.has_trace else ())
    found = recognise(trace, job=job.name, failure_reason=job.failure_reason)
    return _with_words(services, found) if found.kind == "unknown" and found.excerpt else found


def scene_of(services: Services, project_id: int, sha: str, text: str | None = None) -> Scene | None:
    """Return the pipeline's file and the repository at a commit; None where there is no such file."""
    written = text if text is not None else services.gitlab.read_file(project_id, sha, CI_FILE)
    if written is None:
        return None
    paths = services.gitlab.tree(project_id, sha)
    return Scene(written, paths, lambda path: _read(services, project_id, sha, path, paths))


def suggestion(services: Services, project_id: int, explained: Explained) -> Mended | None:
    """Return the first fix that would mend one of the failures of any pipeline, for a person to make."""
    if not any(each.fix and each.nature == "pipeline" for each in explained.diagnoses):
        return None
    scene = scene_of(services, project_id, explained.pipeline.sha)
    found = (mend([each], scene) for each in explained.diagnoses) if scene is not None else ()
    return next((each for each in found if each is not None), None)


def _failed_jobs(jobs: tuple[Job, ...], name: str | None) -> list[Job]:
    """Jobs that may fail did not make the pipeline red, so they are told only where nothing else failed."""
    failed = [each for each in reversed(jobs) if each.status == "failed" and name in (None, each.name)]
    return [each for each in failed if not each.may_fail] or failed


def _read(services: Services, project_id: int, sha: str, path: str, paths: tuple[str, ...]) -> str | None:
    return services.gitlab.read_file(project_id, sha, path) if path in paths else None


def _with_words(services: Services, found: Diagnosis) -> Diagnosis:
    """Let the model say what no class tells; without one the log speaks for itself."""
    prompt = render_prompt(
        services.prompts_dir, "explain.md.j2", job=found.job, command=found.command, log=found.excerpt[-6_000:]
    )
    try:
        if not services.model.is_up():
            return found
        watch = Watch(until=time.monotonic() + _PATIENCE_SECONDS)
        said = services.model.chat([ChatMessage(role="user", content=prompt)], [], watch)
    except (UnreachableError, CannotError, TooLongError) as error:
        log.warning("the model does not explain", detail=str(error))
        return found
    return structs.replace(found, words=said.text.strip()[:_MOST_WORDS])
