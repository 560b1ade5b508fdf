"""Stories of lost webhooks: what none brought is found all the same, once, and the person learns why it took longer."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.handlers.sweep import sweep
from bot.sandbox import acts
from bot.sandbox.state import MergeRequest, Protection, Todo
from tests.world.delivered import orders_of
from tests.world.missed import look, no_delivery
from tests.world.town import PYTHON, Story, Town


def test_a_comment_whose_delivery_was_lost_is_answered_once_and_says_why_it_took_longer(story: Story) -> None:
    issue = story.issue()
    with no_delivery(story):
        story.comment(issue, "@pipewright help")
        story.settle()
        assert story.answers(issue) == []
        look(story)
    assert len(story.answers(issue)) == 1
    assert "no webhook told me of it" in story.answer(issue)
    assert "my webhook lacks the events" in story.answer(issue)
    look(story)
    assert len(story.answers(issue)) == 1


def test_a_comment_whose_entry_the_bot_itself_took_off_the_list_is_found_all_the_same(story: Story) -> None:
    issue = story.issue()
    story.comment(issue, "@pipewright help")
    with no_delivery(story):
        lost = story.comment(issue, "@pipewright status")
    story.settle()  # GitLab takes an issue off the list of whoever says something there
    assert len(story.answers(issue)) == 1
    look(story, grace_seconds=15)
    assert len(story.answers(issue)) == 1, "its delivery may still be on its way"
    lost.created_at -= timedelta(seconds=30)
    look(story, grace_seconds=15)
    assert len(story.answers(issue)) == 2
    look(story)
    assert len(story.answers(issue)) == 2


@pytest.mark.parametrize("is_description", [False, True], ids=["comment", "description"])
def test_of_what_was_written_a_moment_ago_nobody_is_told_that_no_webhook_told_of_it(
    story: Story, is_description: bool
) -> None:
    with no_delivery(story):
        issue = story.issue(description="@pipewright help" if is_description else "")
        note = None if is_description else story.comment(issue, "@pipewright help")
        assert look(story, grace_seconds=15) == 0
        assert [todo.state for todo in story.world.todos if todo.target is issue] == ["pending"]
        written = note or issue
        written.created_at -= timedelta(seconds=30)
        assert look(story, grace_seconds=15) == 1
    assert "no webhook told me of it" in story.answer(issue)
    assert len(story.answers(issue)) == 1


# --- edits give no orders: whoever may edit another's words would speak in that one's name ---


@pytest.mark.parametrize("is_spoken_to", [False, True], ids=["on the to-do list", "where the bot was spoken to"])
def test_a_comment_that_somebody_edited_into_an_order_is_none(story: Story, is_spoken_to: bool) -> None:
    issue = story.issue()
    if is_spoken_to:
        story.ask("@pipewright help", of=issue)
    before = len(story.answers(issue))
    note = story.comment(issue, "Good morning", by=story.maintainer)
    note.created_at -= timedelta(seconds=1)
    with story.world.lock:
        acts.edit(story.world, issue, note, "@pipewright generate", by=story.developer)
    story.settle()
    look(story)
    assert len(story.answers(issue)) == before
    assert story.project.merge_requests == []


def test_a_description_that_somebody_else_made_an_approval_approves_nothing(story: Story) -> None:
    issue = acts.open_issue(story.world, story.project, story.maintainer, "We need CI", "Please")
    story.ask("@pipewright generate", of=issue)
    with story.world.lock:
        acts.describe(story.world, issue, story.reporter, "@pipewright approve")
    story.settle()
    look(story)
    assert story.request.state == "opened"
    assert len(story.answers(issue)) == 1


def test_a_lost_comment_that_was_reacted_to_is_still_an_order(story: Story) -> None:
    issue = story.issue()
    with no_delivery(story):
        note = story.comment(issue, "@pipewright help")
        story.react(issue, "eyes", by=story.reporter, note=note)
        look(story)
    assert len(story.answers(issue)) == 1


def test_a_comment_that_a_webhook_brought_too_is_answered_once(story: Story) -> None:
    issue = story.issue()
    with no_delivery(story):
        note = story.comment(issue, "@pipewright help")
        look(story)
    from bot.sandbox import hooks, payloads

    with story.world.lock:
        hooks.emit(story.world, story.project, "note", payloads.note(story.world, issue, note, "create"))
    story.settle()
    assert len(story.answers(issue)) == 1


@pytest.mark.parametrize("is_description", [False, True], ids=["comment", "description"])
def test_an_order_that_an_older_version_took_in_under_another_name_is_not_answered_again(
    story: Story, is_description: bool
) -> None:
    """Before the look-out names held GitLab's time as it was written; an old web process may still deliver so."""
    issue = story.issue(description="@pipewright help" if is_description else "")
    if not is_description:
        story.comment(issue, "@pipewright help")
    story.settle()
    named_as_of_old(story)
    for todo in story.world.todos:
        todo.state = "pending" if todo.target is issue else todo.state
    assert look(story) == 0
    assert len(story.answers(issue)) == 1
    assert [todo.state for todo in story.world.todos if todo.target is issue] == ["done"]


def named_as_of_old(story: Story) -> None:
    project = story.project.id
    with story.town.parts.services.pool.connection() as connection:
        renamed = connection.execute(
            "update deliveries set key = regexp_replace(key, '^(.*)T(.*):create$', '\\1 \\2 UTC:create')"
            " where key like %s or key like %s returning key",
            (f"note:{project}:%", f"issue:{project}:%"),
        ).fetchall()
    assert [" UTC:create" in key for (key,) in renamed] == [True]


def test_an_order_of_another_gitlab_with_the_same_ids_hides_no_new_one(story: Story) -> None:
    """Ids start again where a new GitLab was set up: only what was stored since the comment can be its order."""
    issue = story.issue()
    story.comment(issue, "@pipewright help")
    story.settle()
    with story.town.parts.services.pool.connection() as connection:
        connection.execute(
            "update orders set created_at = created_at - interval '1 day' where event ->> 'note_id' = %s",
            (str(issue.notes[0].id),),
        )
    named_as_of_old(story)
    assert look(story) == 1


def test_two_lost_comments_behind_one_entry_of_the_list_are_both_answered(story: Story) -> None:
    issue = story.issue()
    with no_delivery(story):
        story.comment(issue, "@pipewright help")
        story.comment(issue, "@pipewright status", by=story.reporter)
        look(story)
    assert len(story.answers(issue)) == 2


def test_a_lost_comment_is_found_below_all_that_gitlab_puts_on_the_list_for_failed_pipelines(story: Story) -> None:
    request, bot = story.drafted(), story.town.bot
    issue = story.issue()
    with no_delivery(story):
        story.comment(issue, "@pipewright help")
        with story.world.lock:
            failed = [Todo(story.world.next_id(), bot, bot, request, None, "build_failed") for _ in range(100)]
            story.world.todos += failed
        look(story)
    for todo in failed:
        story.world.todos.remove(todo)
    assert len(story.answers(issue)) == 1


@pytest.mark.parametrize("is_on_list", [True, False], ids=["on the list", "where one talks"])
def test_lost_comments_are_carried_out_as_they_were_written(story: Story, *, is_on_list: bool) -> None:
    issue = story.issue()
    story.ask("@pipewright help", of=issue)
    with no_delivery(story):
        story.comment(issue, "@pipewright generate")
        story.comment(issue, "@pipewright reject")
        for todo in story.world.todos:
            todo.state = "pending" if is_on_list and todo.target is issue else "done"
        look(story)
    assert story.request.state == "closed"
    assert ["Here is the draft" in note.body for note in story.answers(issue)] == [False, True, False]


@pytest.mark.parametrize("among", [0, 25], ids=["alone", "among many"])
def test_a_comment_that_comes_while_the_list_is_worked_on_is_not_lost(story: Story, among: int) -> None:
    """GitLab adds no second entry while one waits: what comes before it is taken off is read once more."""
    issue = story.issue()
    came: list[str] = []

    def comment(method: str, at: str) -> None:
        if method == "POST" and at.endswith("/mark_as_done") and not came:
            came.append(at)
            story.comment(issue, "@pipewright status")
            for number in range(among):
                story.comment(issue, f"chatter {number}")

    with no_delivery(story):
        story.comment(issue, "@pipewright help")
        story.world.before_call.append(comment)
        try:
            assert look(story) == 2
        finally:
            story.world.before_call.remove(comment)
    assert len(story.answers(issue)) == 2


def test_a_lost_mention_in_a_description_is_heard(story: Story) -> None:
    with no_delivery(story):
        issue = story.issue(description="@pipewright help")
        look(story)
    assert "`@pipewright generate`" in story.answer(issue)


def test_a_lost_comment_on_a_confidential_issue_is_answered_internally(story: Story) -> None:
    with no_delivery(story):
        issue = story.issue(is_confidential=True)
        story.comment(issue, "@pipewright help")
        look(story)
    assert [note.is_internal for note in story.answers(issue)] == [True]


def test_a_lost_comment_on_an_issue_that_became_confidential_is_answered_internally(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright help", of=issue)
    with no_delivery(story):
        issue.is_confidential = True
        story.comment(issue, "@pipewright help")
        for todo in story.world.todos:
            todo.state = "done"
        look(story)
    assert [note.is_internal for note in story.answers(issue)] == [False, True]


@pytest.mark.parametrize("body", ["> @pipewright generate", "`@pipewright generate`", "no order here"])
def test_what_is_no_order_is_none_when_found_late(story: Story, body: str) -> None:
    issue = story.issue()
    with no_delivery(story):
        story.comment(issue, body)
        look(story)
    assert story.answers(issue) == []


def test_a_stranger_found_late_is_refused_all_the_same(town: Town) -> None:
    story = town.story(visibility="public")
    issue = story.issue()
    with no_delivery(story):
        story.comment(issue, "@pipewright generate", by=story.stranger)
        look(story)
    assert story.project.merge_requests == []
    assert "can't" in story.answer(issue)


def test_a_switched_off_webhook_is_named(story: Story) -> None:
    issue = story.issue()
    story.settle()
    story.hook.failures = 40
    assert story.hook.alert_status == "disabled"
    story.comment(issue, "@pipewright help")
    look(story)
    assert "GitLab has switched my webhook off (`disabled`)" in story.answer(issue)


# proposals


def drafted_without_hooks(story: Story) -> MergeRequest:
    issue = story.issue()
    with no_delivery(story):
        story.comment(issue, "@pipewright generate")
        look(story)
        look(story)  # now the pipeline has ended, too
    assert "passed ✅" in story.answers(issue)[0].body
    return story.request


def test_the_end_of_a_pipeline_is_told_without_its_hook(story: Story) -> None:
    assert drafted_without_hooks(story).state == "opened"


def react_on_the_note(story: Story, request: MergeRequest) -> None:
    issue = story.project.issues[0]
    story.react(issue, note=story.answers(issue)[0])


@pytest.mark.parametrize(
    "approve",
    [
        pytest.param(lambda story, request: story.react(request), id="reaction"),
        pytest.param(react_on_the_note, id="reaction on the note"),
        pytest.param(lambda story, request: story.approve(request), id="approval"),
        pytest.param(
            lambda story, request: story.comment(request, "@pipewright approve", by=story.maintainer), id="comment"
        ),
    ],
)
def test_each_lost_approval_merges_in_the_end(story: Story, approve: object) -> None:
    request = story.drafted()
    with no_delivery(story):
        assert callable(approve)
        approve(story, request)
        look(story)
        look(story)
    assert request.state == "merged"
    assert "on `main` passed ✅" in story.answers(story.project.issues[0])[0].body


def test_a_lost_reaction_of_somebody_not_entitled_is_refused_once(story: Story) -> None:
    request = story.drafted()
    with no_delivery(story):
        story.react(request, by=story.developer)
        look(story)
        look(story)
    assert request.state == "opened"
    assert len(story.answers(request)) == 1


def test_a_reaction_from_before_the_present_commit_approves_nothing(story: Story) -> None:
    request = story.drafted()
    with no_delivery(story):
        story.react(request)
        story.approve(request)
        request.awards[-1].created_at -= timedelta(hours=3)
        request.approvals[-1] = (story.maintainer, request.approvals[-1][1] - timedelta(hours=3))
        look(story)
    assert request.state == "opened"
    assert story.answers(request) == []


def test_a_comment_from_before_the_present_commit_approves_nothing(story: Story) -> None:
    request = story.drafted()
    with no_delivery(story):
        note = story.comment(request, "@pipewright approve", by=story.maintainer)
    story.ask("@pipewright generate with python 3.12", of=request)
    note.created_at -= timedelta(minutes=3)  # a look makes the commit two minutes older
    look(story)
    assert request.state == "opened"
    assert "the draft was changed after your approval came" in story.answer(request)


def test_a_comment_about_a_draft_that_was_closed_approves_no_later_one(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    with no_delivery(story):
        note = story.comment(issue, "@pipewright approve", by=story.maintainer)
    with story.world.lock:
        acts.set_state(story.world, story.request, story.maintainer, "close")
    story.settle()
    story.ask("@pipewright generate", of=issue)
    note.created_at -= timedelta(minutes=3)  # a look makes the draft two minutes older
    look(story)
    assert [request.state for request in story.project.merge_requests] == ["closed", "opened"]
    assert "the draft was changed after your approval came" in story.answer(issue)


def look_at_drafts(story: Story) -> None:
    """Let the bot look at this story's drafts, as if it were two minutes later, while their pipelines run."""
    services, queue = story.town.parts.services, story.town.parts.queue
    with services.pool.connection() as connection:
        connection.execute("update pipelines set swept_at = now()")
        connection.execute(
            "update pipelines set swept_at = null, opened_at = opened_at - interval '2 minutes',"
            " updated_at = updated_at - interval '2 minutes' where project_id = %s",
            (story.project.id,),
        )
    sweep(services, queue.accept)


def test_an_approval_taken_back_without_its_hook_disarms_the_waiting_merge(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        with no_delivery(story):
            story.unreact(request)
            look_at_drafts(story)
            story.until(lambda: request.auto_merge_by is None)
    story.settle()
    assert request.state == "opened"


# --- a merge that waits for the pipeline: GitLab completes it in the bot's name, and asks nobody who approved again ---


def blocked(story: Story) -> None:
    story.maintainer.state = "blocked"


def removed(story: Story) -> None:
    del story.project.members[story.maintainer.id]


def protected_more(story: Story) -> None:
    story.project.protected["main"] = Protection(push=40, merge=50)


def wanted_by_two(story: Story) -> None:
    story.push("main", ".pipewright.yml", "approval:\n  minimum: 2\n", by=story.maintainer)


def deleted(story: Story) -> None:
    story.request.notes.clear()


@pytest.mark.parametrize("meanwhile", [blocked, removed, protected_more, wanted_by_two, deleted])
def test_a_merge_does_not_wait_on_an_approval_that_counts_no_longer(
    story: Story, meanwhile: Callable[[Story], None]
) -> None:
    with story.jobs_held():
        request = story.request_while_running()
        story.comment(request, "@pipewright approve", by=story.maintainer)
        story.until(lambda: request.auto_merge_by is not None and "approved" in story.answer(request))
        with no_delivery(story):
            meanwhile(story)
            look_at_drafts(story)
            story.until(lambda: "I gave up the merge" in story.answer(request))
    story.settle()
    assert request.state == "opened"
    assert "GitLab merges when it passes" not in story.answers(story.project.issues[0])[0].body


def test_it_is_told_where_gitlab_lets_nobody_stop_a_merge_that_nobody_approves_any_more(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        path = f"/projects/{story.project.id}/merge_requests/1/cancel_merge_when_pipeline_succeeds$"
        story.sandbox.fail("POST", path, 403)
        blocked(story)
        look_at_drafts(story)
        story.until(lambda: "Cancel the auto-merge in GitLab" in story.answer(request))
    story.settle()


def test_a_merge_goes_on_waiting_while_enough_approvals_count(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        look_at_drafts(story)
        story.until(lambda: orders_of(story, "reaction") == (0, 1))
    story.settle()
    assert (request.state, story.answers(request)) == ("merged", [])


def test_whoever_approved_learns_that_somebody_cancelled_the_merge_in_gitlab(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        request.auto_merge_by = None
        look_at_drafts(story)
        story.until(lambda: "GitLab waits no longer to merge it" in story.answer(request))
        look_at_drafts(story)
    story.settle()
    assert (request.state, len(story.answers(request))) == ("opened", 1)
    story.comment(request, "@pipewright approve", by=story.maintainer)
    story.settle()
    assert request.state == "merged"


def test_what_is_left_to_a_person_is_not_called_cancelled(town: Town) -> None:
    story = town.story({**PYTHON, ".pipewright.yml": "merge: never\n"})
    request = story.drafted()
    story.react(request)
    story.settle()
    look_at_drafts(story)
    story.settle()
    assert story.answers(request) == []


def test_a_merge_and_a_closing_by_hand_are_noticed_without_hooks(story: Story) -> None:
    request = story.drafted()
    with no_delivery(story):
        with story.world.lock:
            acts.set_state(story.world, request, story.maintainer, "close")
        look(story)
    assert "This draft is rejected" in story.answers(story.project.issues[0])[0].body


def test_a_push_and_the_end_of_the_approved_commits_pipeline_are_noticed_without_hooks(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        with no_delivery(story):
            story.push(request.source_branch, "more.txt", "more\n")
    with no_delivery(story):
        story.settle()
        look(story)
        look(story)
    assert request.state == "opened"
    (pushed,) = [note.body for note in story.answers(request) if "after it was approved" in note.body]
    assert pushed.startswith("`somebody` pushed to the draft")  # only the hook tells who
    assert "of the draft passed ✅" in story.answers(story.project.issues[0])[0].body


def test_one_project_whose_rules_cannot_be_read_keeps_no_other_from_being_looked_at(town: Town) -> None:
    broken = town.story()
    broken.drafted()
    broken.push("main", ".pipewright.yml", "approval: []\n", by=broken.maintainer)
    story = town.story()
    request = story.drafted()
    with no_delivery(story):
        story.react(request)
        look(story, besides=broken)
    assert request.state == "merged"


def test_nothing_is_found_where_nothing_was_lost(story: Story) -> None:
    story.react(story.drafted())
    story.settle()
    look(story)  # deals with what earlier stories may have left
    assert look(story) == 0
