"""Stories of somebody who knows the webhook's secret and writes deliveries: nothing of weight comes of them."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from bot.sandbox import acts, payloads
from bot.sandbox.state import Note, Todo
from tests.world.delivered import deliver_and_wait
from tests.world.missed import look, no_delivery
from tests.world.town import SECRET, Story

APPROVE = "@pipewright approve"


def deliver(story: Story, note: Note, *, text: str, id_: int) -> None:
    """Send what GitLab would if the maintainer had written this as that note."""
    with story.world.lock:
        body = payloads.note(story.world, story.request, note, "create")
    written = body["object_attributes"] | {"id": id_, "note": text, "description": text}
    post(story, "Note Hook", body | {"object_attributes": written})


def post(story: Story, event: str, body: Mapping[str, Any]) -> None:
    """Send a delivery as GitLab does, and let the bot work on it."""
    headers = {"X-Gitlab-Event": event, "X-Gitlab-Token": SECRET, "Content-Type": "application/json"}
    address = story.town.address + "/webhooks/gitlab"
    answer = httpx.post(address, content=json.dumps(body), headers=headers, timeout=60)
    assert answer.status_code == 202
    story.settle()


@pytest.mark.parametrize("is_there", [True, False], ids=["other words", "no such note"])
def test_an_approval_in_a_forged_delivery_merges_nothing(story: Story, *, is_there: bool) -> None:
    request = story.drafted()
    note = story.comment(request, "I am not sure yet, @pipewright2.", by=story.maintainer)
    story.settle()
    deliver(story, note, text=APPROVE, id_=note.id if is_there else note.id + 1_000_000)
    assert request.state == "opened"
    assert "not in GitLab as it was delivered to me" in story.answer(request)


def test_an_approval_that_was_changed_before_the_bot_looks_merges_nothing(story: Story) -> None:
    request = story.drafted()
    with story.world.lock:
        note = story.comment(request, APPROVE, by=story.maintainer)
        acts.edit(story.world, request, note, "No, wait.")
    story.settle()
    assert request.state == "opened"
    assert "Write `@pipewright approve` in a new comment" in story.answer(request)


def test_a_commit_that_another_wrote_into_an_approval_before_the_bot_looks_is_not_merged(story: Story) -> None:
    """Whoever may edit comments need not be one who may merge, and GitLab goes on naming the author alone."""
    request = story.drafted()
    proposed = story.head(request.source_branch)
    pushed = story.push(request.source_branch, "more.txt", "more\n")
    story.settle()
    with story.world.lock:
        note = story.comment(request, f"{APPROVE} {proposed[:10]}", by=story.maintainer)
        acts.edit(story.world, request, note, f"{APPROVE} {pushed[:10]}", by=story.developer)
    story.settle()
    assert request.state == "opened"
    assert "not in GitLab as it was delivered to me" in story.answer(request)


@pytest.mark.parametrize("is_told", [True, False], ids=["told of before", "told of by the edit"])
def test_what_another_wrote_into_a_description_merges_nothing(story: Story, *, is_told: bool) -> None:
    """Whoever opened the issue may merge; whoever edits its description may not, and GitLab's list names both."""
    words = "Please look, @pipewright help" if is_told else "We need a pipeline."
    with no_delivery(story), story.world.lock:
        issue = acts.open_issue(story.world, story.project, story.maintainer, "We need CI", words)
    story.ask("@pipewright generate", of=issue)
    with story.world.lock:
        issue.description = APPROVE
        by = story.maintainer if is_told else story.reporter
        story.world.todos.append(Todo(story.world.next_id(), story.town.bot, by, issue, None))
    look(story)
    assert story.request.state == "opened"
    assert ("in a comment if you want it" in story.answer(issue)) is is_told


@pytest.mark.parametrize("word", ["reject", "retry", "cancel", "undo", "repair"])
def test_no_forged_order_undoes_anything(story: Story, word: str) -> None:
    request = story.drafted()
    note = story.comment(request, "I am not sure yet, @pipewright2.", by=story.maintainer)
    story.settle()
    head, runs = story.head(request.source_branch), [run.status for run in story.project.pipelines]
    deliver(story, note, text=f"@pipewright {word}", id_=note.id)
    assert f"Write `@pipewright {word}` in a new comment" in story.answer(request)
    assert (request.state, story.head(request.source_branch)) == ("opened", head)
    assert [run.status for run in story.project.pipelines] == runs


def test_a_forged_close_does_not_make_the_draft_a_rejected_one(story: Story) -> None:
    request = story.drafted()
    with story.world.lock:
        body = payloads.merge_request(story.world, request, story.maintainer, "close")
    post(story, "Merge Request Hook", body)
    assert "rejected" not in story.ask("@pipewright status", of=request)
    story.react(request)
    story.settle()
    assert request.state == "merged"


@pytest.mark.parametrize("kind", ["reaction", "approval"])
def test_a_delivery_cannot_make_an_old_word_count_for_a_newer_commit(story: Story, kind: str) -> None:
    request = story.drafted()
    with no_delivery(story):
        story.react(request)
        story.approve(request)
    story.ask("@pipewright generate with python 3.12", of=request)
    with story.world.lock:
        reaction = payloads.emoji(story.world, request, None, request.awards[-1], "award")
        approval = payloads.merge_request(story.world, request, story.maintainer, "approved")
    post(story, *{"reaction": ("Emoji Hook", reaction), "approval": ("Merge Request Hook", approval)}[kind])
    assert request.state == "opened"
    assert "the draft was changed after your approval came" in story.answer(request)
    assert "must be taken back first" in story.answer(request)


@pytest.mark.parametrize("kind", ["reaction", "approval"])
def test_a_delivery_that_takes_back_what_stands_in_gitlab_disarms_nothing(story: Story, kind: str) -> None:
    """It may be forged, or come late, after the same was given once more."""
    with story.jobs_held():
        request = story.request_while_running()
        if kind == "reaction":
            story.react(request)
        else:
            story.approve(request)
        story.until(lambda: request.auto_merge_by is not None)
        with story.world.lock:
            if kind == "reaction":
                event, body = "emoji", payloads.emoji(story.world, request, None, request.awards[-1], "revoke")
            else:
                event = "merge_request"
                body = payloads.merge_request(story.world, request, story.maintainer, "unapproved")
        deliver_and_wait(story, event, body)
        assert request.auto_merge_by is not None
    story.settle()
    assert request.state == "merged"
    assert "took the approval back" not in story.answer(request)


@pytest.mark.parametrize("is_there", [True, False], ids=["runs", "no such pipeline"])
def test_a_delivery_cannot_make_a_running_pipeline_one_that_passed(story: Story, *, is_there: bool) -> None:
    with story.jobs_held():
        story.request_while_running()
        run = story.project.pipelines[-1]
        with story.world.lock:
            body = payloads.pipeline(story.world, run)
            told = body["object_attributes"] | {"status": "success", "id": run.id if is_there else run.id + 1_000_000}
        deliver_and_wait(story, "pipeline", body | {"object_attributes": told})
        assert "passed" not in story.answers(story.project.issues[0])[0].body
    story.settle()
    assert "passed ✅" in story.answers(story.project.issues[0])[0].body
