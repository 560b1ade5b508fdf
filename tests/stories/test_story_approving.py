"""Stories of approving: who, how, and exactly which commit."""

import hashlib
from collections.abc import Callable

import pygit2
import pytest

from bot.sandbox import merging, payloads, seed
from bot.sandbox.ci import engine
from bot.sandbox.faults import DeliveryFault
from bot.sandbox.state import Award, MergeRequest, Protection
from tests.world.delivered import deliver_and_wait
from tests.world.missed import no_delivery
from tests.world.town import PYTHON, Story, Town


def by_reaction(story: Story, request: MergeRequest) -> None:
    story.react(request)


def by_reaction_on_the_note(story: Story, request: MergeRequest) -> None:
    issue = story.project.issues[0]
    story.react(issue, note=story.answers(issue)[0])


def by_button(story: Story, request: MergeRequest) -> None:
    story.approve(request)


def by_quick_action(story: Story, request: MergeRequest) -> None:
    from bot.sandbox import acts

    with story.world.lock:
        acts.comment(story.world, request, story.maintainer, "/approve")


def by_comment(story: Story, request: MergeRequest) -> None:
    story.comment(request, "@pipewright approve", by=story.maintainer)


def by_comment_in_the_issue(story: Story, request: MergeRequest) -> None:
    story.comment(story.project.issues[0], "@pipewright /approve", by=story.maintainer)


def by_naming_the_commit(story: Story, request: MergeRequest) -> None:
    story.comment(request, f"@pipewright approve {story.head(request.source_branch)[:10]}", by=story.maintainer)


SIGNALS = [
    by_reaction,
    by_reaction_on_the_note,
    by_button,
    by_quick_action,
    by_comment,
    by_comment_in_the_issue,
    by_naming_the_commit,
]


@pytest.mark.parametrize("approve", SIGNALS)
def test_each_signal_of_a_maintainer_merges_the_proposed_commit(
    story: Story, approve: Callable[[Story, MergeRequest], None]
) -> None:
    request = story.drafted()
    proposed = story.head(request.source_branch)
    approve(story, request)
    story.settle()
    assert request.state == "merged"
    assert request.last_sha == proposed
    assert story.file(".gitlab-ci.yml", "main")
    note = story.answers(story.project.issues[0])[0].body
    assert f"Merged `{proposed[:8]}`" in note
    assert story.maintainer.username in note
    assert "on `main` passed ✅" in note


@pytest.mark.parametrize("who", ["developer", "reporter", "guest", "stranger"])
def test_whoever_may_not_merge_is_refused_and_told(town: Town, who: str) -> None:
    story = town.story(visibility="public")
    request = story.drafted()
    story.react(request, by=getattr(story, who))
    story.settle()
    assert request.state == "opened"
    assert "I did not merge" in story.answer(request)


def test_a_comment_of_someone_who_may_not_merge_is_refused(story: Story) -> None:
    request = story.drafted()
    answer = story.ask("@pipewright approve", of=request, by=story.developer)
    assert "allowed to merge into `main`" in answer
    assert request.state == "opened"


def test_the_reaction_of_another_bot_does_not_count(story: Story) -> None:
    request = story.drafted()
    with story.world.lock:
        other = seed.add_user(story.world, f"helper{story.project.id}", is_bot=True)
        story.project.members[other.id] = 40
    story.react(request, by=other)
    story.settle()
    assert request.state == "opened"


def test_a_blocked_maintainer_does_not_count(story: Story) -> None:
    request = story.drafted()
    story.maintainer.state = "blocked"
    story.react(request)
    story.settle()
    assert request.state == "opened"


def test_where_the_rule_lets_developers_merge_a_developer_may_approve(story: Story) -> None:
    story.project.protected["main"] = Protection(push=40, merge=30)
    request = story.drafted()
    story.react(request, by=story.developer)
    story.settle()
    assert request.state == "merged"


def test_a_rule_of_the_project_can_forbid_approving_ones_own_order(town: Town) -> None:
    story = town.story({**PYTHON, ".pipewright.yml": "approval:\n  requester_may_approve: false\n"})
    request = story.drafted()
    story.project.protected["main"] = Protection(push=40, merge=30)
    story.react(request, by=story.developer)
    story.settle()
    assert request.state == "opened"
    assert "who asked for the draft may not approve it" in story.answer(request)
    story.react(request)
    story.settle()
    assert request.state == "merged"


def test_a_rule_with_a_typing_error_refuses_instead_of_vanishing(town: Town) -> None:
    story = town.story()
    request = story.drafted()
    rule = "approval:\n  requester_may_aprove: false\n"
    story.push("main", ".pipewright.yml", rule, by=story.maintainer)
    answer = story.ask("@pipewright approve", of=request, by=story.maintainer)
    assert "`.pipewright.yml` on the default branch is not valid" in answer
    assert request.state == "opened"


def test_the_reaction_that_approves_may_be_the_last_of_hundreds(story: Story) -> None:
    request = story.drafted()
    with story.world.lock:
        for number in range(230):
            fan = seed.add_user(story.world, f"fan{story.project.id}x{number}")
            request.awards.append(Award(story.world.next_id(), "thumbsup", fan))
    story.react(request)
    story.settle()
    assert request.state == "merged"


@pytest.mark.parametrize("emoji", ["thumbsdown", "eyes", "heart"])
def test_other_reactions_approve_nothing(story: Story, emoji: str) -> None:
    request = story.drafted()
    story.react(request, emoji)
    story.settle()
    assert request.state == "opened"
    assert story.answers(request) == []


def test_a_push_before_the_approval_is_not_merged_and_both_shas_are_named(story: Story) -> None:
    request = story.drafted()
    proposed = story.head(request.source_branch)
    pushed = story.push(request.source_branch, "evil.sh", "rm -rf /\n")
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert proposed[:8] in story.answer(request)
    assert pushed[:8] in story.answer(request)


def test_whoever_names_the_new_commit_approves_that(story: Story) -> None:
    request = story.drafted()
    pushed = story.push(request.source_branch, "good.sh", "true\n")
    story.settle()
    story.ask(f"@pipewright approve {pushed[:8]}", of=request, by=story.maintainer)
    assert request.state == "merged"
    assert request.last_sha == pushed


def alike(story: Story, branch: str) -> tuple[bytes, bytes]:
    """Make two commits on top of a branch whose names begin with the same seven letters."""
    head = pygit2.Repository(str(story.project.git_dir))[story.head(branch)].peel(pygit2.Commit)
    seen: dict[str, bytes] = {}
    for number in range(1_000_000):
        raw = f"tree {head.tree_id}\nparent {head.id}\nauthor M <m@x> 1 +0000\ncommitter M <m@x> 1 +0000\n\n{number}"
        body = raw.encode()
        name = hashlib.sha1(b"commit %d\0" % len(body) + body, usedforsecurity=False).hexdigest()[:7]
        if name in seen:
            return seen[name], body
        seen[name] = body
    raise AssertionError("no two are alike")


def force(story: Story, request: MergeRequest, body: bytes) -> str:
    """Push this commit in place of what stands on the draft's branch."""
    repository = pygit2.Repository(str(story.project.git_dir))
    made = repository.write(pygit2.enums.ObjectType.COMMIT, body)
    with story.world.lock:
        repository.references.create(f"refs/heads/{request.source_branch}", made, force=True)
        request.stands_at(str(made))
        engine.on_merge_request(story.world, request, story.developer)
    story.settle()
    return str(made)


def test_a_commit_whose_name_begins_like_that_of_another_is_approved_in_full_only(story: Story) -> None:
    request = story.drafted()
    first, second = alike(story, request.source_branch)
    looked_at = force(story, request, first)
    head = force(story, request, second)
    answer = story.ask(f"@pipewright approve {looked_at[:7]}", of=request, by=story.maintainer)
    assert request.state == "opened"
    assert f"it was `{looked_at}`, and is `{head}` now" in answer
    story.ask(f"@pipewright approve {head}", of=request, by=story.maintainer)
    assert (request.state, request.last_sha) == ("merged", head)


def test_a_reaction_taken_back_before_the_bot_looks_counts_for_nothing(story: Story) -> None:
    request = story.drafted()
    with story.world.lock:
        story.react(request)
        story.unreact(request)
    story.settle()
    assert request.state == "opened"


def test_a_draft_that_gitlab_lets_nobody_make_ready_does_not_count_as_approved(story: Story) -> None:
    request = story.drafted()
    story.sandbox.fail("PUT", f"/projects/{story.project.id}/merge_requests/1$", 403)
    story.react(request)
    story.settle()
    assert "I did not merge" in story.answer(request)
    answer = story.ask("@pipewright status", of=request)
    assert "is **proposed**" in answer
    assert "GitLab merges when it passes" not in answer


def test_an_approval_while_the_pipeline_runs_merges_when_it_is_green(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
    story.settle()
    assert request.state == "merged"
    assert "Merged" in story.answer(story.project.issues[0])


@pytest.mark.parametrize("status", ["created", "waiting_for_resource", "preparing", "waiting_for_callback", "pending"])
def test_an_approval_while_the_pipeline_waits_for_something_waits_for_the_pipeline(story: Story, status: str) -> None:
    request = story.drafted()
    story.project.pipelines[-1].status = status
    story.react(request)
    story.settle()
    assert (request.state, request.auto_merge_by) == ("opened", story.town.bot)


def test_taking_the_approval_back_while_the_pipeline_runs_disarms_the_merge(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        story.unreact(request)
        story.until(lambda: request.auto_merge_by is None)
    story.settle()
    assert request.state == "opened"
    assert "took the approval back" in story.answer(request)


def test_an_approval_taken_back_after_the_merge_came_too_late_and_is_not_called_in_time(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        story.sandbox.faults.add(DeliveryFault("merge_request", "lost"), DeliveryFault("pipeline", "lost", times=9))
    story.settle()
    assert request.state == "merged"
    story.sandbox.faults.clear()
    story.unreact(request)
    story.settle()
    assert "so nothing is merged" not in story.answer(request)
    assert "so nothing is merged" not in story.answer(story.project.issues[0])


def taken_back_while_disarming_fails(story: Story, status: int, told: str) -> MergeRequest:
    with story.jobs_held():
        request = story.approved_while_running()
        path = f"/projects/{story.project.id}/merge_requests/1/cancel_merge_when_pipeline_succeeds$"
        story.sandbox.fail("POST", path, status)
        story.unreact(request)
        story.until(lambda: told in story.answer(request))
    story.settle()
    return request


def test_an_approval_taken_back_while_gitlab_is_ill_disarms_the_merge_once_it_is_well(story: Story) -> None:
    request = taken_back_while_disarming_fails(story, 502, "took the approval back before the merge")
    assert request.state == "opened"


def test_whoever_takes_an_approval_back_learns_that_the_merge_could_not_be_disarmed(story: Story) -> None:
    request = taken_back_while_disarming_fails(story, 403, "I could not stop the merge")
    assert "so nothing is merged" not in story.answer(request)
    assert "Cancel the auto-merge in GitLab" in story.answer(request)


def test_a_push_while_an_approved_merge_waits_voids_the_approval(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        pushed = story.push(request.source_branch, "late.txt", "x\n")
        story.until(lambda: "The approval is void" in story.answer(request))
    story.settle()
    assert request.state == "opened"
    assert pushed[:8] in story.answer(request)


def test_a_red_pipeline_is_told_and_not_merged(town: Town) -> None:
    files = {**PYTHON, ".gitlab-ci.yml": "breaks:\n  script:\n    - exit 1\n"}
    story = town.story(files)
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    assert "failed ❌" in story.answer(issue)
    assert "`breaks`" in story.answer(issue)
    answer = story.ask("@pipewright approve", of=story.request, by=story.maintainer)
    assert "its pipeline failed" in answer
    assert story.request.state == "opened"


def test_reject_closes_the_draft_and_a_new_order_opens_another(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    first = story.request
    assert "Closed" in story.ask("@pipewright reject", of=issue)
    assert first.state == "closed"
    story.ask("@pipewright generate", of=issue)
    assert [one.state for one in story.project.merge_requests] == ["closed", "opened"]


def test_a_draft_that_was_deleted_in_gitlab_can_be_rejected_and_asked_for_anew(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    with story.world.lock:
        story.project.merge_requests.clear()
    assert "Closed" in story.ask("@pipewright reject", of=issue)
    assert "Here is the draft" in story.ask("@pipewright generate", of=issue)
    assert story.request.state == "opened"


def test_the_late_hook_of_a_push_below_the_approved_one_voids_nothing(story: Story) -> None:
    with story.jobs_held():
        request = story.request_while_running()
        with no_delivery(story):
            proposed = request.last_sha
            story.push(request.source_branch, "one.txt", "1\n")
            late = payloads.merge_request(story.world, request, story.developer, "update", oldrev=proposed)
            newest = story.push(request.source_branch, "two.txt", "2\n")
        story.comment(request, f"@pipewright approve {newest[:8]}", by=story.maintainer)
        story.until(lambda: request.auto_merge_by is not None and "approved" in story.answer(request))
        deliver_and_wait(story, "merge_request", late)
        assert request.auto_merge_by is not None
    story.settle()
    assert (request.state, request.last_sha) == ("merged", newest)


def test_what_was_merged_a_moment_ago_is_not_called_closed(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        story.hook.flags, flags = {}, story.hook.flags
    story.settle()
    assert request.state == "merged"
    story.hook.flags = flags  # the merge's own hook is late
    assert "merged a moment ago" in story.ask("@pipewright reject", of=request)
    assert "is rejected" not in story.answer(story.project.issues[0])


def test_retry_runs_the_failed_jobs_again(town: Town) -> None:
    story = town.story({**PYTHON, ".gitlab-ci.yml": "breaks:\n  script:\n    - exit 1\n"})
    request = story.drafted()
    before = {job.id for job in story.project.pipelines[-1].jobs}
    story.ask("@pipewright retry", of=request)
    assert {job.id for job in story.project.pipelines[-1].jobs} != before


def test_the_merge_by_hand_is_noticed(story: Story) -> None:
    request = story.drafted()
    with story.world.lock:
        request.title, request.unsettled_reads = "Set up CI", 0
        merging.merge(story.world, request, story.maintainer, sha=None, when_green=False)
    story.settle()
    assert "in GitLab itself, not by me" in story.answers(story.project.issues[0])[0].body


def test_the_status_after_the_merge_tells_all(story: Story) -> None:
    request = story.drafted()
    story.react(request)
    story.settle()
    answer = story.ask("@pipewright status", of=story.project.issues[0])
    assert "Merged" in answer
    assert "passed ✅" in answer


def test_after_the_merge_an_approval_says_that_it_is_merged(story: Story) -> None:
    request = story.drafted()
    story.react(request)
    story.settle()
    assert "merged already" in story.ask("@pipewright approve", of=request, by=story.maintainer)
