"""Somebody closes a draft in GitLab and opens it again: it is proposed again, and nobody has approved it yet."""

from collections.abc import Callable

import pytest

from bot.sandbox import acts, payloads
from bot.sandbox.state import MergeRequest
from tests.stories.test_story_approval_matrix import protect, rules
from tests.stories.test_story_approving import SIGNALS, by_comment
from tests.stories.test_story_forging import post
from tests.world.delivered import deliver_and_wait
from tests.world.missed import look, no_delivery
from tests.world.town import Story, Town


def set_state(story: Story, request: MergeRequest, action: str) -> None:
    with story.world.lock:
        acts.set_state(story.world, request, story.maintainer, action)
    story.settle()


def closed_and_opened_again(story: Story, request: MergeRequest) -> None:
    set_state(story, request, "close")
    assert "This draft is rejected" in shown(story)
    set_state(story, request, "reopen")


def shown(story: Story) -> str:
    return story.answers(story.project.issues[0])[0].body


@pytest.mark.parametrize("approve", SIGNALS)
def test_a_draft_that_was_opened_again_is_approved_like_any_other(
    story: Story, approve: Callable[[Story, MergeRequest], None]
) -> None:
    request = story.drafted()
    closed_and_opened_again(story, request)
    assert "rejected" not in shown(story)
    assert "is **proposed**" in story.ask("@pipewright status", of=request)
    approve(story, request)
    story.settle()
    assert request.state == "merged"


def test_what_was_approved_before_the_draft_was_closed_counts_for_nothing(town: Town) -> None:
    story = town.story(rules("approval:\n  minimum: 2\n"))
    protect(story, "developers merge")
    request = story.drafted()
    story.react(request)
    story.settle()
    assert "1 of the 2 approvals" in shown(story)
    closed_and_opened_again(story, request)
    assert "of the 2 approvals" not in shown(story)
    story.comment(request, "@pipewright approve", by=story.developer)
    story.settle()
    assert request.state == "opened"
    assert "1 of the 2 approvals" in shown(story)
    by_comment(story, request)
    story.settle()
    assert request.state == "merged"


def test_a_reaction_on_the_closed_draft_merges_nothing_once_that_is_opened_again(story: Story) -> None:
    request = story.drafted()
    set_state(story, request, "close")
    with no_delivery(story):
        story.react(request)
    set_state(story, request, "reopen")
    with story.world.lock:
        late = payloads.emoji(story.world, request, None, request.awards[-1], "award")
    post(story, "Emoji Hook", late)
    assert request.state == "opened"
    assert "closed and opened again" in story.answer(request)
    story.unreact(request)
    story.react(request)
    story.settle()
    assert request.state == "merged"


def test_a_draft_that_was_closed_and_opened_at_once_waits_for_no_merge_that_gitlab_forgot(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        with no_delivery(story):
            set_state_at_once(story, request, "close")
        set_state_at_once(story, request, "reopen")
        story.until(lambda: "GitLab merges when it" not in shown(story))
    story.settle()
    assert request.state == "opened"
    by_comment(story, request)
    story.settle()
    assert request.state == "merged"


def set_state_at_once(story: Story, request: MergeRequest, action: str) -> None:
    with story.world.lock:
        acts.set_state(story.world, request, story.maintainer, action)


def test_where_somebody_pushed_to_the_closed_draft_both_commits_are_named(story: Story) -> None:
    request = story.drafted()
    proposed = story.head(request.source_branch)
    set_state(story, request, "close")
    pushed = story.push(request.source_branch, "more.sh", "true\n")
    set_state(story, request, "reopen")
    assert f"I proposed `{proposed[:8]}`, but the draft now stands at `{pushed[:8]}`" in story.answer(request)
    story.react(request)
    story.settle()
    assert request.state == "opened"
    story.ask(f"@pipewright approve {pushed[:8]}", of=request, by=story.maintainer)
    assert (request.state, request.last_sha) == ("merged", pushed)


def test_where_another_draft_is_open_meanwhile_whoever_opens_the_first_again_learns_it_once(story: Story) -> None:
    first = story.drafted()
    set_state(story, first, "close")
    story.ask("@pipewright generate", of=story.project.issues[0])
    second = story.project.merge_requests[1]
    set_state(story, first, "reopen")
    look(story)
    (told,) = [note.body for note in story.answers(first)]
    assert f"/-/merge_requests/{second.iid}) of the same conversation is open" in told
    assert "`@pipewright reject` there, then close this one and open it again" in told
    story.react(first)
    story.settle()
    assert "this draft is rejected and can no longer be approved" in story.answer(first)
    assert (first.state, second.state) == ("opened", "opened")
    story.ask("@pipewright reject", of=second)
    set_state(story, first, "close")
    set_state(story, first, "reopen")
    by_comment(story, first)
    story.settle()
    assert (first.state, second.state) == ("merged", "closed")


def test_a_draft_that_is_opened_again_without_its_hook_is_noticed_each_time(story: Story) -> None:
    request = story.drafted()
    with no_delivery(story):
        for _ in range(2):
            set_state(story, request, "close")
            look(story)
            assert "This draft is rejected" in shown(story)
            assert look(story) == 0
            set_state(story, request, "reopen")
            look(story)
            assert "rejected" not in shown(story)
    story.react(request)
    story.settle()
    assert request.state == "merged"


def test_a_reaction_on_a_closed_draft_is_not_answered_and_a_comment_is_told_what_to_do(story: Story) -> None:
    request = story.drafted()
    set_state(story, request, "close")
    story.react(request)
    story.settle()
    assert story.answers(request) == []
    assert "unless somebody opens its merge request again" in story.ask(
        "@pipewright approve", of=request, by=story.maintainer
    )


@pytest.mark.parametrize("state", ["opened", "closed"])
def test_a_forged_delivery_opens_nothing_again_and_voids_nothing(town: Town, state: str) -> None:
    story = town.story(rules("approval:\n  minimum: 2\n"))
    protect(story, "developers merge")
    request = story.drafted()
    story.react(request)
    story.settle()
    if state == "closed":
        set_state(story, request, "close")
    with story.world.lock:
        body = payloads.merge_request(story.world, request, story.maintainer, "reopen")
    post(story, "Merge Request Hook", body)
    assert request.state == state
    assert ("1 of the 2 approvals" if state == "opened" else "This draft is rejected") in shown(story)


def test_a_forged_delivery_leaves_a_waiting_merge_as_it_is(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        with story.world.lock:
            body = payloads.merge_request(story.world, request, story.maintainer, "reopen")
        deliver_and_wait(story, "merge_request", body)
        assert "GitLab merges when it" in shown(story)
    story.settle()
    assert request.state == "merged"
