"""The client on cassettes: what its functions return, and which calls they make for it."""

import pytest
from msgspec import structs

from bot.domain import AccessLevel, CannotError, Noteable, SafeText
from bot.gitlab.answers import RefusedError
from bot.gitlab.read import HOOK_EVENTS
from tests.gitlab.conftest import FILES, SHOWN, Recorded

ISSUE = Noteable(kind="issue", iid=1)
CI = "test:\n  image: alpine:3.22\n  script: [echo hello]\n"
FILES_TO_COMMIT = {".gitlab-ci.yml": CI, "pyproject.toml": "[project]\n", "Dockerfile": "FROM scratch\n"}
MESSAGE = "Add a pipeline\n\nOrder 1"


def people(recorded: Recorded) -> dict[str, int]:
    """Return the ids of those who said who they are."""
    notes = recorded.gitlab.notes(recorded.project_id, ISSUE)
    return {note.author.username: note.author.id for note in notes}


def test_an_account_is_known_with_its_rights(recorded: Recorded) -> None:
    me = recorded.gitlab.me()
    assert (me.username, me.is_bot) == ("pipewright", True)
    assert recorded.gitlab.token_scopes() == ("api",)
    assert int(recorded.gitlab.version().partition(".")[0]) >= 18
    assert [path for _, path, _ in recorded.calls("GET")] == ["/user", "/personal_access_tokens/self", "/version"]


def test_rights_are_those_of_the_person_and_the_branch(recorded: Recorded) -> None:
    gitlab, project, who = recorded.gitlab, recorded.project_id, people(recorded)
    levels = {name: gitlab.access_level(project, who[name]) for name in ("max", "mia", "gina", "sam")}
    assert levels == {
        "max": AccessLevel.MAINTAINER,
        "mia": AccessLevel.DEVELOPER,
        "gina": AccessLevel.GUEST,
        "sam": AccessLevel.NONE,
    }
    assert {name: gitlab.may_merge(project, who[name], "main") for name in levels} == {
        "max": True,
        "mia": False,
        "gina": False,
        "sam": False,
    }
    assert gitlab.is_bot(who["pipewright"])
    assert not gitlab.is_bot(who["mia"])


def test_a_developer_may_merge_into_a_branch_without_a_rule(recorded: Recorded) -> None:
    gitlab, project, who = recorded.gitlab, recorded.project_id, people(recorded)
    gitlab.create_branch(project, "next", gitlab.branch_head(project, "main") or "")
    assert gitlab.may_merge(project, who["mia"], "next")
    assert not gitlab.may_merge(project, who["gina"], "next")


def test_a_repository_is_read_in_two_calls(recorded: Recorded) -> None:
    found = recorded.gitlab.find_project("team/app")
    assert (found.path, found.default_branch, found.is_empty, found.visibility) == ("team/app", "main", False, "public")
    assert recorded.gitlab.tree(found.id, "main") == tuple(sorted(FILES))
    wanted = ["pyproject.toml", "src/app.py", "logo.png", "missing.txt"]
    texts = recorded.gitlab.texts("team/app", "main", wanted)
    assert texts == {path: FILES[path] for path in ("pyproject.toml", "src/app.py")}
    (_, path, body), *more = recorded.calls("POST")
    assert (path, more) == (f"{SHOWN}/api/graphql", [])
    assert body["variables"] == {"p": "team/app", "ref": "main", "paths": wanted}
    assert recorded.calls("GET")[1][1] == "/repository/tree?ref=main&recursive=True&pagination=none&per_page=100"


def test_single_files_and_branches_are_there_or_not(recorded: Recorded) -> None:
    gitlab, project = recorded.gitlab, recorded.project_id
    assert gitlab.read_file(project, "main", "src/app.py") == FILES["src/app.py"]
    assert gitlab.read_file(project, "main", "src/none.py") is None
    assert len(gitlab.branch_head(project, "main") or "") == 40
    assert gitlab.branch_head(project, "none") is None
    assert gitlab.tree(project, "none") == ()
    assert recorded.calls("GET")[1][1] == "/repository/files/src%2Fapp.py/raw?ref=main"


def test_a_proposal_is_a_branch_a_draft_and_one_commit(recorded: Recorded) -> None:
    gitlab, project = recorded.gitlab, recorded.project_id
    start = gitlab.branch_head(project, "main") or ""
    gitlab.create_branch(project, "ci", start)
    gitlab.create_branch(project, "ci", start)
    draft = {"source_branch": "ci", "target_branch": "main", "title": "Draft: Add CI", "description": SafeText("Why")}
    opened = gitlab.open_draft(project, **draft)  # type: ignore[arg-type]
    assert (opened.iid, opened.is_draft, opened.state) == (1, True, "opened")
    assert gitlab.open_draft(project, **draft) == gitlab.find_open_merge_request(project, "ci")  # type: ignore[arg-type]
    made = gitlab.commit_files(
        project, branch="ci", message=MESSAGE, files=FILES_TO_COMMIT, existing={"pyproject.toml"}
    )
    assert gitlab.branch_head(project, "ci") == made.sha
    assert made.parents == (start,)
    assert gitlab.commit_by_message(project, "ci", MESSAGE) == made
    assert gitlab.commit_by_message(project, "ci", "Another message") is None
    recorded.settle()
    commits = [body for _, path, body in recorded.calls("POST") if path == "/repository/commits"]
    assert commits == [
        {
            "branch": "ci",
            "commit_message": MESSAGE,
            "actions": [
                {"action": "create", "file_path": ".gitlab-ci.yml", "content": CI},
                {"action": "update", "file_path": "pyproject.toml", "content": "[project]\n"},
                {"action": "create", "file_path": "Dockerfile", "content": "FROM scratch\n"},
            ],
        }
    ]


def propose(recorded: Recorded, project: int) -> str:
    """Open a draft with a pipeline and return its head."""
    gitlab = recorded.gitlab
    gitlab.create_branch(project, "ci", gitlab.branch_head(project, "main") or "")
    gitlab.open_draft(
        project, source_branch="ci", target_branch="main", title="Draft: Add CI", description=SafeText("Why")
    )
    made = gitlab.commit_files(project, branch="ci", message=MESSAGE, files={".gitlab-ci.yml": CI}, existing=())
    recorded.settle()
    return made.sha


def test_exactly_the_approved_commit_is_merged(recorded: Recorded) -> None:
    gitlab, project = recorded.gitlab, recorded.project_id
    sha = propose(recorded, project)
    with pytest.raises(CannotError, match="does not allow the merge now"):
        gitlab.merge(project, 1, sha=sha, when_pipeline_succeeds=False)
    ready = gitlab.mark_ready(project, 1)
    assert (ready.title, ready.is_draft) == ("Add CI", False)
    assert gitlab.settled_merge_request(project, 1, patience_seconds=10).detailed_merge_status == "mergeable"
    with pytest.raises(CannotError, match="the head moved"):
        gitlab.merge(project, 1, sha="0" * 40, when_pipeline_succeeds=False)
    merged = gitlab.merge(project, 1, sha=sha, when_pipeline_succeeds=False)
    assert (merged.state, merged.sha) == ("merged", sha)
    assert merged.merged_sha == gitlab.branch_head(project, "main")
    recorded.settle()
    merges = [body for _, path, body in recorded.calls("PUT") if path.endswith("/merge")]
    assert merges == [{"sha": sha}, {"sha": "0" * 40}, {"sha": sha}]


def test_what_is_merged_cannot_be_disarmed(recorded: Recorded) -> None:
    gitlab, project = recorded.gitlab, recorded.project_id
    sha = propose(recorded, project)
    assert gitlab.cancel_auto_merge(project, 1)
    gitlab.mark_ready(project, 1)
    gitlab.settled_merge_request(project, 1, patience_seconds=10)
    gitlab.merge(project, 1, sha=sha, when_pipeline_succeeds=False)
    assert not gitlab.cancel_auto_merge(project, 1)
    recorded.settle()


def test_a_pipeline_is_followed_to_its_jobs(recorded: Recorded) -> None:
    gitlab, project = recorded.gitlab, recorded.project_id
    sha = propose(recorded, project)
    found = gitlab.latest_pipeline(project, sha=sha)
    assert found is not None
    assert (found.status, found.sha) == ("success", sha)
    alone = gitlab.pipeline(project, found.id)
    assert alone == structs.replace(found, started_at=alone.started_at)  # lists don't tell when it began
    (job,) = gitlab.jobs(project, found.id)
    assert (job.name, job.stage, job.status) == ("test", "test", "success")
    assert b"echo hello" in b"".join(gitlab.job_trace(project, job.id))
    assert gitlab.job(project, job.id).pipeline_id == found.id
    assert gitlab.latest_pipeline(project, ref="none") is None


def test_gitlab_says_what_it_thinks_of_a_configuration(recorded: Recorded) -> None:
    gitlab, project = recorded.gitlab, recorded.project_id
    assert gitlab.lint(project, CI, "main").is_valid
    verdict = gitlab.lint(project, "test:\n  stage: nowhere\n  script: [x]\n", None)
    assert not verdict.is_valid
    assert "stage" in verdict.errors[0]
    assert [body.get("dry_run") for _, _, body in recorded.calls("POST")] == [True, False]


def test_notes_are_written_edited_and_read_newest_first(recorded: Recorded) -> None:
    gitlab, project = recorded.gitlab, recorded.project_id
    first = gitlab.create_note(project, ISSUE, SafeText("Working on it."), is_internal=False)
    secret = gitlab.create_note(project, ISSUE, SafeText("Between us."), is_internal=True)
    gitlab.edit_note(project, ISSUE, first, SafeText("Done."))
    newest, before, *_ = gitlab.notes(project, ISSUE)
    assert (newest.id, newest.body, newest.is_internal) == (secret, "Between us.", True)
    assert (before.id, before.body, before.is_internal) == (first, "Done.", False)
    assert before.author.username == "pipewright"
    assert [body for _, _, body in recorded.calls("POST")] == [
        {"body": "Working on it."},
        {"body": "Between us.", "internal": True},
    ]


def test_an_issue_is_read_with_its_author(recorded: Recorded) -> None:
    details = recorded.gitlab.noteable(recorded.project_id, ISSUE)
    assert (details.title, details.description, details.state) == ("We need CI", "Who can help?", "opened")
    assert (details.author.username, details.is_confidential) == ("mia", False)
    with pytest.raises(RefusedError) as refused:
        recorded.gitlab.noteable(recorded.project_id, Noteable(kind="merge_request", iid=9))
    assert refused.value.status == 404


def test_a_reaction_given_twice_stands_once(recorded: Recorded) -> None:
    gitlab, project = recorded.gitlab, recorded.project_id
    note = gitlab.notes(project, ISSUE)[0]
    for place in (note.id, None):
        gitlab.react(project, ISSUE, place, "eyes")
        gitlab.react(project, ISSUE, place, "eyes")
        (award,) = gitlab.reactions(project, ISSUE, place)
        assert (award.name, award.author.username) == ("eyes", "pipewright")


def test_a_closed_merge_request_is_no_open_one(recorded: Recorded) -> None:
    gitlab, project = recorded.gitlab, recorded.project_id
    propose(recorded, project)
    assert gitlab.approvals_given(project, 1) == ()
    gitlab.update_merge_request(project, 1, description=SafeText("Better"), state_event="close")
    assert gitlab.merge_request(project, 1).state == "closed"
    assert gitlab.find_open_merge_request(project, "ci") is None


def test_a_webhook_is_installed_once_with_every_event(recorded: Recorded) -> None:
    url = "http://pipewright.example.test/webhooks/gitlab"
    hook = recorded.gitlab.install_hook("team/app", url, secret=None, signing_token=None)
    assert (hook.url, hook.events, hook.alert_status) == (url, HOOK_EVENTS, "executable")
    assert recorded.gitlab.install_hook("team/app", url, secret=None, signing_token=None).id == hook.id
    assert [one.id for one in recorded.gitlab.hooks("team/app")] == [hook.id]
    recorded.gitlab.remove_hook("team/app", hook.id)
    assert recorded.gitlab.hooks("team/app") == ()
    assert [(method, path) for method, path, _ in recorded.calls("POST", "PUT", "DELETE")] == [
        ("POST", "/hooks"),
        ("PUT", f"/hooks/{hook.id}"),
        ("DELETE", f"/hooks/{hook.id}"),
    ]
