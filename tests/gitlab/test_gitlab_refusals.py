"""What the client's functions make of single answers: reasons in words, rights, lost effects found, nothing doubled."""

import json
from typing import Any

import pytest

from bot.domain import AccessLevel, CannotError, Noteable, SafeText, UnreachableError
from bot.gitlab.answers import RefusedError
from bot.gitlab.client import GitLab
from bot.gitlab.merge_status import why_not_mergeable
from tests.world.wire import HUNG_UP, Asked, Wire, WireServer

ISSUE = Noteable(kind="issue", iid=1)
SHA, OTHER_SHA = "a" * 40, "b" * 40
OPENED: dict[str, Any] = {
    "iid": 3,
    "title": "Draft: Add CI",
    "state": "opened",
    "draft": True,
    "sha": SHA,
    "source_branch": "ci",
    "target_branch": "main",
    "detailed_merge_status": "mergeable",
    "web_url": "https://gitlab.test/team/app/-/merge_requests/3",
    "author": {"id": 99, "username": "pipewright"},
}
MERGED = OPENED | {"state": "merged", "merge_commit_sha": OTHER_SHA}


def wire(body: object, status: int = 200) -> Wire:
    return Wire(status, json.dumps(body))


def refusal(status: int, message: str = "x") -> Wire:
    return wire({"message": message}, status)


def methods(wires: WireServer) -> list[str]:
    return [asked.method for asked in wires.asked]


# --- merging ---


@pytest.mark.parametrize(
    ("status", "now", "reason"),
    [
        pytest.param(401, OPENED, "my account may not merge into `main`", id="401 is a right, not the token"),
        pytest.param(405, OPENED | {"detailed_merge_status": "draft_status"}, "`draft_status`", id="405"),
        pytest.param(406, OPENED | {"detailed_merge_status": "conflict"}, "`conflict`", id="406 of old versions"),
        pytest.param(409, OPENED | {"sha": OTHER_SHA}, "`aaaaaaaa` was approved, now it is `bbbbbbbb`", id="409"),
        pytest.param(422, OPENED, "could not merge the branch", id="422"),
        pytest.param(404, OPENED, "does not exist", id="404"),
    ],
)
def test_a_refused_merge_says_why(gitlab: GitLab, wires: WireServer, status: int, now: object, reason: str) -> None:
    wires.script = [refusal(status), wire(now)]
    with pytest.raises(CannotError) as cannot:
        gitlab.merge(7, 3, sha=SHA, when_pipeline_succeeds=False)
    assert reason in str(cannot.value)
    assert methods(wires) == ["PUT", "GET"]


@pytest.mark.parametrize("lost", [HUNG_UP, Wire(502), refusal(405)])
def test_what_was_merged_all_the_same_is_merged(gitlab: GitLab, wires: WireServer, lost: Wire) -> None:
    wires.script = [lost, wire(MERGED)]
    merged = gitlab.merge(7, 3, sha=SHA, when_pipeline_succeeds=False)
    assert (merged.state, merged.merged_sha) == ("merged", OTHER_SHA)


def test_another_commit_that_was_merged_is_not_the_approved_one(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [refusal(409), wire(MERGED | {"sha": OTHER_SHA})]
    with pytest.raises(CannotError, match="the head moved"):
        gitlab.merge(7, 3, sha=SHA, when_pipeline_succeeds=False)


def test_a_merge_whose_answer_is_lost_and_that_did_not_happen_may_still_happen(
    gitlab: GitLab, wires: WireServer
) -> None:
    wires.script = [HUNG_UP, wire(OPENED)]
    with pytest.raises(UnreachableError) as silent:
        gitlab.merge(7, 3, sha=SHA, when_pipeline_succeeds=False)
    assert silent.value.effect_possible
    assert methods(wires) == ["PUT", "GET"]


def test_a_merge_that_waits_for_its_pipeline_is_asked_for_in_both_names(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [wire(OPENED)]
    gitlab.merge(7, 3, sha=SHA, when_pipeline_succeeds=True)
    assert wires.asked[0].body == {"sha": SHA, "auto_merge": True, "merge_when_pipeline_succeeds": True}


def test_gitlab_is_asked_until_it_knows_whether_it_can_merge(
    gitlab: GitLab, wires: WireServer, waits: list[float]
) -> None:
    states = ("preparing", "unchecked", "checking", "approvals_syncing", "mergeable")
    wires.script = [wire(OPENED | {"detailed_merge_status": state}) for state in states]
    found = gitlab.settled_merge_request(7, 3, patience_seconds=60)
    assert (found.detailed_merge_status, len(waits)) == ("mergeable", 4)


def test_patience_ends_with_what_is_known(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [wire(OPENED | {"detailed_merge_status": "checking"})]
    assert gitlab.settled_merge_request(7, 3, patience_seconds=0).detailed_merge_status == "checking"


@pytest.mark.parametrize("refused", [refusal(401), refusal(405), refusal(406), HUNG_UP])
def test_a_merge_is_disarmed_unless_it_happened(gitlab: GitLab, wires: WireServer, refused: Wire) -> None:
    wires.script = [refused, wire(OPENED), refused, wire(MERGED)]
    assert gitlab.cancel_auto_merge(7, 3)
    assert not gitlab.cancel_auto_merge(7, 3)


@pytest.mark.parametrize(
    ("title", "ready"),
    [("Draft: Add CI", "Add CI"), ("[Draft] Add CI", "Add CI"), ("(draft) Add CI", "Add CI"), ("Add CI", "Add CI")],
)
def test_a_draft_is_made_ready_by_its_title(gitlab: GitLab, wires: WireServer, title: str, ready: str) -> None:
    wires.script = [wire(OPENED | {"title": title}), wire(OPENED)]
    gitlab.mark_ready(7, 3)
    assert wires.asked[1] == Asked("PUT", "/api/v4/projects/7/merge_requests/3", {"title": ready})


def test_approvals_are_read_with_who_gave_them(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [wire({"approved_by": [{"user": {"id": 5, "username": "ada"}, "approved_at": None}]}), wire({})]
    assert [given.person.username for given in gitlab.approvals_given(7, 3)] == ["ada"]
    assert gitlab.approvals_given(7, 3) == ()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"message": {"title": ["is too long", "is odd"], "base": ["No"]}}, "title is too long, is odd, No"),
        ({"message": ["Another one exists already: !5"]}, "Another one exists already: !5"),
        ({"error": "title is missing"}, "title is missing"),
        ({"errors": [{"message": "Variable $paths was provided invalid value"}]}, "Variable $paths was provided inv"),
    ],
)
def test_what_gitlab_says_in_lists_and_by_field_is_told_in_words(
    gitlab: GitLab, wires: WireServer, body: object, told: str
) -> None:
    wires.script = [wire(body, 422)]
    with pytest.raises(CannotError) as refused:
        gitlab.update_merge_request(7, 3, title="x")
    assert str(refused.value).startswith(f"GitLab refused (422: {told}")


# --- opening and committing ---


@pytest.mark.parametrize("lost", [HUNG_UP, Wire(502), refusal(409, "Another open merge request already exists: !3")])
def test_a_draft_that_is_there_is_not_opened_twice(gitlab: GitLab, wires: WireServer, lost: Wire) -> None:
    wires.script = [lost, wire([OPENED])]
    opened = gitlab.open_draft(7, source_branch="ci", target_branch="main", title="x", description=SafeText("y"))
    assert opened.iid == 3
    assert wires.asked[1].path == "/api/v4/projects/7/merge_requests?source_branch=ci&state=opened"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(HUNG_UP, UnreachableError, id="lost"),
        pytest.param(refusal(409), RefusedError, id="another's conflict"),
        pytest.param(refusal(422), RefusedError, id="refused"),
    ],
)
def test_a_draft_that_is_not_there_is_told(
    gitlab: GitLab, wires: WireServer, answer: Wire, error: type[Exception]
) -> None:
    wires.script = [answer, wire([])]
    with pytest.raises(error):
        gitlab.open_draft(7, source_branch="ci", target_branch="main", title="x", description=SafeText("y"))
    assert methods(wires).count("POST") == 1


@pytest.mark.parametrize("answer", [HUNG_UP, refusal(400, "Branch already exists")])
def test_a_branch_that_stands_at_the_commit_is_as_good(gitlab: GitLab, wires: WireServer, answer: Wire) -> None:
    wires.script = [answer, wire({"commit": {"id": SHA}})]
    gitlab.create_branch(7, "ci", SHA)
    assert methods(wires) == ["POST", "GET"]


@pytest.mark.parametrize("answer", [HUNG_UP, refusal(400, "Branch already exists")])
def test_a_branch_that_stands_elsewhere_is_not(gitlab: GitLab, wires: WireServer, answer: Wire) -> None:
    wires.script = [answer, wire({"commit": {"id": OTHER_SHA}})]
    with pytest.raises((RefusedError, UnreachableError)):
        gitlab.create_branch(7, "ci", SHA)


@pytest.mark.parametrize(("head", "is_ours"), [("Add CI\n", True), ("Something else", False)])
def test_a_commit_whose_answer_is_lost_is_known_by_its_message(
    gitlab: GitLab, wires: WireServer, head: str, is_ours: bool
) -> None:
    wires.script = [HUNG_UP, wire({"commit": {"id": SHA, "message": head}})]

    def commit() -> str:
        return gitlab.commit_files(7, branch="ci", message="Add CI", files={"a": "b"}, existing=()).sha

    if is_ours:
        assert commit() == SHA
    else:
        with pytest.raises(UnreachableError):
            commit()
    assert methods(wires) == ["POST", "GET"]


# --- notes ---


def test_an_answer_in_a_thread_goes_there_and_inherits_whether_it_is_internal(
    gitlab: GitLab, wires: WireServer
) -> None:
    wires.script = [wire({"id": 5}, 201)]
    assert gitlab.create_note(7, ISSUE, SafeText("Hi"), is_internal=True, discussion_id="d15c") == 5
    assert wires.asked == [Asked("POST", "/api/v4/projects/7/issues/1/discussions/d15c/notes", {"body": "Hi"})]


def test_a_note_is_found_again_though_gitlab_trimmed_it(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [HUNG_UP, wire([{"id": 5, "body": "Hi", "author": {"id": 99, "username": "pipewright"}}])]
    assert gitlab.create_note(7, ISSUE, SafeText("Hi\n"), is_internal=False) == 5


@pytest.mark.parametrize("lost", [HUNG_UP, Wire(502)])
def test_the_same_text_may_be_written_into_a_note_twice(gitlab: GitLab, wires: WireServer, lost: Wire) -> None:
    wires.script = [lost, wire({"id": 5})]
    assert gitlab.edit_note(7, ISSUE, 5, SafeText("Done"))
    assert wires.asked == [Asked("PUT", "/api/v4/projects/7/issues/1/notes/5", {"body": "Done"})] * 2


def test_a_note_somebody_deleted_cannot_be_edited_and_breaks_nothing(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [refusal(404, "404 Note Not Found"), refusal(403)]
    assert not gitlab.edit_note(7, ISSUE, 5, SafeText("Done"))
    with pytest.raises(RefusedError):
        gitlab.edit_note(7, ISSUE, 5, SafeText("Done"))


def test_a_reaction_that_stands_already_is_no_error_but_a_forbidden_one_is(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [refusal(404, "404 Award Emoji Name has already been taken Not Found"), refusal(403)]
    gitlab.react(7, ISSUE, 5, "eyes")
    with pytest.raises(RefusedError):
        gitlab.react(7, ISSUE, 5, "eyes")


# --- rights ---

MEMBER: dict[str, Any] = {"id": 5, "username": "ada", "state": "active", "membership_state": "active"}


@pytest.mark.parametrize(
    ("member", "level"),
    [
        pytest.param(MEMBER | {"access_level": 40}, AccessLevel.MAINTAINER, id="a member"),
        pytest.param(MEMBER | {"access_level": 40, "state": "blocked"}, AccessLevel.NONE, id="blocked"),
        pytest.param(MEMBER | {"access_level": 40, "membership_state": "awaiting"}, AccessLevel.NONE, id="not yet"),
        pytest.param(MEMBER | {"access_level": 40, "expires_at": "2020-01-01"}, AccessLevel.NONE, id="expired"),
        pytest.param(MEMBER | {"access_level": 40, "expires_at": "2999-01-01"}, AccessLevel.MAINTAINER, id="for long"),
        pytest.param(MEMBER | {"access_level": 45}, AccessLevel.MAINTAINER, id="a role newer than this program"),
    ],
)
def test_a_role_counts_while_the_membership_stands(
    gitlab: GitLab, wires: WireServer, member: object, level: AccessLevel
) -> None:
    wires.script = [wire(member)]
    assert gitlab.access_level(7, 5) == level


@pytest.mark.parametrize(
    ("rule", "may"),
    [
        pytest.param([{"access_level": 30}], True, id="developers"),
        pytest.param([{"access_level": 40}], False, id="maintainers"),
        pytest.param([{"access_level": 0}], False, id="no one"),
        pytest.param([], False, id="nobody named"),
        pytest.param([{"access_level": 40, "user_id": 5}], True, id="this person"),
        pytest.param([{"access_level": 40, "user_id": 6}], False, id="another person"),
        pytest.param([{"access_level": 30, "group_id": 9}], False, id="a group we cannot look into"),
        pytest.param([{"access_level": 0}, {"access_level": 30}], True, id="one of two"),
    ],
)
def test_a_developer_may_merge_when_the_rule_says_so(
    gitlab: GitLab, wires: WireServer, rule: object, may: bool
) -> None:
    rules = [{"name": "main", "merge_access_levels": [{"access_level": 30}]}]
    rules.append({"name": "release/1.0", "merge_access_levels": rule})
    wires.script = [wire(MEMBER | {"access_level": 30}), wire(rules)]
    assert gitlab.may_merge(7, 5, "release/1.0") is may
    assert wires.asked[1].path.partition("?")[0] == "/api/v4/projects/7/protected_branches"


@pytest.mark.parametrize(
    ("names", "branch", "may"),
    [
        pytest.param(["*"], "main", True, id="any"),
        pytest.param(["release/*"], "release/1.0/fix", True, id="slashes too"),
        pytest.param(["*-stable"], "1-0-stable", True, id="at its start"),
        pytest.param(["re*se/*.0"], "release/1.0", True, id="two stars"),
        pytest.param(["main", "ma*"], "main", True, id="one of two that cover it"),
        pytest.param(["Main"], "main", False, id="another case"),
        pytest.param(["m.in"], "main", False, id="no pattern but the star"),
    ],
)
def test_a_rule_with_a_star_counts_as_gitlab_reads_it(
    gitlab: GitLab, wires: WireServer, names: list[str], branch: str, may: bool
) -> None:
    only_ada = {"merge_access_levels": [{"access_level": 40, "user_id": 5}]}
    nobody = {"name": "main", "merge_access_levels": [{"access_level": 0}]}
    rules = [nobody, *({"name": name} | only_ada for name in names)]
    wires.script = [wire(MEMBER | {"access_level": 30}), wire(rules), wire({"protected": True})]
    assert gitlab.may_merge(7, 5, branch) is may


def test_the_rule_that_counts_may_stand_on_a_later_page(gitlab: GitLab, wires: WireServer) -> None:
    first = [{"name": f"r{n}", "merge_access_levels": []} for n in range(100)]
    last = [{"name": "main", "merge_access_levels": [{"access_level": 30}]}]
    wires.script = [wire(MEMBER | {"access_level": 30}), wire(first), wire(last)]
    assert gitlab.may_merge(7, 5, "main")


@pytest.mark.parametrize(
    ("branch", "may"),
    [
        ({"protected": False}, True),
        ({"protected": True}, False),
        ({"protected": True, "developers_can_merge": True}, True),
    ],
)
def test_a_branch_without_a_rule_of_its_project_says_itself_whether_developers_may_merge(
    gitlab: GitLab, wires: WireServer, branch: object, may: bool
) -> None:
    wires.script = [wire(MEMBER | {"access_level": 30}), wire([]), wire(branch)]
    assert gitlab.may_merge(7, 5, "stable") is may


@pytest.mark.parametrize(("level", "may"), [(30, False), (40, True)])
def test_a_rule_that_is_not_shown_counts_as_the_usual_one(
    gitlab: GitLab, wires: WireServer, level: int, may: bool
) -> None:
    wires.script = [wire(MEMBER | {"access_level": level}), refusal(403)]
    assert gitlab.may_merge(7, 5, "main") is may


@pytest.mark.parametrize(
    ("account", "is_bot"),
    [
        ({"username": "ada"}, False),
        ({"username": "ada", "bot": True}, True),
        ({"username": "project_7_bot_4ffca233d8298ea1"}, True),
        ({"username": "service_account_x"}, True),
        ({"username": "my_project_7_bot"}, False),
    ],
)
def test_bots_are_known_by_their_mark_or_name(
    gitlab: GitLab, wires: WireServer, account: dict[str, object], is_bot: bool
) -> None:
    wires.script = [wire({"id": 5, **account})]
    assert gitlab.is_bot(5) is is_bot


# --- many files ---


def blobs(*nodes: tuple[str, str | None]) -> Wire:
    rows = [{"path": path, "rawTextBlob": text, "size": 1} for path, text in nodes]
    return wire({"data": {"project": {"repository": {"blobs": {"nodes": rows}}}}})


TOO_LARGE = wire({"errors": [{"message": "Max blobs size limit exceeded (21 / 20 MiB)."}]})


def test_more_than_a_hundred_files_take_as_many_calls_as_needed(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [blobs(("p0", "a")), blobs(("p100", "b"))]
    assert gitlab.texts("team/app", "main", [f"p{number}" for number in range(150)]) == {"p0": "a", "p100": "b"}
    assert [len(asked.body["variables"]["paths"]) for asked in wires.asked] == [100, 50]


def test_files_too_large_together_are_read_in_halves_and_one_too_large_alone_is_left_out(
    gitlab: GitLab, wires: WireServer
) -> None:
    wires.script = [TOO_LARGE, blobs(("a", "A"), ("b", "B")), TOO_LARGE, TOO_LARGE, blobs(("d", "D"))]
    assert gitlab.texts("team/app", "main", ["a", "b", "c", "d"]) == {"a": "A", "b": "B", "d": "D"}
    asked = [asked.body["variables"]["paths"] for asked in wires.asked]
    assert asked == [["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]


def test_what_is_no_text_is_left_out(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [blobs(("logo.png", "\x89PNG\x00"), ("empty", ""), ("binary", None), ("huge", "x" * 1_000_001))]
    assert gitlab.texts("team/app", "main", ["logo.png", "empty", "binary", "huge"]) == {"empty": ""}


def test_another_error_of_graphql_is_silence(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [wire({"errors": [{"message": "Internal server error"}]})]
    with pytest.raises(UnreachableError, match="Internal server error"):
        gitlab.texts("team/app", "main", ["a"])


@pytest.mark.parametrize(
    "data", [{"data": None}, {"data": {"project": None}}, {"data": {"project": {"repository": None}}}]
)
def test_a_repository_that_is_not_shown_has_no_texts(gitlab: GitLab, wires: WireServer, data: object) -> None:
    wires.script = [wire(data)]
    assert gitlab.texts("team/app", "main", ["a"]) == {}


def test_a_single_file_that_is_no_text_is_none(gitlab: GitLab, wires: WireServer) -> None:
    wires.script = [Wire(body="x" * 1_000_001), Wire(body="text")]
    assert gitlab.read_file(7, "main", "huge.txt") is None
    assert gitlab.read_file(7, "main", "a b/ü.txt") == "text"
    assert wires.asked[1].path == "/api/v4/projects/7/repository/files/a%20b%2F%C3%BC.txt/raw?ref=main"


# --- webhooks ---


def test_secrets_are_set_when_there_are_any(gitlab: GitLab, wires: WireServer) -> None:
    hook = {"id": 1, "url": "https://bot.test/hook", "signing_token_present": True, "note_events": True}
    wires.script = [wire([]), wire(hook, 201)]
    installed = gitlab.install_hook("team/app", "https://bot.test/hook", secret="s", signing_token="whsec_x")
    assert (installed.has_signing_token, installed.events) == (True, ("note_events",))
    assert (wires.asked[1].body["token"], wires.asked[1].body["signing_token"]) == ("s", "whsec_x")
    assert wires.asked[1].body["push_events"] is False


def test_every_status_that_hinders_a_merge_is_told_in_words() -> None:
    words = {status: why_not_mergeable(status) for status in HINDERING}
    assert all(f"(`{status}`)" in said for status, said in words.items())
    assert why_not_mergeable("brand_new") == "it says `brand_new`."


# All but `mergeable` and the transient ones (docs.gitlab.com/api/merge_requests, merge status).
HINDERING = (
    "ci_must_pass ci_still_running commits_status conflict discussions_not_resolved draft_status"
    " jira_association_missing locked_lfs_files locked_paths merge_request_blocked merge_time need_rebase not_approved"
    " not_open requested_changes security_policy_pipeline_check security_policy_violations status_checks_must_pass"
    " title_regex"
).split()


def test_a_merge_request_is_changed_in_what_is_ours_only(gitlab: GitLab, wires: WireServer) -> None:
    """Labels, assignees and reviewers are never sent, so nobody's are ever lost."""
    wires.script = [wire(OPENED)]
    gitlab.update_merge_request(7, 1, description=SafeText("Why"))
    assert [asked.body for asked in wires.asked] == [{"description": "Why"}]
