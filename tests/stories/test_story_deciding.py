"""Stories of Yes and No over our own address: the person is checked at GitLab, the commit is the one shown."""

from uuid import UUID, uuid4

import pytest

from bot.domain import Decision, Person, ProjectRef, ProposalStatus
from bot.sandbox.state import User
from bot.store import approvals, orders, proposals
from bot.store.proposals import Proposal
from tests.world.town import Story


def offer(story: Story) -> Proposal:
    with story.town.parts.services.pool.connection() as connection:
        found = proposals.find_by_merge_request(connection, story.project.id, story.request.iid)
    assert found is not None
    return found


def decide(
    story: Story, about: Proposal, *, by: User, is_yes: bool = True, sha: str | None = None, may_change: bool = True
) -> str:
    """Say Yes or No, wait, and return what was answered."""
    channel = uuid4()
    decision = Decision(
        project=ProjectRef(id=story.project.id, path=story.project.path),
        author=Person(id=by.id, username=by.username),
        conversation_id=about.conversation_id,
        proposal_id=about.id,
        sha=sha or about.commit_id or "",
        is_yes=is_yes,
        channel=channel,
        may_change=may_change,
    )
    story.town.parts.queue.accept(f"decision:{channel}", decision)
    story.settle()
    with story.town.parts.services.pool.connection() as connection:
        order = orders.find_by_delivery(connection, f"decision:{channel}")
        assert order is not None
        return f"{order.result}: {orders.answer_of(connection, order.id)}"


def test_a_yes_merges_the_commit_that_was_shown_and_the_note_says_by_whom(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    shown = offer(story)
    said = decide(story, shown, by=story.maintainer)
    assert said.startswith("merged: 🎉 Merged")
    assert story.request.state == "merged"
    assert f"approved by `{story.maintainer.username}` (with Yes on my page)" in story.answer(issue)
    with story.town.parts.services.pool.connection() as connection:
        rows = approvals.for_proposal(connection, shown.id)
    assert [(row.signal, row.sha, row.outcome) for row in rows] == [("page", shown.commit_id, "accepted")]


@pytest.mark.parametrize("who", ["developer", "reporter", "guest", "stranger", "bot"])
def test_a_yes_of_whoever_may_not_merge_is_refused(story: Story, who: str) -> None:
    story.drafted()
    by = story.town.bot if who == "bot" else getattr(story, who)
    assert decide(story, offer(story), by=by).startswith("refused: ")
    assert story.request.state == "opened"


def test_a_yes_to_what_was_superseded_merges_nothing(story: Story) -> None:
    issue = story.issue()
    story.ask("@pipewright generate", of=issue)
    old = offer(story)
    story.ask("@pipewright generate without docker, with python 3.12", of=issue)
    assert offer(story).id != old.id
    for is_yes in (True, False):
        said = decide(story, old, by=story.maintainer, is_yes=is_yes)
        assert said.startswith("refused: ")
        assert "superseded by a newer" in said
    assert story.request.state == "opened"


def test_a_push_between_looking_and_saying_yes_merges_nothing(story: Story) -> None:
    shown_request = story.drafted()
    shown = offer(story)
    head = story.push(shown_request.source_branch, "sneaked.in", "x")
    said = decide(story, shown, by=story.maintainer)
    assert said.startswith("refused: ")
    assert head[:8] in said
    assert story.request.state == "opened"


@pytest.mark.parametrize("is_yes", [True, False])
def test_a_decision_names_the_commit_that_was_shown(story: Story, is_yes: bool) -> None:
    story.drafted()
    assert decide(story, offer(story), by=story.maintainer, is_yes=is_yes, sha="0" * 40).startswith("refused: ")
    assert story.request.state == "opened"


def test_a_no_closes_the_draft(story: Story) -> None:
    story.drafted()
    shown = offer(story)
    assert decide(story, shown, by=story.reporter, is_yes=False).startswith("refused: ")
    assert decide(story, shown, by=story.developer, is_yes=False).startswith("rejected: Closed")
    assert story.request.state == "closed"
    assert offer(story).status == ProposalStatus.REJECTED
    assert "rejected and can no longer" in decide(story, shown, by=story.maintainer)


def test_a_token_that_only_reads_decides_nothing(story: Story) -> None:
    story.drafted()
    said = decide(story, offer(story), by=story.maintainer, may_change=False)
    assert "only reads" in said
    assert story.request.state == "opened"


def test_a_decision_about_a_draft_of_another_conversation_is_refused(story: Story) -> None:
    story.drafted()
    here = offer(story)
    there = story.town.story()
    there.drafted()
    foreign = offer(there)
    mixed = Decision(
        project=ProjectRef(id=story.project.id, path=story.project.path),
        author=Person(id=story.maintainer.id, username=story.maintainer.username),
        conversation_id=here.conversation_id,
        proposal_id=foreign.id,
        sha=foreign.commit_id or "",
        is_yes=True,
        channel=UUID(int=1),
        may_change=True,
    )
    story.town.parts.queue.accept("mixed", mixed)
    story.settle()
    with story.town.parts.services.pool.connection() as connection:
        order = orders.find_by_delivery(connection, "mixed")
    assert order is not None
    assert order.result == "refused"
    assert there.request.state == "opened"
