"""The life of a merge request: prepared, checked, approved, refused in GitLab's order, merged."""

from typing import Any

import httpx
import pytest

from bot.sandbox.state import MergeRequest
from tests.sandbox.conftest import CI, Place


def path(request: MergeRequest) -> str:
    return f"/merge_requests/{request.iid}"


def merge(place: Place, request: MergeRequest, who: str = "max", **body: Any) -> httpx.Response:
    return place.as_(who).put(path(request) + "/merge", **body)


def head(place: Place, branch: str = "topic") -> str:
    return str(place.api.get(f"/repository/branches/{branch}").json()["commit"]["id"])


# --- opening ---


def test_it_is_prepared_and_checked_before_it_can_be_merged(place: Place) -> None:
    place.push("topic", "x", "x")
    made = place.api.post("/merge_requests", source_branch="topic", target_branch="main", title="It").json()
    states = [made["detailed_merge_status"]]
    for _ in range(4):
        states.append(place.api.get(f"/merge_requests/{made['iid']}").json()["detailed_merge_status"])
    assert states == ["preparing", "preparing", "checking", "mergeable", "mergeable"]


def test_while_it_is_checked_it_is_not_merged(place: Place) -> None:
    request = place.open()
    request.unsettled_reads = 2
    answer = merge(place, request)
    assert (answer.status_code, answer.json()) == (422, {"message": "Branch cannot be merged"})


def test_a_push_starts_the_checks_again(place: Place) -> None:
    request = place.open()
    place.push("topic", "more", "x")
    assert place.api.get(path(request)).json()["detailed_merge_status"] == "preparing"


def test_it_lists_the_heads_it_has_had_newest_first(place: Place) -> None:
    request = place.open()
    first = head(place)
    place.push("topic", "more", "x")
    rows = place.api.get(path(request) + "/versions").json()
    assert [row["head_commit_sha"] for row in rows] == [head(place), first]


@pytest.mark.parametrize("title", ["Draft: it", "draft: it", "[Draft] it", "(Draft) it", "DRAFT:it"])
def test_the_title_alone_makes_a_draft(place: Place, title: str) -> None:
    shown = place.api.get(path(place.open(title=title))).json()
    assert (shown["draft"], shown["work_in_progress"], shown["detailed_merge_status"]) == (True, True, "draft_status")


@pytest.mark.parametrize("title", ["It", "Drafting it", "it (Draft)"])
def test_other_titles_make_none_and_there_is_no_parameter_for_it(place: Place, title: str) -> None:
    assert place.api.get(path(place.open(title=title, draft=True))).json()["draft"] is False


def test_a_second_one_for_a_branch_is_a_conflict(place: Place) -> None:
    request = place.open()
    answer = place.api.post("/merge_requests", source_branch="topic", target_branch="main", title="Again")
    text = f"Another open merge request already exists for this source branch: !{request.iid}"
    assert (answer.status_code, answer.json()) == (409, {"message": [text]})
    place.api.put(path(request), state_event="close")
    again = place.api.post("/merge_requests", source_branch="topic", target_branch="main", title="Again")
    assert again.status_code == 201
    reopened = place.api.put(path(request), state_event="reopen")
    text = f"Another open merge request already exists for this source branch: !{again.json()['iid']}"
    assert (reopened.status_code, reopened.json(), request.state) == (409, {"message": [text]}, "closed")


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        ({}, 400, {"error": "title is missing, source_branch is missing, target_branch is missing"}),
        ({"title": "x", "source_branch": "main"}, 400, {"error": "target_branch is missing"}),
        (
            {"title": "x", "source_branch": "main", "target_branch": "main"},
            422,
            {"message": ["You can't use same project/branch for source and target"]},
        ),
    ],
)
def test_what_does_not_fit_is_refused(place: Place, body: dict[str, str], status: int, answer: Any) -> None:
    refused = place.api.post("/merge_requests", **body)
    assert (refused.status_code, refused.json()) == (status, answer)


def test_a_reporter_opens_none(place: Place) -> None:
    place.push("topic", "x", "x")
    body = {"source_branch": "topic", "target_branch": "main", "title": "x"}
    assert place.as_("rob").post("/merge_requests", **body).status_code == 403


def test_a_change_needs_something_to_change(place: Place) -> None:
    answer = place.api.put(path(place.open()))
    assert (answer.status_code, "at least one parameter" in answer.json()["error"]) == (400, True)


# --- the ladder of refusals ---


def refused(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["message"]


NOT_ALLOWED = (405, "405 Method Not Allowed")


@pytest.mark.parametrize("who", ["mia", "rob", "gina"])
def test_first_the_right_to_merge_is_looked_at(place: Place, who: str) -> None:
    place.project.visibility = "internal"
    request = place.open(title="Draft: it")
    assert refused(merge(place, request, who, sha="0" * 40)) == (401, "401 Unauthorized")


def test_a_draft_is_not_merged_whatever_the_sha(place: Place) -> None:
    assert refused(merge(place, place.open(title="Draft: it"), sha="0" * 40)) == NOT_ALLOWED


def test_a_closed_one_is_not_merged(place: Place) -> None:
    request = place.open()
    place.api.put(path(request), state_event="close")
    assert refused(merge(place, request)) == NOT_ALLOWED
    assert place.api.get(path(request)).json()["detailed_merge_status"] == "not_open"


def test_conflicts_are_not_merged(place: Place) -> None:
    request = place.open()
    place.push("main", "topic.txt", "other\n")
    assert place.api.get(path(request)).json()["detailed_merge_status"] == "conflict"
    assert refused(merge(place, request)) == NOT_ALLOWED


def test_nothing_is_not_merged(place: Place) -> None:
    place.api.post("/repository/branches", branch="empty", ref="main")
    body = {"source_branch": "empty", "target_branch": "main", "title": "x"}
    request = place.settled(place.api.post("/merge_requests", **body).json()["iid"])
    shown = place.api.get(path(request)).json()
    assert (shown["detailed_merge_status"], shown["changes_count"]) == ("commits_status", None)
    assert refused(merge(place, request)) == NOT_ALLOWED


def test_another_sha_than_the_head_is_a_conflict(place: Place) -> None:
    request = place.open()
    old = head(place)
    place.push("topic", "more", "x")
    place.settled(request.iid)
    status, text = refused(merge(place, request, sha=old))
    assert (status, text) == (409, f"SHA does not match HEAD of source branch: {head(place)}")


def test_the_right_sha_is_merged_once(place: Place) -> None:
    request = place.open(remove_source_branch=True)
    sha = head(place)
    answer = merge(place, request, sha=sha)
    assert (answer.status_code, answer.json()["state"], answer.json()["sha"]) == (200, "merged", sha)
    assert answer.json()["merge_commit_sha"] == head(place, "main")
    assert answer.json()["merged_by"]["username"] == place.people["max"].username
    assert answer.json()["changes_count"] == "1"
    assert place.api.get("/repository/branches/topic").status_code == 404
    assert refused(merge(place, request)) == NOT_ALLOWED


def test_a_fast_forward_has_no_merge_commit(place: Place) -> None:
    place.project.merge_method = "ff"
    request = place.open()
    answer = merge(place, request).json()
    assert (answer["state"], answer["merge_commit_sha"], answer["changes_count"]) == ("merged", None, "1")
    assert head(place, "main") == answer["sha"]


def test_what_does_not_stand_on_the_target_is_not_forwarded(place: Place) -> None:
    place.project.merge_method = "ff"
    request = place.open()
    place.push("main", "other.txt", "x")
    assert place.api.get(path(request)).json()["detailed_merge_status"] == "need_rebase"
    assert refused(merge(place, request)) == NOT_ALLOWED


def test_the_head_may_be_named_in_the_query(place: Place) -> None:
    request = place.open()
    answer = place.api.call("PUT", path(request) + "/merge", sha=head(place), squash="True")
    assert answer.json()["state"] == "merged"


# --- merging when the pipeline passes ---


@pytest.fixture
def piped(place: Place) -> Place:
    """A project whose merge requests have pipelines, whose jobs do not end until told to."""
    place.push("main", ".gitlab-ci.yml", "workflow: {rules: [{when: always}]}\n" + CI)
    assert place.sandbox.wait_idle()
    return place


def test_without_a_pipeline_nothing_can_be_waited_for(place: Place) -> None:
    assert refused(merge(place, place.open(), auto_merge=True)) == NOT_ALLOWED


@pytest.mark.parametrize("name", ["auto_merge", "merge_when_pipeline_succeeds"])
def test_it_merges_by_itself_when_the_pipeline_passes(piped: Place, name: str) -> None:
    piped.world.jobs_may_end.clear()
    try:
        request = piped.open()
        answer = merge(piped, request, sha=head(piped), **{name: True})
        shown = answer.json()["state"], answer.json()["merge_when_pipeline_succeeds"]
        assert (answer.status_code, shown) == (200, ("opened", True))
    finally:
        piped.world.jobs_may_end.set()
    assert piped.sandbox.wait_until(lambda: request.state == "merged")


@pytest.mark.parametrize("version", ["17.6.0", "17.7.0"])
def test_since_17_7_an_armed_merge_waits_for_approvals_too(
    piped: Place, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piped.world, "version", version)
    piped.project.approvals_needed = 1
    request = piped.open()
    assert piped.sandbox.wait_idle()
    answer = merge(piped, request, auto_merge=True, merge_when_pipeline_succeeds=True)
    if version == "17.6.0":
        assert refused(answer) == NOT_ALLOWED
        return
    shown = answer.json()
    assert (shown["merge_when_pipeline_succeeds"], shown["detailed_merge_status"]) == (True, "not_approved")
    assert refused(merge(piped, request)) == NOT_ALLOWED, "at once it is not merged"
    piped.api.post(path(request) + "/approve")
    assert request.state == "merged"


def test_an_armed_merge_waits_until_the_draft_is_ready(piped: Place) -> None:
    request = piped.open(title="Draft: it")
    assert piped.sandbox.wait_idle()
    assert merge(piped, request, auto_merge=True).json()["merge_when_pipeline_succeeds"] is True
    piped.api.put(path(request), title="It")
    assert request.state == "merged"


def test_a_push_disarms_the_merge(piped: Place) -> None:
    piped.world.jobs_may_end.clear()
    try:
        request = piped.open()
        merge(piped, request, auto_merge=True)
        piped.push("topic", "more", "x")
        assert piped.api.get(path(request)).json()["merge_when_pipeline_succeeds"] is False
        answer = piped.api.post(path(request) + "/cancel_merge_when_pipeline_succeeds")
        told = {"status": "error", "message": "Can't cancel the automatic merge", "http_status": 406}
        assert (answer.status_code, answer.json()) == (201, told), "the service's failure comes with a good status"
    finally:
        piped.world.jobs_may_end.set()
    assert piped.sandbox.wait_idle()
    assert request.state == "opened"


@pytest.mark.parametrize(("who", "status"), [("rob", 401), ("mia", 201), ("max", 201)])
def test_a_merge_is_disarmed_by_its_author_and_by_who_may_merge(piped: Place, who: str, status: int) -> None:
    request = piped.open()
    assert piped.sandbox.wait_idle()
    request.auto_merge_by = piped.people["max"]
    answer = piped.as_(who).post(path(request) + "/cancel_merge_when_pipeline_succeeds")
    assert (answer.status_code, request.auto_merge_by is None) == (status, status == 201)


@pytest.mark.parametrize("status", ["waiting_for_resource", "preparing", "waiting_for_callback"])
def test_a_pipeline_that_waits_for_something_can_be_waited_for(piped: Place, status: str) -> None:
    request = piped.open()
    assert piped.sandbox.wait_idle()
    piped.project.pipelines[-1].status = status
    assert merge(piped, request, auto_merge=True).json()["merge_when_pipeline_succeeds"] is True


def test_a_failed_pipeline_is_not_waited_for(piped: Place) -> None:
    piped.push("red", ".gitlab-ci.yml", CI.replace("echo ok", "exit 1"))
    request = piped.open("red")
    assert piped.sandbox.wait_idle()
    assert piped.api.get(path(request)).json()["head_pipeline"]["status"] == "failed"
    assert refused(merge(piped, request, auto_merge=True)) == NOT_ALLOWED


def test_until_a_pipeline_is_made_for_a_new_commit_that_of_the_old_one_is_shown(piped: Place) -> None:
    piped.project.only_merge_when_green = True
    request = piped.open()
    assert piped.sandbox.wait_idle()
    before = piped.api.get(path(request)).json()
    assert before["head_pipeline"]["sha"] == before["sha"]
    piped.world.makes_pipelines = False
    piped.push("topic", "more", "x")
    piped.world.makes_pipelines = True
    request.unsettled_reads = 0
    after = piped.api.get(path(request)).json()
    assert after["sha"] != before["sha"]
    assert after["head_pipeline"] == before["head_pipeline"]
    assert after["detailed_merge_status"] == "ci_must_pass", "GitLab itself looks at the commit"


def test_a_pipeline_of_merged_results_runs_on_the_merge_and_counts_for_the_head(piped: Place) -> None:
    piped.project.has_merged_results = piped.project.only_merge_when_green = True
    request = piped.open()
    assert piped.sandbox.wait_idle()
    shown = piped.api.get(path(request)).json()
    run, parents = shown["head_pipeline"], [head(piped, "main"), shown["sha"]]
    assert (run["status"], run["ref"]) == ("success", f"refs/merge-requests/{request.iid}/merge")
    assert piped.api.get(f"/repository/commits/{run['sha']}").json()["parent_ids"] == parents
    assert run["id"] not in [one["id"] for one in piped.api.get("/pipelines", sha=shown["sha"]).json()]
    assert run["id"] in [one["id"] for one in piped.api.get(path(request) + "/pipelines").json()]
    assert merge(piped, request).json()["state"] == "merged"


def test_where_the_merge_would_conflict_the_pipeline_runs_on_the_head(piped: Place) -> None:
    piped.project.has_merged_results = True
    piped.push("topic", "README.md", "theirs\n")
    piped.push("main", "README.md", "ours\n")
    request = piped.open()
    assert piped.sandbox.wait_idle()
    assert piped.api.get(path(request)).json()["head_pipeline"]["sha"] == head(piped)


@pytest.mark.parametrize(("script", "status"), [("exit 1", "ci_must_pass"), ("echo ok", "mergeable")])
def test_where_pipelines_must_succeed_only_green_is_merged(piped: Place, script: str, status: str) -> None:
    piped.project.only_merge_when_green = True
    piped.push("topic", ".gitlab-ci.yml", CI.replace("echo ok", script))
    request = piped.open()
    assert piped.sandbox.wait_idle()
    assert piped.api.get(path(request)).json()["detailed_merge_status"] == status
    assert merge(piped, request).status_code == (405 if status == "ci_must_pass" else 200)


@pytest.mark.parametrize("status", ["manual", "canceling", "running"])
def test_where_pipelines_must_succeed_one_that_waits_for_a_hand_is_under_way(piped: Place, status: str) -> None:
    piped.project.only_merge_when_green = True
    request = piped.open()
    assert piped.sandbox.wait_idle()
    piped.project.pipelines[-1].status = status
    assert piped.api.get(path(request)).json()["detailed_merge_status"] == "ci_still_running"
    assert refused(merge(piped, request)) == NOT_ALLOWED


# --- approvals ---


def test_approving_twice_is_unauthorized(place: Place) -> None:
    request = place.open()
    first = place.api.post(path(request) + "/approve", sha=head(place))
    assert (first.status_code, first.json()["approved"], first.json()["user_has_approved"]) == (201, True, True)
    assert refused(place.api.post(path(request) + "/approve")) == (401, "401 Unauthorized")


def test_taking_back_what_was_never_given_is_not_found(place: Place) -> None:
    request = place.open()
    assert place.api.post(path(request) + "/unapprove").status_code == 404
    place.api.post(path(request) + "/approve")
    assert place.api.post(path(request) + "/unapprove").json()["approved_by"] == []


def test_an_approval_of_another_commit_is_a_conflict(place: Place) -> None:
    assert place.api.post(path(place.open()) + "/approve", sha="0" * 40).status_code == 409


def test_a_guest_sees_no_merge_request_of_a_private_project(place: Place) -> None:
    assert place.as_("gina").get(path(place.open())).status_code == 404


@pytest.mark.parametrize("who", ["rob", "gina"])
def test_approving_needs_a_developer(place: Place, who: str) -> None:
    place.project.visibility = "internal"
    request = place.open()
    assert place.as_(who).get(path(request) + "/approvals").json()["user_can_approve"] is False
    assert place.as_(who).post(path(request) + "/approve", sha="0" * 40).status_code == 403


def test_a_developer_approves_and_still_may_not_merge(place: Place) -> None:
    request = place.open()
    assert place.as_("mia").post(path(request) + "/approve").status_code == 201
    assert place.as_("mia").get(path(request)).json()["user"] == {"can_merge": False}
    assert merge(place, request, "mia").status_code == 401


def test_approvals_do_not_hold_up_a_merge_in_the_free_edition(place: Place) -> None:
    assert merge(place, place.open()).status_code == 200
