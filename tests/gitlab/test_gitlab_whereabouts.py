"""Asking where many projects are: silence must never look like "all of them are gone"."""

import json
from pathlib import Path

import pytest

from bot.domain import UnreachableError
from bot.gitlab.client import GitLab
from bot.gitlab.whereabouts import Whereabouts
from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from tests.world.wire import Wire, WireServer


def answer(*nodes: tuple[int, str]) -> Wire:
    rows = [{"id": f"gid://gitlab/Project/{id_}", "fullPath": path, "visibility": "private"} for id_, path in nodes]
    return Wire(body=json.dumps({"data": {"projects": {"nodes": rows}}}))


def test_projects_are_found_by_their_ids_and_those_that_are_gone_left_out(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [answer((7, "acme/app"), (9, "acme/team/x"))]
    assert gitlab.whereabouts([7, 8, 9]) == {
        7: Whereabouts(path="acme/app", visibility="private"),
        9: Whereabouts(path="acme/team/x", visibility="private"),
    }
    (asked,) = wires.asked
    assert asked.body["variables"] == {"ids": [f"gid://gitlab/Project/{each}" for each in (7, 8, 9)]}


def test_no_projects_cost_no_call_and_many_are_asked_for_by_hundreds(gitlab: GitLab, wires: WireServer) -> None:
    assert gitlab.whereabouts([]) == {}
    assert wires.asked == []
    wires.script = [answer((1, "a/b")), answer((150, "a/c"))]
    assert set(gitlab.whereabouts(range(1, 151))) == {1, 150}
    assert [len(asked.body["variables"]["ids"]) for asked in wires.asked] == [100, 50]


@pytest.mark.parametrize(
    "wire",
    [
        pytest.param(Wire(body='{"errors":[{"message":"Timeout on validation"}]}'), id="errors"),
        pytest.param(
            Wire(body='{"errors":[{"message":"x"}],"data":{"projects":{"nodes":[]}}}'), id="errors beside data"
        ),
        pytest.param(Wire(body='{"data":{"projects":null}}'), id="null"),
        pytest.param(Wire(body="{}"), id="nothing"),
        pytest.param(Wire(body="<html>"), id="a web page"),
    ],
)
def test_what_is_no_answer_is_silence(gitlab: GitLab, wires: WireServer, wire: Wire) -> None:
    wires.script = [wire]
    with pytest.raises(UnreachableError):
        gitlab.whereabouts([7])


def test_the_stand_in_shows_only_what_one_may_see(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "gitlab").start()
    with sandbox.world.lock:
        bot, other = (seed.add_user(sandbox.world, name) for name in ("pipewright", "mia"))
        seen = seed.add_project(sandbox.world, "acme/app", {}, {bot: 30}, visibility="private")
        hidden = seed.add_project(sandbox.world, "rival/app", {}, {other: 30}, visibility="private")
        open_ = seed.add_project(sandbox.world, "rival/open", {}, {other: 30}, visibility="public")
        token = seed.add_token(sandbox.world, bot).value
    found = GitLab(sandbox.url, token).whereabouts([seen.id, hidden.id, open_.id, 999])
    sandbox.stop()
    assert {place.path: place.visibility for place in found.values()} == {"acme/app": "private", "rival/open": "public"}
