"""Stories of programs: the six routes with a person's token, lists and search, and every way to be refused."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox import seed
from tests.world.program import Program, good, problem
from tests.world.scripted_ollama import E, action
from tests.world.town import Story

NOWHERE = "00000000-0000-0000-0000-000000000000"


def test_a_program_composes_looks_commits_approves_and_asks_for_the_status(story: Story) -> None:
    mia, max_ = Program(story, story.developer), Program(story, story.maintainer)
    url = f"{story.sandbox.url}/{story.project.path}"
    composed = good(mia.post("/pipeline/generate", {"repo_url": url, "wishes": "with python 3.12"}))
    assert composed["pipeline"]["status"] == "generated"
    assert "pytest" in composed["pipeline"]["gitlab_ci"]
    assert "python:3.12" in composed["pipeline"]["files"][".gitlab-ci.yml"]
    assert story.project.merge_requests == []

    opened = good(mia.post("/pipeline/commit", {"repo_url": url}))
    story.settle()
    assert opened["pipeline"]["id"] == composed["pipeline"]["id"]
    assert opened["pipeline"]["status"] == "proposed"
    assert opened["pipeline"]["merge_request"].endswith("/-/merge_requests/1")
    assert story.file(".gitlab-ci.yml") == composed["pipeline"]["gitlab_ci"]

    branch = opened["pipeline"]["source_branch"]
    standing = good(mia.post("/pipeline/status", {"repo_url": url, "branch": branch}))
    assert (standing["status"], standing["run"]["sha"]) == ("success", opened["pipeline"]["commit_id"])
    assert {job["status"] for job in standing["run"]["jobs"]} == {"success"}

    session = opened["session_id"]
    assert problem(max_.post(f"/chat/approve/{session}"), 404)  # what somebody began over the API is theirs
    refused = problem(mia.post(f"/chat/approve/{session}"), 403)
    assert "allowed to merge" in refused["detail"]


def test_a_draft_of_an_issue_is_approved_by_a_program_of_whoever_may_merge(story: Story) -> None:
    shown = story.drafted()
    session = session_of(story)
    max_ = Program(story, story.maintainer)
    merged = good(max_.post(f"/chat/approve/{session}", {"sha": story.head(shown.source_branch)}))
    assert merged["result"] == "merged"
    assert story.request.state == "merged"
    assert (merged["pipeline"]["status"], bool(merged["pipeline"]["merged_sha"])) == ("committed", True)
    assert "merged already" in problem(max_.post(f"/chat/approve/{session}"), 409)["detail"]


def session_of(story: Story) -> str:
    listed = good(Program(story, story.maintainer).get("/conversations", project=story.project.path))
    return str(listed["conversations"][0]["session_id"])


@pytest.mark.parametrize(("who", "status"), [("developer", 403), ("reporter", 403), ("guest", 404), ("stranger", 404)])
def test_nobody_approves_by_a_program_what_they_may_not(story: Story, who: str, status: int) -> None:
    story.drafted()
    problem(Program(story, getattr(story, who)).post(f"/chat/approve/{session_of(story)}"), status)
    assert story.request.state == "opened"


def test_a_token_that_only_reads_reads(story: Story) -> None:
    story.drafted()
    reader = Program(story, story.maintainer, "read_api")
    assert good(reader.get("/pipelines", project=story.project.path))["pipelines"][0]["status"] == "proposed"
    for path in (f"/chat/approve/{session_of(story)}", f"/chat/reject/{session_of(story)}"):
        assert "scope `api`" in problem(reader.post(path), 403)["detail"]
    for path in ("/pipeline/generate", "/pipeline/commit"):
        assert "scope `api`" in problem(reader.post(path, {"repo_url": story.project.path}), 403)["detail"]


def test_approving_what_a_newer_proposal_replaced_names_both(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    old = story.head(story.request.source_branch)
    story.ask("@pipewright generate without docker, with python 3.12", of=issue)
    new = story.head(story.request.source_branch)
    max_ = Program(story, story.maintainer)
    for act in ("approve", "reject"):
        told = problem(max_.post(f"/chat/{act}/{session_of(story)}", {"sha": old}), 409)
        assert (told["sha"], told["current_sha"]) == (old, new)
        assert old[:12] in told["detail"]
        assert new[:12] in told["detail"]
    assert story.request.state == "opened"
    assert good(max_.post(f"/chat/approve/{session_of(story)}", {"sha": new[:12]}))["result"] == "merged"


def test_a_push_after_the_proposal_is_not_merged_by_an_approval(story: Story) -> None:
    shown = story.drafted()
    head = story.push(shown.source_branch, "sneaked.in", "x")
    told = problem(Program(story, story.maintainer).post(f"/chat/approve/{session_of(story)}"), 409)
    assert head[:8] in told["detail"]
    assert story.request.state == "opened"


def test_a_no_closes_the_draft(story: Story) -> None:
    story.drafted()
    session = session_of(story)
    problem(Program(story, story.reporter).post(f"/chat/reject/{session}"), 403)
    assert good(Program(story, story.developer).post(f"/chat/reject/{session}"))["result"] == "rejected"
    assert story.request.state == "closed"


def test_a_write_with_a_key_is_done_once_and_answered_the_same_again(story: Story) -> None:
    mia = Program(story, story.developer)
    body = {"repo_url": story.project.path}
    first = mia.post("/pipeline/generate", body, key="one")
    again = mia.post("/pipeline/generate", body, key="one")
    assert good(again) == good(first)
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert (
        "another request" in problem(mia.post("/pipeline/generate", {**body, "wishes": "x"}, key="one"), 422)["detail"]
    )
    assert good(mia.post("/pipeline/generate", body, key="two"))["session_id"] != first.json()["session_id"]
    other = Program(story, story.maintainer)
    assert good(other.post("/pipeline/generate", body, key="one"))["session_id"] != first.json()["session_id"]


def test_an_approval_with_a_key_is_answered_the_same_after_the_merge(story: Story) -> None:
    story.drafted()
    session, max_ = session_of(story), Program(story, story.maintainer)
    first = good(max_.post(f"/chat/approve/{session}", key="yes"))
    assert good(max_.post(f"/chat/approve/{session}", key="yes")) == first
    problem(max_.post(f"/chat/approve/{session}", key="another"), 409)


def test_a_talk_with_a_key_asks_the_model_once(story: Story) -> None:
    mia = Program(story, story.developer)
    story.town.ollama.say(action("final", text="Three files."))
    body = {"project": story.project.path, "message": "which files are there?"}
    first = good(mia.post("/chat", body, key="talk"))
    assert good(mia.post("/chat", body, key="talk")) == first
    assert first["answer"] == "Three files."


def test_what_was_composed_is_committed_on_top_of_what_was_read(story: Story) -> None:
    mia = Program(story, story.developer)
    composed = good(mia.post("/pipeline/generate", {"repo_url": story.project.path}))
    story.push("main", "later.txt", "x", by=story.maintainer)
    good(mia.post("/pipeline/commit", {"repo_url": story.project.path}))
    assert story.file(".gitlab-ci.yml") == composed["pipeline"]["gitlab_ci"]
    again = good(
        mia.post("/pipeline/commit", {"repo_url": story.project.path, "pipeline_id": composed["pipeline"]["id"]})
    )
    assert again["pipeline"]["merge_request"].endswith("/1")
    assert len(story.project.merge_requests) == 1


def test_only_the_newest_of_a_conversation_is_committed(story: Story) -> None:
    mia = Program(story, story.developer)
    body = {"repo_url": story.project.path}
    old = good(mia.post("/pipeline/generate", body))
    new = good(mia.post("/pipeline/generate", {**body, "session_id": old["session_id"], "wishes": "with python 3.12"}))
    assert new["session_id"] == old["session_id"]
    told = problem(mia.post("/pipeline/commit", {**body, "pipeline_id": old["pipeline"]["id"]}), 409)
    assert told["current_pipeline_id"] == new["pipeline"]["id"]
    assert story.project.merge_requests == []


@pytest.mark.parametrize(
    ("path", "body", "status", "named"),
    [
        ("/pipeline/status", {"repo_url": "https://gitlab.elsewhere.example/a/b"}, 422, "not on the GitLab"),
        ("/pipeline/generate", {"repo_url": "https://gitlab.elsewhere.example/a/b"}, 422, "not on the GitLab"),
        ("/pipeline/commit", {"repo_url": "git@gitlab.elsewhere.example:a/b.git"}, 422, "not on the GitLab"),
        ("/pipeline/generate", {"repo_url": "nobody/nothing"}, 404, "may not see it"),
        ("/pipeline/status", {"repo_url": "nobody/nothing"}, 404, "may not see it"),
        ("/pipeline/generate", {"repo_url": ""}, 400, "repo_url"),
        ("/pipeline/generate", {}, 400, "repo_url"),
        ("/pipeline/generate", {"repo_url": "a/b", "more": 1}, 400, "more"),
        ("/pipeline/generate", [], 400, ""),
        (f"/chat/approve/{NOWHERE}", None, 404, "no such conversation"),
        (f"/chat/reject/{NOWHERE}", None, 404, "no such conversation"),
        (f"/chat/approve/{NOWHERE}", {"sha": "main"}, 400, "sha"),
        ("/chat/approve/nonsense", None, 404, ""),
        ("/chat", {"session_id": NOWHERE, "message": "hello"}, 404, "no such conversation"),
        ("/chat", {"project": "a/b", "message": "x" * 1_000_000}, 413, "too large"),
        ("/nothing", {}, 404, "nothing at this address"),
        ("/conversations", {}, 405, ""),
    ],
)
def test_what_is_wrong_is_told_with_its_mend(story: Story, path: str, body: Any, status: int, named: str) -> None:
    assert named in problem(Program(story, story.developer).post(path, body), status)["detail"]


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (f"/chat/history/{NOWHERE}", {}, 404),
        (f"/pipelines/{NOWHERE}", {}, 404),
        ("/conversations", {"before": "yesterday"}, 400),
        ("/conversations", {"limit": 0}, 400),
        ("/conversations", {"limit": 1000}, 400),
        ("/conversations", {"status": "lost"}, 400),
        ("/conversations", {"since": "yesterday"}, 400),
        ("/pipelines", {"status": "none"}, 400),
    ],
)
def test_what_is_wrong_with_a_question_is_told(story: Story, path: str, query: dict[str, Any], status: int) -> None:
    assert problem(Program(story, story.developer).get(path, **query), status)["detail"]


def test_a_project_one_cannot_see_is_as_if_it_were_not(story: Story) -> None:
    story.drafted()
    foreign, sam = session_of(story), Program(story, story.stranger)
    for path in ("/pipeline/generate", "/pipeline/commit", "/pipeline/status"):
        problem(sam.post(path, {"repo_url": f"{story.sandbox.url}/{story.project.path}"}), 404)
    problem(sam.get(f"/chat/history/{foreign}"), 404)
    problem(sam.post("/chat", {"session_id": foreign, "message": "hello"}), 404)
    assert good(sam.get("/conversations", project=story.project.path)) == {"conversations": [], "next": None}
    assert good(sam.get("/pipelines", project=story.project.path)) == {"pipelines": [], "next": None}
    known = good(Program(story, story.developer).get("/pipelines", project=story.project.path))["pipelines"][0]
    problem(sam.get(f"/pipelines/{known['id']}"), 404)


def test_nobody_below_developer_composes(story: Story) -> None:
    body = {"repo_url": story.project.path}
    assert "Developer" in problem(Program(story, story.reporter).post("/pipeline/generate", body), 403)["detail"]
    assert (
        "/pipeline/generate" in problem(Program(story, story.developer).post("/pipeline/commit", body), 409)["detail"]
    )


def test_confidential_talk_is_listed_for_whoever_reads_internal_notes_alone(story: Story) -> None:
    issue = story.issue("A leak", is_confidential=True)
    story.ask("@pipewright status", of=issue)
    for who, count in (("maintainer", 1), ("reporter", 1), ("guest", 0), ("stranger", 0)):
        listed = good(
            Program(story, getattr(story, who)).get("/conversations", text="leak", project=story.project.path)
        )
        assert len(listed["conversations"]) == count, who


def test_conversations_are_searched_filtered_and_paged(story: Story) -> None:
    mia = Program(story, story.developer)
    for title in ("Alpha wants CI", "Beta wants CI", "Gamma wants nothing"):
        story.ask("@pipewright status", of=story.issue(title))
    project = story.project.path
    assert titles(mia, project=project) == ["Gamma wants nothing", "Beta wants CI", "Alpha wants CI"]
    assert titles(mia, project=project, text="wants ci") == ["Beta wants CI", "Alpha wants CI"]
    assert titles(mia, project=project, asker="nobody") == []
    assert titles(mia, project=project, status="none", until="2001-01-01T00:00:00Z") == []
    pages, mark = [], None
    while True:
        page = good(mia.get("/conversations", project=project, limit=1, **({"before": mark} if mark else {})))
        pages += [each["title"] for each in page["conversations"]]
        mark = page["next"]
        if mark is None:
            break
    assert pages == titles(mia, project=project)


def titles(program: Program, **query: Any) -> list[str]:
    return [each["title"] for each in good(program.get("/conversations", **query))["conversations"]]


def test_a_history_is_read_page_by_page(story: Story) -> None:
    mia = Program(story, story.developer)
    story.ask("@pipewright status glpat-abcdefghij1234567890", of=story.issue("Words"))
    session = session_of(story)
    whole = good(mia.get(f"/chat/history/{session}"))
    assert [said["role"] for said in whole["messages"]] == ["user", "assistant"]
    assert (whole["title"], whole["previous"]) == ("Words", None)
    assert "glpat-" not in json.dumps(whole)
    last = good(mia.get(f"/chat/history/{session}", limit=1))
    before = good(mia.get(f"/chat/history/{session}", limit=1, before=last["previous"]))
    assert [*before["messages"], *last["messages"]] == whole["messages"]


def test_the_program_in_the_docs_works_as_it_stands(story: Story) -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    program = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(program) == 1
    with story.world.lock:
        token = seed.add_token(story.world, story.developer).value
    environment = {"PIPEWRIGHT": story.town.address, "GITLAB_TOKEN": token, "PROJECT": story.project.path}
    ran = subprocess.run(
        [sys.executable, "-c", program[0]], env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "pytest" in ran.stdout
    assert f"/-/merge_requests/1 at {story.head(story.request.source_branch)}" in ran.stdout


def test_a_dead_model_is_said_with_the_right_status(story: Story) -> None:
    story.town.ollama.say(*[E(500, "llama-server process has terminated: exit status 1")] * 3)
    answer = Program(story, story.developer).post("/chat", {"project": story.project.path, "message": "what is this?"})
    told = problem(answer, 503)
    assert "cannot load the model" in told["detail"]
    assert told["session_id"]
    assert int(answer.headers["retry-after"]) > 0
