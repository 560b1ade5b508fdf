"""Somebody pushes in the very moment between the bot's look and its commit: nobody's work is written over."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.sandbox import hooks, payloads
from bot.sandbox.state import MergeRequest
from tests.world.missed import no_delivery
from tests.world.town import Story

CI = ".gitlab-ci.yml"


@contextmanager
def pushing_before_the_commit(story: Story, path: str, text: str) -> Iterator[list[str]]:
    """Let the developer push as soon as the bot's next commit reaches GitLab, just before it is made."""
    pushed: list[str] = []

    def push(method: str, at: str) -> None:
        if (method, at) == ("POST", f"/projects/{story.project.id}/repository/commits") and not pushed:
            pushed.append(story.push(story.request.source_branch, path, text))

    story.world.before_call.append(push)
    try:
        yield pushed
    finally:
        story.world.before_call.remove(push)


def drafted_twice(story: Story, path: str, text: str) -> tuple[MergeRequest, str, str]:
    """Let a second order change the draft while somebody pushes; return the draft, their push and the answer."""
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    with pushing_before_the_commit(story, path, text) as pushed:
        answer = story.ask("@pipewright generate with python 3.12", of=issue)
    assert len(pushed) == 1
    return story.request, pushed[0], answer


def test_a_push_to_the_same_file_is_never_written_over_and_nothing_is_committed(story: Story) -> None:
    theirs = "mine:\n  script: [make]\n"
    request, pushed, answer = drafted_twice(story, CI, theirs)
    assert story.head(request.source_branch) == pushed
    assert story.file(CI) == theirs
    assert "somebody pushed to `pipewright/issue-1` while I was at work" in answer


def test_a_push_to_another_file_stays_below_and_nothing_is_merged_before_a_person_names_the_commit(
    story: Story,
) -> None:
    request, pushed, answer = drafted_twice(story, "NEWS.md", "news\n")
    head = story.head(request.source_branch)
    assert head != pushed
    assert story.file("NEWS.md") == "news\n"
    assert "in the very moment" in answer
    assert f"@pipewright approve {head[:8]}" in answer
    story.react(request)
    story.settle()
    assert request.state == "opened"
    story.ask(f"@pipewright approve {head[:8]}", of=request, by=story.maintainer)
    assert request.state == "merged"


def test_a_push_while_the_first_commit_is_made_is_told_the_same_way(story: Story) -> None:
    issue = story.issue()
    with pushing_before_the_commit(story, CI, "mine:\n  script: [make]\n"):
        answer = story.ask("@pipewright generate", of=issue)
    assert "while I was at work" in answer
    assert story.file(CI) == "mine:\n  script: [make]\n"


def test_a_reaction_on_a_draft_that_is_still_empty_merges_nothing_that_comes_into_it(story: Story) -> None:
    def react(method: str, at: str) -> None:
        if (method, at) == ("POST", f"/projects/{story.project.id}/repository/commits") and not story.request.awards:
            with no_delivery(story):  # its hook is late
                story.react(story.request)

    story.world.before_call.append(react)
    try:
        request = story.drafted()
    finally:
        story.world.before_call.remove(react)
    with story.world.lock:
        late = payloads.emoji(story.world, request, None, request.awards[0], "award")
        hooks.emit(story.world, story.project, "emoji", late)
    story.settle()
    assert request.state == "opened"
    assert "the draft was changed after your approval came" in story.answer(request)


def test_a_push_that_a_person_approved_is_not_written_over_while_its_merge_waits(story: Story) -> None:
    theirs = "mine:\n  script: [make]\n"
    with story.jobs_held():
        request = story.request_while_running()
        pushed = story.push(request.source_branch, CI, theirs)
        story.comment(request, f"@pipewright approve {pushed[:8]}", by=story.maintainer)
        story.until(lambda: request.auto_merge_by is not None)
        story.comment(request, "@pipewright generate with python 3.12")
        story.until(lambda: "I don't overwrite people's work" in story.answer(request))
    story.settle()
    assert (request.state, request.last_sha) == ("merged", pushed)
    assert story.file(CI, "main") == theirs


def test_a_push_that_a_person_approved_in_vain_is_merged_by_no_other_word(story: Story) -> None:
    request = story.drafted()
    pushed = story.push(request.source_branch, "NEWS.md", "news\n")
    story.settle()
    story.sandbox.fail("PUT", f"/projects/{story.project.id}/merge_requests/1/merge$", 405)
    story.ask(f"@pipewright approve {pushed[:8]}", of=request, by=story.maintainer)
    story.react(request)
    story.settle()
    assert request.state == "opened"
    assert f"the draft now stands at `{pushed[:8]}`" in story.answer(request)


def test_the_next_order_after_such_a_push_says_whose_the_draft_is_now(story: Story) -> None:
    request, pushed, _ = drafted_twice(story, CI, "mine:\n  script: [make]\n")
    again = story.ask("@pipewright generate", of=story.project.issues[0])
    assert pushed[:8] in again
    assert "I don't overwrite people's work" in again
    assert story.head(request.source_branch) == pushed
