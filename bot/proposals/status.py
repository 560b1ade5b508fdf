"""How pipelines stand, read from GitLab now, for a hook may be late or lost."""

from collections.abc import Sequence

from bot.domain import CannotError
from bot.gitlab.values import Job, Pipeline
from bot.replies import progress
from bot.replies.render import quoted
from bot.replies.scorecard import job_minutes
from bot.services import Services
from bot.store import proposals
from bot.store.proposals import Proposal


def refreshed(services: Services, proposal: Proposal) -> Proposal:
    """Read the pipelines of a proposal from GitLab, for a hook may be late or lost."""
    if proposal.commit_id is None:
        return proposal
    found = pipeline_of(services, proposal)
    with services.pool.connection() as connection:
        if found is not None:
            proposals.set_pipeline(connection, proposal.id, pipeline_id=found.id, status=found.status)
        if proposal.merged_sha is None:
            return proposals.get(connection, proposal.id)
    after = pipeline_after_merge(services, proposal)
    with services.pool.connection() as connection:
        if after is not None:
            proposals.set_pipeline_after_merge(connection, proposal.id, pipeline_id=after.id, status=after.status)
        return proposals.get(connection, proposal.id)


def pipeline_of(services: Services, proposal: Proposal) -> Pipeline | None:
    """Return the newest pipeline of a proposal's commit; one of merged results only its merge request knows.

    After a fast-forward the target branch's is one of the same commit.
    """
    found = services.gitlab.latest_pipeline(proposal.project_id, sha=proposal.commit_id)
    if found is not None and found.ref != proposal.target_branch:
        return found
    if proposal.merge_request_iid is None:
        return None
    run = services.gitlab.merge_request(proposal.project_id, proposal.merge_request_iid).pipeline
    return run if run is not None and run.sha == proposal.commit_id else None


def pipeline_after_merge(services: Services, proposal: Proposal) -> Pipeline | None:
    """Return the newest pipeline of what was merged, where it was merged to; a draft's can be of the same commit."""
    if proposal.merged_sha is None:
        return None
    return services.gitlab.latest_pipeline(proposal.project_id, sha=proposal.merged_sha, ref=proposal.target_branch)


def branch_status(services: Services, project_id: int, branch: str | None) -> str:
    """Say how the newest pipeline of a branch stands; None means the default branch."""
    ref = branch or services.gitlab.project(project_id).default_branch
    if ref is None:
        raise CannotError("the repository is empty, so there is no pipeline.")
    found = services.gitlab.latest_pipeline(project_id, ref=ref) or _of_merge_request(services, project_id, ref)
    if found is None and branch and services.gitlab.branch_head(project_id, branch) is None:
        raise CannotError(f"there is no branch {quoted(branch)} in this project.")
    if found is None:
        return progress.no_pipeline(f"on `{ref}`")
    line = progress.pipeline_line(found.status, found.web_url, where=f"on `{ref}`")
    ran = services.gitlab.jobs(project_id, found.id) if found.status in {"failed", "success"} else ()
    line = f"{line} {minutes_of(ran)}".rstrip()
    if found.status != "failed":
        return line
    failed = tuple((job.name, job.web_url, job.failure_reason or "") for job in ran if job.status == "failed")
    return f"{line}\n\n{progress.failed_jobs(failed)}"


def minutes_of(jobs: Sequence[Job]) -> str:
    """Say what the jobs took by GitLab's measure; nothing where none ran."""
    ran = [job.seconds for job in jobs if job.seconds]
    return job_minutes(sum(ran), len(ran)) if ran else ""


def _of_merge_request(services: Services, project_id: int, branch: str) -> Pipeline | None:
    """A merge request's pipeline has a ref of its own, so it is found by the commit alone."""
    head = services.gitlab.branch_head(project_id, branch)
    return services.gitlab.latest_pipeline(project_id, sha=head) if head else None
