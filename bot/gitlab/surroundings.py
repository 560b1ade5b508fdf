"""What GitLab tells of itself and of a project's runners, in one call.

Executors are what a runner said of itself last. Whether its containers are privileged GitLab does not know: that
stands in the runner's own configuration only (docs: api/graphql/reference, CiRunner and CiRunnerManager).
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from bot.domain import Runner, UnreachableError
from bot.gitlab.answers import RefusedError
from bot.gitlab.transport import Transport

AROUND = "metadata{version enterprise}"
RUNNERS = (
    "runners(first:50){nodes{runnerType status paused tagList runUntagged managers(first:5){nodes{executorName}}}}"
)
_QUERY = "query($p:ID!){" + AROUND + " project(fullPath:$p){" + RUNNERS + "}}"


class Instance(Struct, frozen=True, kw_only=True):
    """This GitLab, and the runners that are online for a project; None where GitLab does not show them to us."""

    version: str = ""
    is_enterprise: bool | None = None
    runners: tuple[Runner, ...] | None = None


class Around:
    """What surrounds a project."""

    transport: Transport

    def instance(self, project_path: str) -> Instance:
        """Return what is known; a GitLab too old for the question, or that refuses it, tells nothing."""
        body = {"query": _QUERY, "variables": {"p": project_path}}
        try:
            return instance_in(self.transport.ask(f"{self.transport.url}/api/graphql", body))
        except (RefusedError, UnreachableError):
            return Instance()


def instance_in(answer: Mapping[str, Any]) -> Instance:
    """Return what GraphQL answered of the instance and of a project's runners."""
    data = answer.get("data") or {}
    metadata = data.get("metadata") or {}
    found = ((data.get("project") or {}).get("runners") or {}).get("nodes")
    return Instance(
        version=str(metadata.get("version") or ""),
        is_enterprise=metadata.get("enterprise"),
        runners=None if found is None else tuple(_runner(node) for node in found if _is_online(node)),
    )


def _is_online(node: dict[str, Any]) -> bool:
    return node.get("status") == "ONLINE" and not node.get("paused")


def _runner(node: dict[str, Any]) -> Runner:
    managers = (node.get("managers") or {}).get("nodes") or ()
    executors = dict.fromkeys(str(each["executorName"]) for each in managers if each.get("executorName"))
    return Runner(
        scope=str(node.get("runnerType") or "").removesuffix("_TYPE").lower(),
        tags=tuple(node.get("tagList") or ()),
        takes_untagged=bool(node.get("runUntagged")),
        executors=tuple(executors),
    )
