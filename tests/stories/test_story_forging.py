"""Stories of somebody who knows the webhook's secret and writes deliveries: no merge comes of them."""

import json

import httpx
import pytest

from bot.sandbox import acts, payloads
from bot.sandbox.state import Note
from tests.world.town import SECRET, Story

APPROVE = "@pipewright approve"


def deliver(story: Story, note: Note, *, text: str, id_: int) -> None:
    """Send what GitLab would if the maintainer had written this as that note."""
    with story.world.lock:
        body = payloads.note(story.world, story.request, note, "create")
    written = body["object_attributes"] | {"id": id_, "note": text, "description": text}
    headers = {"X-Gitlab-Event": "Note Hook", "X-Gitlab-Token": SECRET, "Content-Type": "application/json"}
    address = story.town.address + "/webhooks/gitlab"
    answer = httpx.post(address, content=json.dumps(body | {"object_attributes": written}), headers=headers, timeout=60)
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
