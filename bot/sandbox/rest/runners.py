"""The GraphQL answer about the instance and a project's runners: tags and executors, for whoever may see runners.

Facts: app/graphql/types/ci/runner_type.rb, runner_manager_type.rb; runners of a project need the role Maintainer.
Nothing says whether a runner is privileged.
"""

from typing import Any

from bot.sandbox import rights
from bot.sandbox.rest.call import Answer, Call
from bot.sandbox.state import Runner


def surroundings(call: Call, path: str) -> Answer:
    """Answer `metadata` and `project.runners`; whoever may not see the runners gets null and an error beside it."""
    metadata = {"version": call.world.version, "enterprise": call.world.tier is not None}
    project = call.world.project_at(path)
    if project is None or not rights.may_see(project, call.user):
        return Answer(200, {"data": {"metadata": metadata, "project": None}})
    if rights.level(project, call.user) < 40:
        text = (
            "The resource that you are attempting to access does not exist or you don't have permission to perform "
            "this action"
        )
        data = {"metadata": metadata, "project": {"runners": None}}
        return Answer(200, {"data": data, "errors": [{"message": text, "path": ["project", "runners"]}]})
    nodes = [_node(runner) for runner in project.runners]
    return Answer(200, {"data": {"metadata": metadata, "project": {"runners": {"nodes": nodes[:50]}}}})


def _node(runner: Runner) -> dict[str, Any]:
    return {
        "runnerType": f"{runner.scope.upper()}_TYPE",
        "status": runner.status,
        "paused": runner.is_paused,
        "tagList": list(runner.tags),
        "runUntagged": runner.takes_untagged,
        "managers": {"nodes": [{"executorName": runner.executor}]},
    }
