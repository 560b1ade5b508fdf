"""What the stand-in answers has the shape of GitLab's own answers."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.sandbox.conftest import CI, Place

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SCHEMA = DATA / "gitlab-schemas" / "modern" / "gitlab-rest.schema.json"
EXAMPLES = DATA / "response-examples"

needs_schema = pytest.mark.skipif(not SCHEMA.exists(), reason="the folder of GitLab's schemas is not here")
needs_examples = pytest.mark.skipif(not EXAMPLES.exists(), reason="the folder of recorded answers is not here")


@cache
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text())
    return loaded


def problems(name: str, value: Any) -> list[str]:
    validator = Draft202012Validator({**schema(), "$ref": f"#/$defs/{name}"})
    return [f"{'/'.join(map(str, error.path))}: {error.message[:120]}" for error in validator.iter_errors(value)]


@pytest.fixture
def answers(place: Place) -> dict[str, Any]:
    """One answer of each kind, by the name of its definition in the schema."""
    place.push("main", ".gitlab-ci.yml", CI)
    request = f"/merge_requests/{place.open().iid}"
    place.sandbox.wait_idle()
    api, issue = place.api, f"/issues/{place.api.post('/issues', title='We need CI', description='Now').json()['iid']}"
    note = api.post(issue + "/notes", body="Please").json()
    run = api.get("/pipelines").json()[0]
    hook = api.post("/hooks", url="http://127.0.0.1:9/", note_events=True, token="t").json()
    api.post(request + "/approve")
    return {
        "user_basic": note["author"],
        "current_user": api.get("//user").json(),
        "personal_access_token": api.get("//personal_access_tokens/self").json(),
        "project": api.get("").json(),
        "member": api.get(f"/members/all/{place.people['mia'].id}").json(),
        "tree_entry": api.get("/repository/tree").json()[0],
        "file": api.get("/repository/files/README.md", ref="main").json(),
        "branch": api.get("/repository/branches/main").json(),
        "commit": api.get("/repository/branches/main").json()["commit"],
        "commit_detail": place.push("topic", "more.txt", "more\n").json(),
        "protected_branch": api.get("/protected_branches/main").json(),
        "issue": api.get(issue).json(),
        "note": note,
        "discussion": api.get(issue + "/discussions").json()[0],
        "note_commands_202": api.post(issue + "/notes", body="/close").json(),
        "award_emoji": api.post(f"{issue}/notes/{note['id']}/award_emoji", name="eyes").json(),
        "merge_request_basic": api.get("/merge_requests").json()[0],
        "merge_request": api.get(request).json(),
        "approvals_free": api.get(request + "/approvals").json(),
        "pipeline_basic": run,
        "pipeline": api.get(f"/pipelines/{run['id']}").json(),
        "job": api.get(f"/pipelines/{run['id']}/jobs").json()[0],
        "lint_result": api.post("/ci/lint", content=CI).json(),
        "hook": hook,
        "error_message": api.get("/issues/999").json(),
        "error_param": api.post("/issues").json(),
    }


@needs_schema
def test_every_answer_follows_the_schema(answers: dict[str, Any]) -> None:
    assert {name: found for name, value in answers.items() if (found := problems(name, value))} == {}


@needs_schema
def test_a_system_note_and_its_thread_follow_the_schema(place: Place) -> None:
    request = f"/merge_requests/{place.open().iid}"
    place.api.post(request + "/approve")
    notes = place.api.get(request + "/notes").json()
    assert [note["system"] for note in notes] == [True]
    assert problems("note", notes[0]) == []
    assert problems("discussion", place.api.get(request + "/discussions").json()[0]) == []


# Recorded answers hold keys of paid editions, of administrators, or of old versions: these may be missing.
_ELSEWHERE = {
    "merge_request": {"approvals_before_merge", "diverged_commits_count", "rebase_in_progress", "merge_after"},
    "pipeline": {"archived"},
    "job": {"artifacts_file", "status"},
    "approvals_free": set[str](),
}
_RECORDED = {
    "merge_request": "glab-cli/merge_request_real.json",
    "pipeline": "glab-cli/pipeline_detail_real.json",
    "job": "glab-cli/ci_get-1.json",
}


@needs_examples
@pytest.mark.parametrize("name", sorted(_RECORDED))
def test_no_key_of_a_recorded_answer_is_missing(answers: dict[str, Any], name: str) -> None:
    recorded = json.loads((EXAMPLES / _RECORDED[name]).read_text())
    recorded = recorded[0] if isinstance(recorded, list) else recorded
    assert set(recorded) - set(answers[name]) - _ELSEWHERE[name] == set()


_LISTED_BASIC = ("user", "head_pipeline", "pipeline", "diff_refs", "changes_count", "subscribed", "merge_error")


@pytest.mark.parametrize("key", _LISTED_BASIC)
def test_a_listed_merge_request_holds_less_than_a_read_one(answers: dict[str, Any], key: str) -> None:
    assert key in answers["merge_request"]
    assert key not in answers["merge_request_basic"]


def test_the_number_of_changes_is_a_text(answers: dict[str, Any]) -> None:
    assert answers["merge_request"]["changes_count"] == "2"
