"""Pipelines and their jobs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import structs

from bot.domain import CannotError
from bot.gitlab import read
from bot.gitlab.answers import RefusedError
from bot.gitlab.transport import Transport
from bot.gitlab.values import Job, Pipeline

# GitLab keeps at most 100 MB of a log unless an administrator allows more (docs: instance_limits).
LONGEST_TRACE = 200 * 1024 * 1024
_MOST_PAGES = 20
_NONE_SHOWN = (
    "GitLab shows no pipelines here: CI/CD is switched off in this project, or for my account. A Maintainer can switch "
    "that on under *Settings › General › Visibility, project features, permissions*."
)


class Pipelines:
    """Runs of CI configurations."""

    transport: Transport

    def pipeline(self, project_id: int, pipeline_id: int) -> Pipeline:
        """Return a pipeline."""
        route = "/projects/{project}/pipelines/{pipeline}"
        return read.pipeline(self._read_runs(route, project=project_id, pipeline=pipeline_id))

    def latest_pipeline(self, project_id: int, *, sha: str | None = None, ref: str | None = None) -> Pipeline | None:
        """Return the newest pipeline of a commit or of a branch."""
        query: dict[str, Any] = {"order_by": "id", "sort": "desc", "per_page": 1}
        query |= {key: value for key, value in (("sha", sha), ("ref", ref)) if value is not None}
        rows = self._read_runs("/projects/{project}/pipelines", query, project=project_id)
        return read.pipeline(rows[0]) if rows else None

    def _read_runs(self, route: str, query: Mapping[str, Any] | None = None, /, **ids: object) -> Any:
        """GET; where CI/CD is switched off everybody is refused, whatever their role and token."""
        try:
            return self.transport.read_json(route, query, **ids)
        except RefusedError as refused:
            if refused.status != 403:
                raise
            raise CannotError(_NONE_SHOWN) from refused

    def jobs(self, project_id: int, pipeline_id: int) -> tuple[Job, ...]:
        """Return the jobs of a pipeline, the newest first, without those that were run again.

        Those of child pipelines that are not green are among them, and jobs that could not start one or started one in
        another project that failed.
        """
        return (*self._jobs(project_id, pipeline_id), *self._of_children(project_id, pipeline_id))

    def _jobs(self, project_id: int, pipeline_id: int) -> tuple[Job, ...]:
        route = "/projects/{project}/pipelines/{pipeline}/jobs"
        rows = self.transport.read_rows(route, most_pages=_MOST_PAGES, project=project_id, pipeline=pipeline_id)
        return tuple(read.job(row) for row in rows)

    def _of_children(self, project_id: int, pipeline_id: int) -> Iterator[Job]:
        route = "/projects/{project}/pipelines/{pipeline}/bridges"
        rows = self.transport.read_rows(route, most_pages=_MOST_PAGES, project=project_id, pipeline=pipeline_id)
        for row in rows:
            child = row.get("downstream_pipeline") or {}
            if not child:
                yield structs.replace(read.job(row), has_trace=False)
            elif child.get("project_id", project_id) != project_id:
                if row["status"] == "failed":  # GitLab does not say of what
                    reason = "downstream_pipeline_failed"
                    yield structs.replace(read.job(row), has_trace=False, failure_reason=reason, seconds=0.0)
            elif child["status"] != "success":
                for job in self.jobs(project_id, child["id"]):
                    may_fail = job.may_fail or bool(row.get("allow_failure"))
                    yield structs.replace(job, name=f"{row['name']}:{job.name}", may_fail=may_fail)

    def retry_pipeline(self, project_id: int, pipeline_id: int) -> Pipeline:
        """Run the failed and cancelled jobs again."""
        return self._act(project_id, pipeline_id, "retry")

    def cancel_pipeline(self, project_id: int, pipeline_id: int) -> Pipeline:
        """Stop a running pipeline."""
        return self._act(project_id, pipeline_id, "cancel")

    def _act(self, project_id: int, pipeline_id: int, verb: str) -> Pipeline:
        route = "/projects/{project}/pipelines/{pipeline}/" + verb
        return read.pipeline(self.transport.write("post", route, {}, project=project_id, pipeline=pipeline_id))

    def has_online_runner(self, project_id: int, tags: Sequence[str] = ()) -> bool:
        """Tell whether a runner is online that has all these tags; only Maintainers may know."""
        query: dict[str, Any] = {"status": "online", "per_page": 1, **({"tag_list": ",".join(tags)} if tags else {})}
        return bool(self.transport.read_json("/projects/{project}/runners", query, project=project_id))

    def job(self, project_id: int, job_id: int) -> Job:
        """Return a job."""
        return read.job(self.transport.read_json("/projects/{project}/jobs/{job}", project=project_id, job=job_id))

    def job_trace(self, project_id: int, job_id: int) -> Iterator[bytes]:
        """Return a job's log piece by piece; empty before the job starts."""
        route = "/projects/{project}/jobs/{job}/trace"
        return self.transport.stream(route, most_bytes=LONGEST_TRACE, project=project_id, job=job_id)
