"""Stories of changing an open draft: one commit of the bot, once, and never over anybody's work."""

from dataclasses import replace

import pytest

from bot.domain import CannotError, Person, ProposalStatus
from bot.proposals.approval import approve
from bot.proposals.change import change_draft, checked
from bot.proposals.entitled import Signal, SignalKind
from bot.sandbox import git_store
from bot.sandbox.state import Protection
from bot.store import proposals
from tests.world.missed import no_delivery
from tests.world.orders import current, order_of
from tests.world.town import PYTHON, Story, Town

CI = ".gitlab-ci.yml"
SLOW = "\nslow:\n  stage: test\n  image: alpine:3.22\n  script:\n    - sleep 1\n"
WORDS = {"title": "Add the job slow", "why": "somebody asked for it"}


def test_a_change_is_one_commit_on_the_same_draft_and_a_new_proposal(story: Story) -> None:
    request = story.drafted()
    before, old = story.file(CI), current(story)
    services, order = story.town.parts.services, order_of(story)
    files = {CI: before + SLOW}
    with no_delivery(story):  # what comes of the hook of its pipeline is another order's
        calls = len(story.sandbox.calls)
        checked(services, story.project.id, files)
        new = change_draft(services, order, old, files, **WORDS)
        made = [call for call in story.sandbox.calls[calls:] if f"/projects/{story.project.id}/" in call]
    story.settle()
    assert story.file(CI) == before + SLOW
    assert new.commit_id == story.head(request.source_branch) != old.commit_id
    assert (new.status, new.merge_request_iid) == (ProposalStatus.PROPOSED, request.iid)
    assert current(story).id == new.id
    assert [row.name for row in new.composition.jobs][-1] == "slow"
    assert "Add the job slow" in request.description
    assert "`slow`" in request.description
    assert len(story.project.pipelines) == 2
    assert len(made) <= 6, made


def test_an_approval_of_the_state_before_merges_nothing(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        story.until(lambda: current(story).status == ProposalStatus.APPROVED)
        old = current(story)
        change_draft(story.town.parts.services, order_of(story), old, {CI: story.file(CI) + SLOW}, **WORDS)
    story.settle()
    assert request.state == "opened"
    assert request.auto_merge_by is None
    assert request.title.startswith("Draft: ")
    assert story.ask(f"@pipewright approve {(old.commit_id or '')[:8]}", of=request, by=story.maintainer).startswith(
        "I can't do that: you named"
    )
    assert request.state == "opened"


@pytest.mark.parametrize("kind", ["note", "reaction"])
def test_an_approval_that_waited_while_the_draft_was_changed_does_not_count_for_the_change(
    story: Story, kind: SignalKind
) -> None:
    request = story.drafted()
    services, waiting = story.town.parts.services, order_of(story)
    change_draft(services, waiting, current(story), {CI: story.file(CI) + SLOW}, **WORDS)
    maintainer = Person(id=story.maintainer.id, username=story.maintainer.username)
    emoji = "thumbsup" if kind == "reaction" else None
    with pytest.raises(CannotError, match=r"changed after your approval came.* approve again"):
        approve(services, waiting, current(story), Signal(kind=kind, person=maintainer, emoji=emoji))
    story.settle()
    assert request.state == "opened"
    story.ask("@pipewright approve", of=request, by=story.maintainer)
    assert request.state == "merged"


def test_nor_for_a_draft_that_was_composed_anew_meanwhile(story: Story) -> None:
    request = story.drafted()
    services, waiting = story.town.parts.services, order_of(story)
    story.ask("@pipewright generate with python 3.12", of=request)
    maintainer = Person(id=story.maintainer.id, username=story.maintainer.username)
    with pytest.raises(CannotError, match=r"changed after your approval came"):
        approve(services, waiting, current(story), Signal(kind="reaction", person=maintainer, emoji="thumbsup"))
    assert request.state == "opened"


def test_what_is_composed_anew_after_an_approval_is_a_draft_again(story: Story) -> None:
    with story.jobs_held():
        request = story.approved_while_running()
        assert not request.title.startswith("Draft:")
        issue = story.project.issues[0]
        story.comment(issue, "@pipewright generate with python 3.12")
        story.until(lambda: len(story.answers(issue)) > 1 and "Here is the draft" in story.answer(issue))
    story.settle()
    assert request.state == "opened"
    assert request.title.startswith("Draft:")


def test_an_order_that_was_cut_off_after_its_commit_makes_no_second_one(story: Story) -> None:
    request = story.drafted()
    services, order, old = story.town.parts.services, order_of(story), current(story)
    files = {CI: story.file(CI) + SLOW}
    first = change_draft(services, order, old, files, **WORDS)
    with services.pool.connection() as connection:  # as if the process had died right after the commit
        connection.execute("update pipelines set status = 'generated', commit_id = null where id = %s", (first.id,))
        proposals.set_status(connection, old.id, ProposalStatus.PROPOSED)
    again = change_draft(services, replace(order, attempts=2), old, files, **WORDS)
    assert (again.id, again.commit_id) == (first.id, first.commit_id)
    assert story.head(request.source_branch) == first.commit_id
    finished = change_draft(services, replace(order, attempts=3), again, files, **WORDS)
    assert finished.id == first.id
    assert story.head(request.source_branch) == first.commit_id
    story.settle()


def test_a_cut_off_order_whose_words_changed_says_what_it_had_done(story: Story) -> None:
    story.drafted()
    services, order, old = story.town.parts.services, order_of(story), current(story)
    first = change_draft(services, order, old, {CI: story.file(CI) + SLOW}, **WORDS)
    with services.pool.connection() as connection:
        connection.execute("update pipelines set status = 'generated', commit_id = null where id = %s", (first.id,))
        proposals.set_status(connection, old.id, ProposalStatus.PROPOSED)
    other = {CI: (old.gitlab_ci or "") + SLOW.replace("slow", "other")}
    with pytest.raises(CannotError, match="Add the job slow"):
        change_draft(services, replace(order, attempts=2), old, other, **WORDS)
    assert (current(story).id, current(story).commit_id) == (first.id, first.commit_id)
    story.settle()


def test_a_cut_off_order_that_had_committed_nothing_starts_afresh(story: Story) -> None:
    story.drafted()
    services, order, old = story.town.parts.services, order_of(story), current(story)
    story.sandbox.fail("POST", f"/projects/{story.project.id}/repository/commits$", 403)
    with pytest.raises(Exception, match="forbids"):
        change_draft(services, order, old, {CI: story.file(CI) + SLOW}, **WORDS)
    other = {CI: story.file(CI) + SLOW.replace("slow", "other")}
    new = change_draft(services, replace(order, attempts=2), old, other, **WORDS)
    assert "\nother:" in story.file(CI)
    assert "\nslow:" not in story.file(CI)
    assert current(story).id == new.id
    story.settle()


def test_a_push_of_somebody_is_never_written_over(story: Story) -> None:
    request = story.drafted()
    story.push(request.source_branch, "README.md", "mine\n")
    story.settle()
    head = story.head(request.source_branch)
    with pytest.raises(CannotError, match="somebody else pushed"):
        change_draft(story.town.parts.services, order_of(story), current(story), {CI: story.file(CI) + SLOW}, **WORDS)
    assert story.head(request.source_branch) == head


def test_a_draft_that_was_rejected_is_not_changed(story: Story) -> None:
    request = story.drafted()
    story.ask("@pipewright reject", of=request)
    with pytest.raises(CannotError, match="rejected"):
        change_draft(story.town.parts.services, order_of(story), current(story), {CI: "x: 1\n"}, **WORDS)


def test_a_change_of_nothing_is_refused(story: Story) -> None:
    story.drafted()
    with pytest.raises(CannotError, match="nothing"):
        change_draft(story.town.parts.services, order_of(story), current(story), {CI: story.file(CI)}, **WORDS)


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "../.gitlab-ci.yml",
        "src/app.py",
        ".gitlab-ci.yml/x",
        "Dockerfile/../x",
        "/Dockerfile",
        "a/pipeline.yml",
    ],
)
def test_other_files_are_out_of_reach(story: Story, path: str) -> None:
    with pytest.raises(CannotError, match="I change only"):
        checked(story.town.parts.services, story.project.id, {path: "x"}, ref="main")


def test_words_in_a_commit_message_start_and_stop_nothing(story: Story) -> None:
    request = story.drafted()
    words = {"title": "Add a job [skip ci] closes #1 @all", "why": "see !!3, closes ##1, GL-GL-1 @@all #@all\n/merge"}
    change_draft(story.town.parts.services, order_of(story), current(story), {CI: story.file(CI) + SLOW}, **words)
    story.settle()
    message = git_store.commit_info(story.project.git_dir, story.head(request.source_branch))["message"]
    assert not any(mark in message for mark in ("[skip ci]", "#1", "GL-1", "@all", "!3", "\n/merge"))
    assert len(story.project.pipelines) == 2


def test_errors_of_the_checks_are_named_with_their_line(town: Town) -> None:
    story = town.story()
    with pytest.raises(CannotError, match=r"\.gitlab-ci\.yml:1.*imgae"):
        checked(story.town.parts.services, story.project.id, {CI: "job:\n  script: [make]\n  imgae: x\n"}, ref="main")


def test_an_old_error_elsewhere_does_not_forbid_a_change(town: Town) -> None:
    story = town.story()
    old = "job:\n  script:\n    - echo glpat-aaaaaaaaaaaaaaaaaaaa\n"
    files = {CI: old + SLOW}
    with pytest.raises(CannotError, match="GitLab token"):
        checked(story.town.parts.services, story.project.id, files, ref="main")
    assert checked(story.town.parts.services, story.project.id, files, ref="main", before={CI: old}) == ()


def test_who_had_any_state_of_the_draft_made_does_not_approve_it_where_the_rules_forbid_that(town: Town) -> None:
    story = town.story({**PYTHON, ".pipewright.yml": "approval:\n  requester_may_approve: false\n"})
    request = story.drafted()
    story.project.protected["main"] = Protection(push=40, merge=30)
    order = order_of(story, by=story.maintainer)
    change_draft(story.town.parts.services, order, current(story), {CI: story.file(CI) + SLOW}, **WORDS)
    story.settle()
    for person in (story.developer, story.maintainer):
        story.react(request, by=person)
        story.settle()
        assert request.state == "opened"
