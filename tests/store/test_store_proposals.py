"""Proposals in the store: a pipeline finds the one it belongs to, whatever else happens at that moment."""

from typing import Any

import psycopg
import pytest
from psycopg import Cursor

from bot.domain import Composition, ProposalStatus, Survey
from bot.store import proposals
from bot.store.pool import Pool
from bot.store.proposals import NewProposal, Proposal
from tests.world.conversations import open_conversation

PROJECT, BRANCH, HEAD, MERGED = 7, "pipewright/issue-1", "a" * 40, "b" * 40


def generated(pool: Pool, branch: str = BRANCH) -> Proposal:
    with pool.connection() as connection:
        conversation = open_conversation(
            connection,
            project_id=PROJECT,
            project_path="team/app",
            kind="issue",
            iid=1,
            title="We need CI",
            is_confidential=False,
            asked_by="ann",
        )
        new = NewProposal(
            conversation_id=conversation,
            order_id=None,
            repo_url="https://gitlab.example.com/team/app",
            dockerfile=None,
            gitlab_ci="test: {script: [x]}",
            project_id=PROJECT,
            target_branch="main",
            source_branch=branch,
            is_internal=False,
            requested_by_id=1,
            requested_by="ann",
            survey=Survey(units=()),
            composition=Composition(files={}, jobs=(), sources=()),
        )
        return proposals.add(connection, new)


def approved(pool: Pool) -> Proposal:
    proposal = generated(pool)
    with pool.connection() as connection:
        proposals.set_opened(connection, proposal.id, commit_id=HEAD, merge_request_iid=1)
        return proposals.set_status(connection, proposal.id, ProposalStatus.APPROVED)


def found_for(pool: Pool, sha: str, ref: str) -> Proposal | None:
    with pool.connection() as connection:
        return proposals.find_for_pipeline(connection, PROJECT, sha, ref, None)


@pytest.mark.parametrize(
    ("sha", "ref", "is_found"),
    [
        pytest.param(HEAD, "refs/merge-requests/1/head", True, id="its head"),
        pytest.param(MERGED, "main", True, id="a commit on the branch it is being merged into"),
        pytest.param("c" * 40, "other", False, id="another branch"),
        pytest.param("c" * 40, BRANCH, False, id="a push to a draft that is open already"),
    ],
)
def test_a_pipeline_finds_the_proposal_that_is_being_merged(pool: Pool, sha: str, ref: str, is_found: bool) -> None:
    proposal = approved(pool)
    found = found_for(pool, sha, ref)
    assert (found is not None and found.id == proposal.id) is is_found


def test_a_pipeline_finds_a_draft_whose_commit_nobody_has_stored_yet(pool: Pool) -> None:
    proposal = generated(pool)
    found = found_for(pool, HEAD, BRANCH)
    assert found is not None
    assert found.id == proposal.id


def test_the_proposal_with_the_commit_wins_over_a_newer_one_on_the_branch(pool: Pool) -> None:
    first = approved(pool)
    with pool.connection() as connection:
        proposals.set_merged(connection, first.id, merged_sha=MERGED)
    approved(pool)
    found = found_for(pool, MERGED, "main")
    assert found is not None
    assert found.id == first.id


def test_a_merge_stored_while_its_pipeline_is_looked_up_hides_nothing(pool: Pool, database: str) -> None:
    proposal = approved(pool)

    class MergedMeanwhile(Cursor[Any]):
        """After its first statement, somebody stores the merge."""

        def execute(self, *args: Any, **options: Any) -> "MergedMeanwhile":
            super().execute(*args, **options)
            with pool.connection() as other:
                proposals.set_merged(other, proposal.id, merged_sha=MERGED)
            return self

    with psycopg.connect(database, cursor_factory=MergedMeanwhile) as connection:
        found = proposals.find_for_pipeline(connection, PROJECT, MERGED, "main", None)
    assert found is not None
    assert found.id == proposal.id
