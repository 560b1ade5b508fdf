"""The pipelines a project can get, each with what GitLab knows about it before any job exists."""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from bot.ci.checks.conditions import Some, Unknown, Value

_SOURCES = (
    "api", "chat", "container_registry_push", "external", "ondemand_dast_scan", "ondemand_dast_validation",
    "parent_pipeline", "pipeline", "security_orchestration_policy", "trigger", "web", "webide",
)  # fmt: skip
_OF_MERGE_REQUESTS = (
    "ID", "IID", "PROJECT_ID", "PROJECT_PATH", "REF_PATH", "SOURCE_BRANCH_NAME", "SOURCE_BRANCH_SHA",
    "SOURCE_PROJECT_ID", "SOURCE_PROJECT_PATH", "TARGET_BRANCH_NAME", "TITLE", "EVENT_TYPE", "DIFF_BASE_SHA",
)  # fmt: skip
_OF_EXTERNAL = ("IID", "SOURCE_BRANCH_NAME", "TARGET_BRANCH_NAME", "SOURCE_REPOSITORY", "TARGET_REPOSITORY")
_DEFAULT, _FEATURE, _TAG = Some("the default branch"), Some("another branch"), Some("a tag")


class Event(Struct, frozen=True, kw_only=True):
    """Something that may start a pipeline. `is_usual` holds for what nearly every project sees."""

    name: str
    variables: Mapping[str, Value]
    is_usual: bool = False

    @property
    def is_merge_request(self) -> bool:
        """Whether the pipeline belongs to a merge request."""
        return self.variables.get("CI_PIPELINE_SOURCE") in {"merge_request_event", "external_pull_request_event"}


def _event(name: str, source: str, known: Mapping[str, Value], *, is_usual: bool = True) -> Event:
    variables: dict[str, Value] = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_PIPELINE_SOURCE": source,
        "CI_DEFAULT_BRANCH": _DEFAULT,
        "CI_COMMIT_BRANCH": None,
        "CI_COMMIT_TAG": None,
        "CI_OPEN_MERGE_REQUESTS": None,
        "CI_PIPELINE_SCHEDULE_DESCRIPTION": Some("a schedule") if source == "schedule" else None,
    }
    request: Value = Some("a merge request") if source == "merge_request_event" else None
    # A child pipeline inherits the merge request of its parent, where there is one.
    request = Unknown() if source == "parent_pipeline" else request
    variables |= {f"CI_MERGE_REQUEST_{each}": request for each in _OF_MERGE_REQUESTS}
    external: Value = Some("a pull request") if source == "external_pull_request_event" else None
    variables |= {f"CI_EXTERNAL_PULL_REQUEST_{each}": external for each in _OF_EXTERNAL}
    return Event(name=name, variables=variables | dict(known), is_usual=is_usual)


def _on(ref: Some) -> dict[str, Value]:
    """Return what a pipeline for a branch or tag knows of it."""
    return {"CI_COMMIT_TAG" if ref is _TAG else "CI_COMMIT_BRANCH": ref, "CI_COMMIT_REF_NAME": ref}


def _others() -> Iterator[Event]:
    for source in _SOURCES:
        for ref in (_DEFAULT, _FEATURE, _TAG):
            yield _event(f"a pipeline from {source}", source, _on(ref), is_usual=False)
    pull = "external_pull_request_event"
    yield _event("a pull request", pull, _on(_FEATURE), is_usual=False)
    yield _event("a schedule for a tag", "schedule", _on(_TAG), is_usual=False)
    yield _event("a schedule for a branch", "schedule", _on(_FEATURE), is_usual=False)


MERGE_REQUEST = _event("a merge request", "merge_request_event", {"CI_COMMIT_REF_NAME": _FEATURE})
BRANCH_WITH_REQUEST = _event(
    "a push to a branch with a merge request",
    "push",
    _on(_FEATURE) | {"CI_OPEN_MERGE_REQUESTS": Some("a merge request")},
)
EVENTS = (
    _event("a push to a branch", "push", _on(_FEATURE)),
    _event("a push to the default branch", "push", _on(_DEFAULT)),
    MERGE_REQUEST,
    BRANCH_WITH_REQUEST,
    _event("a new tag", "push", _on(_TAG)),
    _event("a schedule", "schedule", _on(_DEFAULT)),
    *_others(),
)
