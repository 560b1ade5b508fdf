"""Reading a project's files and what surrounds it: in one call where one suffices, and whole where it does not."""

import json
from typing import Any

import pytest

from bot.domain import UnreachableError
from bot.gitlab.client import GitLab
from bot.gitlab.surroundings import Instance
from bot.sandbox import seed
from bot.sandbox.server import Sandbox
from tests.world.wire import Wire, WireServer

METADATA = {"version": "19.0.0", "enterprise": False}
FILES = {"repository": {"blobs": {"nodes": [{"path": "a", "rawTextBlob": "A", "size": "1"}]}}}
NOT_SHOWN = {"message": "you don't have permission to perform this action", "path": ["project", "runners"]}
TOO_LARGE = {"message": "Max blobs size limit exceeded (21 / 20 MiB).", "path": ["project", "repository", "blobs"]}


def wire(data: Any = None, *errors: dict[str, Any]) -> Wire:
    return Wire(body=json.dumps({**({"data": data} if data else {}), **({"errors": errors} if errors else {})}))


def test_files_and_surroundings_are_read_in_one_call(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [wire({"metadata": METADATA, "project": {**FILES, "runners": {"nodes": []}}})]
    found = gitlab.texts_and_instance("team/app", "main", ["a"])
    assert found == ({"a": "A"}, Instance(version="19.0.0", is_enterprise=False, runners=()))
    assert len(wires.asked) == 1


def test_runners_that_are_not_shown_cost_no_second_call(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [wire({"metadata": METADATA, "project": {**FILES, "runners": None}}, NOT_SHOWN)]
    found = gitlab.texts_and_instance("team/app", "main", ["a"])
    assert found == ({"a": "A"}, Instance(version="19.0.0", is_enterprise=False))
    assert len(wires.asked) == 1


@pytest.mark.parametrize(
    "refused",
    [
        wire(None, {"message": "Field 'managers' doesn't exist on type 'CiRunner'"}),
        wire(None, {"message": "Query has complexity of 260, which exceeds max complexity of 250"}),
        wire({"metadata": METADATA, "project": {"repository": {"blobs": None}, "runners": None}}, NOT_SHOWN, TOO_LARGE),
        wire({"metadata": METADATA, "project": None}),
        Wire(status=403, body=json.dumps({"message": "403 Forbidden"})),
    ],
    ids=["too old", "too complex", "too large", "no project", "refused"],
)
def test_what_cannot_be_answered_at_once_is_asked_for_separately(
    gitlab: GitLab, wires: WireServer, refused: Wire
) -> None:
    wires.script = [refused, wire({"project": FILES}), wire({"metadata": METADATA, "project": None})]
    found = gitlab.texts_and_instance("team/app", "main", ["a"])
    assert found == ({"a": "A"}, Instance(version="19.0.0", is_enterprise=False))
    assert len(wires.asked) == 3


def test_many_files_are_read_by_themselves_and_none_at_all_in_no_call(gitlab: GitLab, wires: WireServer) -> None:
    around = wire({"metadata": METADATA, "project": None})
    wires.script = [wire({"project": FILES}), wire({"project": {"repository": None}}), around, around]
    texts, _ = gitlab.texts_and_instance("team/app", "main", ["a", *(f"p{number}" for number in range(100))])
    assert (texts, len(wires.asked)) == ({"a": "A"}, 3)
    assert gitlab.texts_and_instance("team/app", "main", [])[0] == {}
    assert len(wires.asked) == 4


def test_files_are_never_taken_for_missing_when_graphql_breaks(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [wire(None, {"message": "Internal server error"})] * 2
    with pytest.raises(UnreachableError, match="Internal server error"):
        gitlab.texts_and_instance("team/app", "main", ["a"])


@pytest.mark.parametrize(("level", "is_shown"), [(40, True), (30, False)])
def test_the_stand_in_answers_both_at_once(tmp_path, level: int, is_shown: bool) -> None:
    sandbox = Sandbox(tmp_path, job_seconds=0).start()
    try:
        with sandbox.world.lock:
            max_ = seed.add_user(sandbox.world, "max")
            seed.add_project(sandbox.world, "team/app", {"a": "A", "b": "B"}, {max_: level})
            token = seed.add_token(sandbox.world, max_).value
        texts, instance = GitLab(sandbox.url, token).texts_and_instance("team/app", "main", ["a", "c"])
        assert len(sandbox.calls) == 1
    finally:
        sandbox.stop()
    assert (texts, instance.version, instance.runners is not None) == ({"a": "A"}, "19.0.0", is_shown)
