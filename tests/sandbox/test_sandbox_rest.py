"""The stand-in's manners: addresses, parameters, pages, refusals, and who may do what."""

import json
import logging
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.sandbox.conftest import CI, Place

# --- addresses and parameters ---


def encoded(place: Place) -> str:
    return place.project.path.replace("/", "%2F")


def test_a_project_is_found_by_its_encoded_path(place: Place) -> None:
    assert place.api.get(f"//projects/{encoded(place)}").json()["id"] == place.project.id


def test_a_path_with_bare_slashes_is_no_route(place: Place) -> None:
    assert place.api.get(f"//projects/{place.project.path}").status_code == 404


def test_files_and_branches_with_slashes_are_found_encoded_only(place: Place) -> None:
    place.push("feature/x", "src/deep/new.py", "1\n")
    assert place.api.get("/repository/branches/feature%2Fx").json()["name"] == "feature/x"
    assert place.api.get("/repository/branches/feature/x").status_code == 404
    assert place.api.get("/repository/files/src%2Fapp.py/raw", ref="main").text == "print(1)\n"
    assert place.api.get("/repository/files/src/app.py/raw", ref="main").status_code == 404


@pytest.mark.parametrize("yes", ["True", "true", "1"])
def test_parameters_count_in_the_query_and_in_the_body(place: Place, yes: str) -> None:
    rows = place.api.get("/repository/tree", recursive=yes).json()
    assert [row["path"] for row in rows] == ["README.md", "src", "src/app.py"]
    note = place.api.call("POST", "/issues", title="From the query")
    assert note.json()["title"] == "From the query"


def test_a_null_is_no_yes(place: Place) -> None:
    issue = place.api.post("/issues", title="Open", confidential=None).json()
    assert issue["confidential"] is False


def test_an_unknown_route_is_not_found_and_loudly_logged(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="sandbox"):
        answer = place.api.get("/wikis")
    assert (answer.status_code, answer.json()) == (404, {"error": "404 Not Found"})
    assert f"GET /projects/{place.project.id}/wikis" in caplog.text
    assert place.world.unknown_routes[-1] == f"GET /projects/{place.project.id}/wikis"


def test_an_unknown_graphql_query_is_an_error_and_logged(place: Place) -> None:
    answer = place.api.post("//graphql", query="{ currentUser { name } }")
    assert answer.status_code == 404, "GraphQL lives beside the REST API, not in it"
    address = place.sandbox.url + "/api/graphql"
    token = next(value for value, token in place.world.tokens.items() if token.user is place.people["max"])
    answer = httpx.post(
        address, json={"query": "{ currentUser { name } }"}, headers={"PRIVATE-TOKEN": token}, timeout=60
    )
    assert (answer.status_code, list(answer.json())) == (200, ["errors"])
    assert place.world.unknown_routes[-1].startswith("GraphQL")


def test_graphql_refuses_in_a_form_of_its_own(place: Place) -> None:
    answer = httpx.post(
        place.sandbox.url + "/api/graphql", json={"query": "{}"}, headers={"PRIVATE-TOKEN": "wrong"}, timeout=60
    )
    assert (answer.status_code, answer.json()) == (401, {"errors": [{"message": "Invalid token"}]})


def test_a_method_nobody_answers_is_not_allowed(place: Place) -> None:
    assert place.api.delete("/issues").status_code == 405


def test_a_body_that_is_no_json_is_refused(place: Place) -> None:
    url = f"{place.sandbox.url}/api/v4/projects/{place.project.id}/issues"
    assert httpx.post(url, content=b"{no", headers={"Content-Type": "application/json"}, timeout=60).status_code == 400


# --- tokens ---


def token_of(place: Place, name: str) -> str:
    return next(value for value, token in place.world.tokens.items() if token.user is place.people[name])


@pytest.mark.parametrize("headers", [{}, {"PRIVATE-TOKEN": "wrong"}, {"Authorization": "Bearer wrong"}])
def test_without_a_known_token_one_is_unauthorized(place: Place, headers: dict[str, str]) -> None:
    answer = httpx.get(place.sandbox.url + "/api/v4/user", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()) == (401, {"message": "401 Unauthorized"})


def test_a_token_counts_as_bearer_too(place: Place) -> None:
    headers = {"Authorization": f"Bearer {token_of(place, 'mia')}"}
    answer = httpx.get(place.sandbox.url + "/api/v4/user", headers=headers, timeout=60)
    assert answer.json()["username"] == place.people["mia"].username


def test_the_token_of_a_blocked_account_is_dead(place: Place) -> None:
    place.people["mia"].state = "blocked"
    answer = place.as_("mia").get("//user")
    assert (answer.status_code, answer.json()) == (403, {"message": "403 Forbidden - Your account has been blocked."})


def test_an_external_account_sees_no_internal_project_and_an_administrator_sees_every_one(place: Place) -> None:
    place.project.visibility = "internal"
    del place.project.members[place.people["gina"].id]
    assert place.as_("gina").get("").status_code == 200
    place.people["gina"].is_external = True
    assert place.as_("gina").get("").status_code == 404
    place.people["gina"].is_admin = True
    assert place.as_("gina").get("").status_code == 200


@pytest.mark.parametrize(
    ("scopes", "method", "status"),
    [
        (("read_api",), "GET", 200),
        (("read_api",), "POST", 403),
        (("read_user",), "GET", 403),
        (("api",), "POST", 201),
    ],
)
def test_a_token_reaches_as_far_as_its_scopes(place: Place, scopes: tuple[str, ...], method: str, status: int) -> None:
    place.world.tokens[token_of(place, "max")].scopes = scopes
    path = "/issues" if method == "POST" else ""
    answer = place.api.call(method, path, {"title": "x"} if method == "POST" else None)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["error"] == "insufficient_scope"


# --- pages ---


def test_twenty_rows_a_page_and_headers_that_lead_on(place: Place, issue: str) -> None:
    for number in range(45):
        place.api.post(issue + "/notes", body=str(number))
    first = place.api.get(issue + "/notes", sort="asc")
    assert [row["body"] for row in first.json()] == [str(number) for number in range(20)]
    shown = {name: first.headers[name] for name in ("x-page", "x-per-page", "x-next-page", "x-prev-page")}
    assert shown == {"x-page": "1", "x-per-page": "20", "x-next-page": "2", "x-prev-page": ""}
    assert (first.headers["x-total"], first.headers["x-total-pages"]) == ("45", "3")
    assert set(first.links) == {"next", "first", "last"}
    assert first.links["next"]["url"].startswith(place.sandbox.url + "/api/v4/projects/")
    assert "sort=asc" in first.links["next"]["url"]


def test_following_the_links_gives_every_row_once(place: Place, issue: str) -> None:
    for number in range(45):
        place.api.post(issue + "/notes", body=str(number))
    answer, seen = place.api.get(issue + "/notes", per_page=10), []
    while True:
        seen += [row["body"] for row in answer.json()]
        if "next" not in answer.links:
            break
        answer = httpx.get(answer.links["next"]["url"], headers={"PRIVATE-TOKEN": token_of(place, "max")}, timeout=60)
    assert seen == [str(number) for number in reversed(range(45))]
    assert set(answer.links) == {"prev", "first", "last"}


def test_never_more_than_a_hundred_rows(place: Place) -> None:
    files = {f"f{number:03}": "x" for number in range(120)}
    actions = [{"action": "create", "file_path": path, "content": text} for path, text in files.items()]
    place.api.post("/repository/commits", branch="main", commit_message="Many", actions=actions)
    answer = place.api.get("/repository/tree", per_page=500)
    assert (len(answer.json()), answer.headers["x-per-page"]) == (100, "100")


@pytest.mark.parametrize("query", [{"per_page": "many"}, {"per_page": "-1"}, {"page": "x"}])
def test_a_page_that_is_no_number_is_refused(place: Place, query: dict[str, str]) -> None:
    answer = place.api.get("/repository/tree", **query)
    assert (answer.status_code, list(answer.json())) == (400, ["error"])


def test_above_ten_thousand_rows_nothing_is_counted(place: Place) -> None:
    actions = [{"action": "create", "file_path": f"{number}", "content": "x"} for number in range(10_001)]
    place.api.post("/repository/commits", branch="main", commit_message="Many", actions=actions)
    answer = place.api.get("/repository/tree")
    assert not {"x-total", "x-total-pages"} & set(answer.headers)
    assert set(answer.links) == {"next", "first"}


# --- trees and files ---


def test_a_whole_tree_at_once_only_when_recursive(place: Place) -> None:
    place.push("main", "a/b/c.txt", "x")
    whole = place.api.get("/repository/tree", pagination="none", recursive=True)
    assert [row["path"] for row in whole.json()] == ["README.md", "a", "a/b", "a/b/c.txt", "src", "src/app.py"]
    assert "x-total" not in whole.headers
    assert place.api.get("/repository/tree", pagination="none").status_code == 400


def test_a_tree_by_keys_leads_on_by_link_alone(place: Place) -> None:
    answer = place.api.get("/repository/tree", pagination="keyset", recursive=True, per_page=2)
    assert [row["path"] for row in answer.json()] == ["README.md", "src"]
    assert (set(answer.links), "x-total" in answer.headers) == ({"next"}, False)
    last = httpx.get(answer.links["next"]["url"], headers={"PRIVATE-TOKEN": token_of(place, "max")}, timeout=60)
    assert ([row["path"] for row in last.json()], last.links) == (["src/app.py"], {})


@pytest.mark.parametrize(
    ("path", "query", "text"),
    [
        ("/repository/tree", {"ref": "nowhere"}, "404 Tree Not Found"),
        ("/repository/tree", {"path": "nowhere"}, "404 Tree Not Found"),
        ("/repository/files/nowhere", {"ref": "main"}, "404 File Not Found"),
        ("/repository/branches/nowhere", {}, "404 Branch Not Found"),
        ("/pipelines/1", {}, "404 Pipeline Not Found"),
        ("/issues/99", {}, "404 Not found"),
        ("/merge_requests/99", {}, "404 Not found"),
    ],
)
def test_what_is_not_there_is_not_found(place: Place, path: str, query: dict[str, str], text: str) -> None:
    answer = place.api.get(path, **query)
    assert (answer.status_code, answer.json()) == (404, {"message": text})


def test_a_file_wants_its_ref(place: Place) -> None:
    answer = place.api.get("/repository/files/README.md")
    assert (answer.status_code, answer.json()) == (400, {"error": "ref is missing"})


# --- who may do what ---

NO_STRANGER = [
    ("GET", "", None),
    ("GET", "/issues/1", None),
    ("GET", "/repository/tree", None),
    ("POST", "/issues", {"title": "x"}),
]


@pytest.mark.parametrize(("method", "path", "body"), NO_STRANGER)
def test_a_private_project_does_not_exist_for_strangers(place: Place, method: str, path: str, body: Any) -> None:
    answer = place.as_("sam").call(method, path, body)
    assert (answer.status_code, answer.json()) == (404, {"message": "404 Project Not Found"})


COMMIT = {
    "branch": "topic",
    "start_branch": "main",
    "commit_message": "x",
    "actions": [{"action": "create", "file_path": "x", "content": "x"}],
}
# method, path, body, who is refused with 403, who is let in
FORBIDDEN = {
    "read code": ("GET", "/repository/tree", None, "gina", "rob"),
    "read a file": ("GET", "/repository/files/README.md?ref=main", None, "gina", "rob"),
    "read a branch": ("GET", "/repository/branches/main", None, "gina", "rob"),
    "make a branch": ("POST", "/repository/branches", {"branch": "b", "ref": "main"}, "rob", "mia"),
    "commit on a branch": ("POST", "/repository/commits", COMMIT, "rob", "mia"),
    "commit on the protected branch": (
        "POST",
        "/repository/commits",
        {key: value for key, value in COMMIT.items() if key != "start_branch"} | {"branch": "main"},
        "mia",
        "max",
    ),
    "lint": ("POST", "/ci/lint", {"content": CI}, "rob", "mia"),
    "see webhooks": ("GET", "/hooks", None, "mia", "max"),
    "add a webhook": ("POST", "/hooks", {"url": "http://127.0.0.1:9/"}, "mia", "max"),
    "read a branch's rule": ("GET", "/protected_branches/main", None, "mia", "max"),
    "read all branches' rules": ("GET", "/protected_branches", None, "mia", "max"),
}


@pytest.mark.parametrize("act", FORBIDDEN)
def test_a_role_reaches_as_far_as_gitlab_lets_it(place: Place, act: str) -> None:
    method, path, body, refused, welcome = FORBIDDEN[act]
    answer = place.as_(refused).call(method, path, body)
    assert answer.status_code == 403
    assert answer.json()["message"].startswith("403 Forbidden")
    assert place.as_(welcome).call(method, path, body).status_code in {200, 201}


def test_a_role_is_read_for_members_only(place: Place) -> None:
    assert place.api.get(f"/members/all/{place.people['mia'].id}").json()["access_level"] == 30
    answer = place.api.get(f"/members/all/{place.people['sam'].id}")
    assert (answer.status_code, answer.json()) == (404, {"message": "404 Not found"})


WRITES = [
    ("POST", "/issues", {"title": "x"}, 403),
    ("POST", "/issues/1/notes", {"body": "x"}, 403),
    ("POST", "/issues/1/award_emoji", {"name": "eyes"}, 404),
    ("POST", "/merge_requests", {"title": "x", "source_branch": "topic", "target_branch": "main"}, 403),
    ("PUT", "/merge_requests/1", {"title": "x"}, 403),
    ("PUT", "/merge_requests/1/merge", {}, 401),
]


@pytest.mark.parametrize(("method", "path", "body", "status"), WRITES)
def test_an_archived_project_is_read_only(
    place: Place, issue: str, method: str, path: str, body: Any, status: int
) -> None:
    place.open()
    place.project.is_archived = True
    assert place.api.call(method, path, body).status_code == status
    assert place.api.get(issue).status_code == 200


@pytest.mark.parametrize(
    ("off", "path"), [("builds", "/pipelines"), ("builds", "/pipelines/1"), ("merge_requests", "/merge_requests")]
)
def test_what_is_switched_off_is_forbidden(place: Place, off: str, path: str) -> None:
    place.project.off = (off,)  # type: ignore[assignment]
    answer = place.api.get(path)
    assert (answer.status_code, answer.json()) == (403, {"message": "403 Forbidden"})


@pytest.mark.parametrize("name", ["a b", "a..b", "a~1", "a^", "a:b", "a?", "a*", "-a"])
def test_what_git_calls_no_branch_is_no_branch_that_is_missing(place: Place, name: str) -> None:
    answer = place.api.get("/repository/branches/" + quote(name, safe=""))
    assert (answer.status_code, answer.json()) == (400, {"message": "The branch refname is invalid"})


@pytest.mark.parametrize(("act", "status"), [("retry", 201), ("cancel", 200)])
def test_a_pipeline_of_a_protected_branch_is_for_who_may_push_or_merge_there(
    place: Place, act: str, status: int
) -> None:
    place.push("main", ".gitlab-ci.yml", CI)
    place.push("topic", "x", "x")
    assert place.sandbox.wait_idle()
    told = {}
    for branch in ("main", "topic"):
        run = place.api.get("/pipelines", ref=branch).json()[0]["id"]
        told[branch] = [place.as_(who).post(f"/pipelines/{run}/{act}").status_code for who in ("rob", "mia", "max")]
    assert place.sandbox.wait_idle()
    assert told == {"main": [403, 403, status], "topic": [403, status, status]}


# --- commits ---


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"actions": [{"action": "create", "file_path": "README.md"}]}, "A file with this name already exists"),
        ({"actions": [{"action": "update", "file_path": "new"}]}, "A file with this name doesn't exist"),
        ({"actions": [{"action": "delete", "file_path": "new"}]}, "A file with this name doesn't exist"),
        ({"actions": [{"action": "create"}]}, "You must provide a file path"),
        ({"actions": [{"action": "create", "file_path": "../x"}]}, "Path cannot include directory traversal"),
        ({"actions": [{"action": "explode", "file_path": "x"}]}, "does not have a valid value"),
        ({"branch": "new"}, "You can only create or edit files when you are on a branch"),
        ({"branch": "new", "start_branch": "nowhere"}, "Invalid reference name: nowhere"),
        ({"start_branch": "other"}, "A branch called 'main' already exists. Switch to that branch"),
    ],
)
def test_a_commit_that_does_not_fit_is_refused(place: Place, changes: dict[str, Any], text: str) -> None:
    place.api.post("/repository/branches", branch="other", ref="main")
    good = {"action": "create", "file_path": "x", "content": "x"}
    answer = place.api.post(
        "/repository/commits", **{"branch": "main", "commit_message": "x", "actions": [good], **changes}
    )
    assert answer.status_code == 400
    assert text in answer.json()["message"]


def test_bytes_come_as_base64_and_stay_bytes(place: Place) -> None:
    action = {"action": "create", "file_path": "b", "content": "AAH/", "encoding": "base64"}
    place.api.post("/repository/commits", branch="main", commit_message="x", actions=[action])
    assert place.api.get("/repository/files/b/raw", ref="main").content == b"\x00\x01\xff"


def test_one_commit_holds_all_actions_and_starts_from_a_branch(place: Place) -> None:
    actions = [
        {"action": "create", "file_path": "a", "content": "a"},
        {"action": "update", "file_path": "README.md", "content": "new"},
        {"action": "delete", "file_path": "src/app.py"},
    ]
    before = place.api.get("/repository/branches/main").json()["commit"]["id"]
    made = place.api.post(
        "/repository/commits", branch="topic", start_branch="main", commit_message="All", actions=actions
    )
    assert made.status_code == 201
    assert made.json()["parent_ids"] == [before]
    assert [row["path"] for row in place.api.get("/repository/tree", ref="topic").json()] == ["README.md", "a"]
    assert place.api.get("/repository/branches/main").json()["commit"]["id"] == before


def test_a_branch_is_made_once(place: Place) -> None:
    assert place.api.post("/repository/branches", branch="b", ref="main").status_code == 201
    again = place.api.post("/repository/branches", branch="b", ref="main")
    assert (again.status_code, again.json()) == (400, {"message": "Branch already exists"})


def test_nobody_deletes_a_protected_branch(place: Place) -> None:
    assert place.as_("olga").delete("/repository/branches/main").status_code == 403


# --- notes, reactions ---


def test_an_internal_note_and_its_thread_are_for_planners_upwards(place: Place, issue: str) -> None:
    note = place.api.post(issue + "/notes", body="Among us", internal=True).json()
    thread = place.api.get(issue + "/discussions").json()[0]["id"]
    reply = place.as_("rob").post(f"{issue}/discussions/{thread}/notes", body="Yes").json()
    assert (note["internal"], note["confidential"], reply["internal"]) == (True, True, True)
    assert place.as_("gina").get(issue + "/notes").json() == []
    assert place.as_("gina").get(f"{issue}/notes/{note['id']}").status_code == 404
    assert place.as_("gina").post(f"{issue}/discussions/{thread}/notes", body="Me too").status_code == 404
    assert place.as_("gina").post(issue + "/notes", body="x", internal=True).status_code == 403


def test_a_confidential_issue_is_there_for_its_author_and_planners_upwards(place: Place) -> None:
    iid = place.as_("gina").post("/issues", title="Secret", confidential=True).json()["iid"]
    with place.world.lock:
        place.project.members[place.people["sam"].id] = 10
    seen = {name: place.as_(name).get(f"/issues/{iid}").status_code for name in ("gina", "sam", "rob", "max")}
    assert seen == {"gina": 200, "sam": 404, "rob": 200, "max": 200}


def test_a_reply_makes_a_thread_of_a_lone_note(place: Place, issue: str) -> None:
    place.api.post(issue + "/notes", body="One")
    lone = place.api.get(issue + "/discussions").json()[0]
    place.api.post(f"{issue}/discussions/{lone['id']}/notes", body="Two")
    thread = place.api.get(issue + "/discussions").json()[0]
    assert (lone["individual_note"], lone["notes"][0]["type"]) == (True, None)
    assert (thread["individual_note"], [note["type"] for note in thread["notes"]]) == (False, ["DiscussionNote"] * 2)


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({}, {"error": "body is missing"}),
        ({"body": "  "}, {"message": {"note": ["can't be blank"]}}),
        ({"body": "x" * 1_000_001}, {"message": {"note": ["is too long (maximum is 1000000 characters)"]}}),
    ],
)
def test_a_note_without_words_or_with_too_many_is_refused(
    place: Place, issue: str, body: dict[str, str], answer: Any
) -> None:
    refused = place.api.post(issue + "/notes", **body)
    assert (refused.status_code, refused.json()) == (400, answer)


def test_a_note_is_changed_by_its_author_and_maintainers(place: Place, issue: str) -> None:
    path = f"{issue}/notes/{place.as_('mia').post(issue + '/notes', body='x').json()['id']}"
    assert place.as_("rob").put(path, body="y").status_code == 403
    assert place.as_("mia").put(path, body="y").status_code == 200
    assert place.as_("max").put(path, body="z").json()["body"] == "z"
    assert place.as_("rob").delete(path).status_code == 403
    assert place.as_("mia").delete(path).status_code == 204


def test_reactions_answer_404_for_whatever_does_not_fit(place: Place, issue: str) -> None:
    note = place.api.post(issue + "/notes", body="x").json()["id"]
    path = f"{issue}/notes/{note}/award_emoji"
    given = place.api.post(path, name="eyes")
    assert (given.status_code, given.json()["awardable_type"]) == (201, "Note")
    for name in ("eyes", "no_such_emoji", ":eyes:", "👀"):
        answer = place.api.post(path, name=name)
        assert answer.status_code == 404
        assert answer.json()["message"].startswith("404 Award Emoji")
    assert place.as_("rob").delete(f"{path}/{given.json()['id']}").status_code == 401
    assert place.api.delete(f"{path}/{given.json()['id']}").status_code == 204
    assert place.api.get(path).json() == []


@pytest.mark.parametrize("title", ["", "  ", "x" * 256])
def test_a_title_has_one_to_255_characters(place: Place, title: str) -> None:
    for path, more in (("/issues", {}), ("/merge_requests", {"source_branch": "b", "target_branch": "main"})):
        place.api.post("/repository/branches", branch="b", ref="main")
        answer = place.api.post(path, title=title, **more)
        assert (answer.status_code, list(answer.json()["message"])) == (400, ["title"])


def test_a_description_has_a_mebibyte_at_most(place: Place) -> None:
    answer = place.api.post("/issues", title="x", description="x" * 1_048_577)
    assert (answer.status_code, list(answer.json()["message"])) == (400, ["description"])


# --- lint ---


def lint(place: Place, content: str, **more: Any) -> dict[str, Any]:
    answer = place.api.post("/ci/lint", content=content, **more)
    assert answer.status_code == 200, "a bad configuration is no bad request"
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("a: [", "Invalid configuration format"),
        ("", "Please provide content of .gitlab-ci.yml"),
        (".hidden: {script: [x]}", "jobs config should contain at least one visible job"),
        ("a: {stage: nowhere, script: [x]}", "chosen stage nowhere does not exist"),
        ("a: {needs: [b], script: [x]}", "a job: undefined need: b"),
        ("a: {dependencies: [b], script: [x]}", "a job: undefined dependency: b"),
        (
            "{a: {stage: build, needs: [b], script: [x]}, b: {stage: test, script: [x]}}",
            "a job: need b is not defined in current or prior stages",
        ),
        ("a: {before_script: [x]}", "script config can't be blank"),
        ("a: {script: [x], only: [main], rules: [{when: always}]}", "may not be used with `rules`"),
        ("include: {local: /nowhere.yml}", "does not exist"),
    ],
)
def test_a_bad_configuration_is_answered_with_its_errors(place: Place, content: str, error: str) -> None:
    found = lint(place, content)
    assert found["valid"] is False
    assert error in found["errors"][0]


def test_only_a_simulation_sees_that_nothing_would_run(place: Place) -> None:
    content = "a: {script: [x], rules: [{if: '$CI_COMMIT_BRANCH == \"nowhere\"'}]}"
    assert lint(place, content)["valid"] is True
    found = lint(place, content, dry_run=True, ref="main")
    assert found["valid"] is False
    assert "rules configuration prevented any jobs" in found["errors"][0]


LEFT_OUT = "b: {script: [x], rules: [{if: '$CI_COMMIT_BRANCH == \"nowhere\"'}]}\na: {script: [x], needs: [NEED]}\n"


@pytest.mark.parametrize(("need", "is_valid"), [("b", False), ("{job: b, optional: true}", True)])
def test_only_a_simulation_sees_that_a_job_needs_one_that_rules_leave_out(
    place: Place, need: str, is_valid: bool
) -> None:
    content = LEFT_OUT.replace("NEED", need)
    assert lint(place, content)["valid"] is True
    found = lint(place, content, dry_run=True, ref="main")
    assert found["valid"] is is_valid
    assert is_valid or found["errors"][0].startswith("'a' job needs 'b' job, but 'b' does not exist in the pipeline.")


def test_only_a_simulation_counts_what_a_job_needs(place: Place) -> None:
    jobs = {f"j{number}": {"script": ["x"]} for number in range(51)}
    content = json.dumps({**jobs, "last": {"script": ["x"], "needs": list(jobs)}})
    assert lint(place, content)["valid"] is True
    assert "can only need 50 others" in lint(place, content, dry_run=True, ref="main")["errors"][0]


@pytest.mark.parametrize("source", ["push", "merge_request_event"])
def test_no_job_runs_where_one_needs_what_rules_leave_out(place: Place, source: str) -> None:
    rules = f"workflow: {{rules: [{{if: '$CI_PIPELINE_SOURCE == \"{source}\"'}}]}}\n"
    place.push("topic", ".gitlab-ci.yml", rules + LEFT_OUT.replace("NEED", "b"))
    place.open()
    place.sandbox.wait_idle()
    run = place.api.get(f"/pipelines/{place.api.get('/pipelines', source=source).json()[0]['id']}").json()
    assert (run["status"], place.api.get(f"/pipelines/{run['id']}/jobs").json()) == ("failed", [])
    assert run["yaml_errors"].startswith("'a' job needs 'b' job, but 'b' does not exist in the pipeline.")


@pytest.mark.parametrize("left_out", ["[main]", "[branches]", "{refs: [main]}"])
def test_except_leaves_a_job_out(place: Place, left_out: str) -> None:
    content = f"a: {{script: [x], except: {left_out}}}"
    assert "prevented any jobs" in lint(place, content, dry_run=True, ref="main")["errors"][0]


def test_a_simulation_on_what_is_no_branch_says_so_and_a_check_asks_for_none(place: Place) -> None:
    found = lint(place, CI, dry_run=True, ref="nowhere")
    assert (found["valid"], found["errors"]) == (False, ["Reference not found"])
    assert lint(place, CI, ref="nowhere")["valid"] is True


def test_on_a_protected_branch_only_whoever_may_update_it_simulates(place: Place) -> None:
    asked = {"content": CI, "dry_run": True, "ref": "main"}
    found = place.as_("mia").post("/ci/lint", **asked).json()
    assert found["valid"] is False
    assert found["errors"][0].startswith("You do not have sufficient permission to run a pipeline on 'main'.")
    assert found["merged_yaml"] is None
    assert place.as_("mia").post("/ci/lint", content=CI).json()["valid"] is True
    assert place.as_("max").post("/ci/lint", **asked).json()["valid"] is True


def test_rules_that_may_double_a_pipeline_are_warned_about(place: Place) -> None:
    warnings = lint(place, CI)["warnings"]
    assert "may allow multiple pipelines" in warnings[0]


# --- edits ---


def test_an_edit_tells_who_is_named_since_in_its_editors_name(place: Place, issue: str) -> None:
    rob, note = place.people["rob"].username, place.as_("mia").post(issue + "/notes", body="Hello").json()
    assert place.as_("rob").get("//todos").json() == []
    place.api.put(f"{issue}/notes/{note['id']}", body=f"Hello @{rob}")
    (todo,) = place.as_("rob").get("//todos").json()
    assert (todo["author"]["username"], todo["body"]) == (place.people["max"].username, f"Hello @{rob}")
    shown = place.api.get(f"{issue}/notes/{note['id']}").json()
    assert shown["author"]["username"] == place.people["mia"].username, "the note itself names no editor"


def test_only_graphql_tells_that_a_note_was_edited(place: Place, issue: str) -> None:
    edited, reacted = (place.as_("mia").post(issue + "/notes", body=text).json() for text in ("One", "Two"))
    place.api.put(f"{issue}/notes/{edited['id']}", body="Three")
    place.api.post(f"{issue}/notes/{reacted['id']}/award_emoji", name="eyes")
    told = [_last_edit(place, each["id"]) for each in (edited, reacted)]
    assert told == [place.api.get(f"{issue}/notes/{edited['id']}").json()["updated_at"], None]


def _last_edit(place: Place, note: int) -> Any:
    body = {"query": "query($i:NoteID!){note(id:$i){lastEditedAt}}", "variables": {"i": f"gid://gitlab/Note/{note}"}}
    headers = {"Authorization": f"Bearer {token_of(place, 'max')}"}
    answer = httpx.post(place.sandbox.url + "/api/graphql", json=body, headers=headers, timeout=60)
    return answer.json()["data"]["note"]["lastEditedAt"]


# --- GraphQL for many files ---


def blobs(place: Place, paths: list[str], *, who: str = "max", ref: str | None = None) -> Any:
    query = "query($p:ID!){project(fullPath:$p){repository{blobs(ref:$ref,paths:$paths){nodes{path}}}}}"
    body = {"query": query, "variables": {"p": place.project.path, "ref": ref, "paths": paths}}
    headers = {"Authorization": f"Bearer {token_of(place, who)}"}
    answer = httpx.post(place.sandbox.url + "/api/graphql", json=body, headers=headers, timeout=60)
    assert answer.status_code == 200, "GraphQL's errors come with 200"
    return answer.json()


def test_files_come_at_once_and_missing_ones_are_left_out(place: Place) -> None:
    nodes = blobs(place, ["README.md", "nowhere", "src"])["data"]["project"]["repository"]["blobs"]["nodes"]
    assert nodes == [{"path": "README.md", "rawTextBlob": "# app\n", "size": "6"}]


def test_too_many_files_are_too_complex(place: Place) -> None:
    answer = blobs(place, [f"f{number}" for number in range(300)])
    assert "exceeds max complexity of 250" in answer["errors"][0]["message"]


def test_too_much_at_once_is_refused(place: Place) -> None:
    for name in ("a", "b"):
        place.push("main", name, "x" * 11 * 2**20)
    assert "Max blobs size limit exceeded" in blobs(place, ["a", "b"])["errors"][0]["message"]
    assert len(blobs(place, ["a"])["data"]["project"]["repository"]["blobs"]["nodes"]) == 1


def test_files_are_for_who_may_read_code(place: Place) -> None:
    assert blobs(place, ["README.md"], who="gina")["data"]["project"] == {"repository": None}
    assert blobs(place, ["README.md"], who="sam")["data"]["project"] is None


# --- limits of the rate ---


def test_a_limit_answers_in_plain_text_and_says_how_long_to_wait(place: Place) -> None:
    headers = {"Retry-After": "7", "Content-Type": "text/plain"}
    place.sandbox.fail("GET", f"/projects/{place.project.id}$", 429, headers=headers, text="Retry later\n")
    answer = place.api.get("")
    assert (answer.status_code, answer.text, answer.headers["retry-after"]) == (429, "Retry later\n", "7")
    assert answer.headers["content-type"] == "text/plain"
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert place.api.get("").status_code == 200
