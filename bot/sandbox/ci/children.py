"""Child pipelines: a job with `trigger: include` starts one of local files, as GitLab does.

Pipelines in other projects are not played. Facts: docs.gitlab.com/ci/pipelines/downstream_pipelines.
"""

from typing import Any

import yaml

from bot.sandbox.state import Job, Pipeline

SOURCE = "parent_pipeline"
NOT_MADE, NO_PROJECT = "downstream_pipeline_creation_failed", "downstream_bridge_project_not_found"


def is_bridge(job: Job) -> bool:
    """Tell whether a job only starts another pipeline."""
    return "trigger" in job.config


def waits(job: Job) -> bool:
    """Tell whether the job is as green or red as what it started."""
    trigger = job.config["trigger"]
    return isinstance(trigger, dict) and trigger.get("strategy") in ("depend", "mirror")


def configuration(job: Job) -> str | None:
    """Return the text of the child's configuration, which includes what the job names; None for another project's."""
    trigger = job.config["trigger"]
    include: Any = trigger.get("include") if isinstance(trigger, dict) else None
    return yaml.safe_dump({"include": include}) if include else None


def child_of(parent: Pipeline) -> Pipeline:
    """Return a child that is not started yet: of the same commit, for the same merge request."""
    return Pipeline(
        0, 0, parent.project, parent.user, parent.ref, parent.sha, SOURCE, merge_request=parent.merge_request
    )
