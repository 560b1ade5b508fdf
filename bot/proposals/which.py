"""Finds which pipeline of the project a person means, and which job of it."""

import re
from urllib.parse import urlsplit

from msgspec import Struct

from bot.domain import CannotError
from bot.gitlab.answers import RefusedError
from bot.gitlab.values import Pipeline
from bot.proposals.command import name_in_marks, words_without
from bot.proposals.order import Order
from bot.proposals.status import pipeline_after_merge, pipeline_of
from bot.replies.render import quoted
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import Proposal

_FILLERS = frozenset(
    "of on in the for please pls thanks thank you pipeline job branch it this now again why that did run failed "
    "failure".split()
)
_ID = "[0-9]{1,18}"  # GitLab's are 64 bits wide


class Wanted(Struct, frozen=True, kw_only=True):
    """Which pipeline shall be explained, and which job of it (all failed ones without a name)."""

    pipeline: Pipeline
    job: str | None = None


def find_wanted(services: Services, order: Order, words: str) -> Wanted:
    """Read words such as "main", "#123", a web address or a job's name; none mean the nearest pipeline."""
    named = _named(words)
    if named is None:
        return Wanted(pipeline=_nearest(services, order))
    number = _number(named, order)
    if number is not None:
        return _by_number(services, order.project.id, *number)
    found = services.gitlab.latest_pipeline(order.project.id, ref=named)
    if found is not None:
        return Wanted(pipeline=found)
    nearest = _nearest(services, order)
    if any(job.name == named for job in services.gitlab.jobs(order.project.id, nearest.id)):
        return Wanted(pipeline=nearest, job=named)
    raise CannotError(f"there is no branch with pipelines and no job named {quoted(named)} here.")


def _named(words: str) -> str | None:
    return name_in_marks(words) or " ".join(words_without(words, _FILLERS)) or None


def _number(named: str, order: Order) -> tuple[str, int] | None:
    """Read "123", "#123" or a web address of this project as a pipeline (else a job)."""
    plain = re.fullmatch(rf"#?({_ID})", named)
    if plain:
        return "pipelines", int(plain[1])
    here = urlsplit(order.project.web_url)
    try:
        asked = urlsplit(named)
    except ValueError as unreadable:  # such as https://[
        raise CannotError(f"{quoted(named)} is no web address that I can read.") from unreadable
    found = re.fullmatch(rf"{re.escape(here.path)}/-/(pipelines|jobs)/({_ID})/?", asked.path)
    if asked.scheme and (found is None or asked.netloc != here.netloc):
        raise CannotError("only pipelines and jobs of this project are within my reach here.")
    return (found[1], int(found[2])) if found else None


def _by_number(services: Services, project_id: int, kind: str, number: int) -> Wanted:
    if kind == "pipelines":
        try:
            return Wanted(pipeline=services.gitlab.pipeline(project_id, number))
        except RefusedError as refused:
            if refused.status != 404:
                raise
    try:
        job = services.gitlab.job(project_id, number)
    except RefusedError as refused:
        if refused.status != 404:
            raise
        raise CannotError(f"there is no pipeline and no job with the number {number} in this project.") from refused
    if job.pipeline_id is None:
        raise CannotError(f"GitLab does not say to which pipeline the job {number} belongs.")
    return Wanted(pipeline=services.gitlab.pipeline(project_id, job.pipeline_id), job=job.name)


def _nearest(services: Services, order: Order) -> Pipeline:
    """Without a name it is that of the merged or the open draft, the merge request's, else the default branch's."""
    gitlab, project_id = services.gitlab, order.project.id
    proposal = newest_proposal(services, order)
    found = _of_draft(services, proposal) if proposal else None
    place = order.noteable
    if found is None and place is not None and place.kind == "merge_request":
        found = gitlab.merge_request(project_id, place.iid).pipeline
    if found is not None and found.project_id not in (None, project_id):
        raise CannotError(
            f"the [pipeline]({found.web_url}) of this merge request runs in the project that it comes from, and I read "
            "none but this one's. Its page shows the failed jobs and their logs."
        )
    branch = gitlab.project(project_id).default_branch if found is None else None
    found = gitlab.latest_pipeline(project_id, ref=branch) if branch else found
    if found is None:
        raise CannotError("no pipeline has run here yet.")
    return found


def _of_draft(services: Services, proposal: Proposal) -> Pipeline | None:
    """Return the pipeline after the merge once there is one, else the draft's."""
    after = pipeline_after_merge(services, proposal)
    return after or (pipeline_of(services, proposal) if proposal.commit_id else None)


def newest_proposal(services: Services, order: Order) -> Proposal | None:
    """Return the conversation's proposal, if any."""
    with services.pool.connection() as connection:
        return proposals.newest_for_conversation(connection, order.conversation_id)
