"""Asking what surrounds a project: what GitLab does not tell is not known, and stops nothing."""

import json

import pytest

from bot.gitlab.client import GitLab
from bot.gitlab.surroundings import Instance
from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Runner as Placed
from tests.world.wire import Wire, WireServer


@pytest.mark.parametrize(
    "wire",
    [
        Wire(body=json.dumps({"errors": [{"message": "Field 'runners' doesn't exist on type 'Project'"}]})),
        Wire(
            body=json.dumps({"data": {"metadata": None, "project": {"runners": None}}, "errors": [{"message": "no"}]})
        ),
        Wire(body=json.dumps({"data": {"metadata": None, "project": None}})),
        Wire(status=403, body=json.dumps({"message": "403 Forbidden"})),
    ],
)
def test_what_gitlab_does_not_tell_is_not_known(wire: Wire, wires: WireServer, gitlab: GitLab) -> None:
    wires.script = [wire]
    assert gitlab.instance("team/app") == Instance()


def test_only_runners_that_take_jobs_now_are_told_with_what_they_said_of_themselves(tmp_path) -> None:
    sandbox = Sandbox(tmp_path, job_seconds=0).start()
    try:
        world = sandbox.world
        with world.lock:
            max_ = seed.add_user(world, "max")
            project = seed.add_project(world, "team/app", {"README.md": "x\n"}, {max_: 40})
            project.runners = [
                Placed(scope="group", tags=("a", "b"), takes_untagged=False, executor="kubernetes"),
                Placed(scope="instance", executor=None),
                Placed(scope="instance", status="STALE"),
                Placed(scope="project", is_paused=True),
            ]
            token = seed.add_token(world, max_).value
        found = GitLab(sandbox.url, token).instance("team/app")
    finally:
        sandbox.stop()
    assert (found.version, found.is_enterprise) == ("19.0.0", True)
    assert [(one.scope, one.tags, one.takes_untagged, one.executors) for one in found.runners or ()] == [
        ("group", ("a", "b"), False, ("kubernetes",)),
        ("instance", (), True, ()),
    ]
