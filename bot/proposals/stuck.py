"""Pipelines that do not get on: whether one waits or runs for too long, for what, and who can mend that."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from bot.domain import CannotError
from bot.gitlab.values import Job, Pipeline
from bot.proposals.note import pipeline_url
from bot.replies import stuck as words
from bot.services import Services
from bot.settings import Settings
from bot.store.proposals import Proposal

How = Literal["waiting", "running", "manual"]
_WAITING = frozenset({"created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending"})


def stuck_how(run: Pipeline, settings: Settings, now: datetime) -> How | None:
    """Return how a pipeline is stuck, None while it has time, has ended, or GitLab tells no times."""
    if run.created_at is None:
        return None
    waited = now - run.created_at > timedelta(minutes=settings.pending_minutes)
    if run.status == "manual":
        return "manual" if waited else None
    if run.status in _WAITING:
        return "waiting" if waited else None
    ran = now - (run.started_at or run.created_at) > timedelta(minutes=settings.running_minutes)
    return "running" if run.status == "running" and ran else None


def why_stuck(services: Services, proposal: Proposal, run: Pipeline) -> str:
    """Say what a pipeline waits for and what mends it."""
    jobs = services.gitlab.jobs(proposal.project_id, run.id)
    link = f"[pipeline]({pipeline_url(proposal, run.id)})"
    if run.status == "manual":
        return words.manual(link, _names(jobs, "manual"))
    if run.status == "waiting_for_resource":
        return words.waiting(link, words.RESOURCE)
    waiting = [job for job in jobs if job.status in ("pending", "waiting_for_resource")]
    if run.status == "running" and not waiting:
        return words.running(link, _names(jobs, "running"), services.mention)
    return words.waiting(link, _cause(services, proposal, waiting))


def _names(jobs: Iterable[Job], status: str) -> list[str]:
    return [job.name for job in jobs if job.status == status]


def _cause(services: Services, proposal: Proposal, waiting: list[Job]) -> str:
    """Ask for runners: none at all, none with the tags a job wants, or none that is free."""
    try:
        if not services.gitlab.has_online_runner(proposal.project_id):
            return words.NO_RUNNER
        for job in waiting:
            if job.tags and not services.gitlab.has_online_runner(proposal.project_id, job.tags):
                return words.no_runner_with(job.name, job.tags)
    except CannotError:
        return words.RUNNERS_UNSEEN
    return words.BUSY
