"""Pipeline hooks come late, doubled and in another order: what was overtaken changes nothing."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bot.domain import Composition, PipelineChanged, ProjectRef, ProposalStatus, Survey
from bot.handlers.pipelines import is_late
from bot.store.proposals import Proposal

HEAD, MERGED = "a" * 40, "b" * 40
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def proposal(pipeline_id: int | None, status: str | None) -> Proposal:
    """The pipeline is the draft's; the merged commit's has the next number and the same status."""
    return Proposal(
        id=uuid4(),
        conversation_id=uuid4(),
        order_id=None,
        repo_url="https://gitlab.test/team/app",
        dockerfile=None,
        gitlab_ci=None,
        project_id=1,
        target_branch="main",
        source_branch="pipewright/issue-1",
        is_internal=False,
        requested_by_id=1,
        requested_by="ann",
        survey=Survey(units=()),
        composition=Composition(files={}, jobs=(), sources=()),
        status=ProposalStatus.COMMITTED,
        commit_id=HEAD,
        merge_request_iid=1,
        note_id=None,
        note_kind=None,
        note_iid=None,
        introduction="",
        pipeline_id=pipeline_id,
        pipeline_status=status,
        merged_sha=MERGED,
        after_merge_pipeline_id=pipeline_id + 1 if pipeline_id else None,
        after_merge_status=status,
        created_at=NOW,
        updated_at=NOW,
    )


@pytest.mark.parametrize("sha", [HEAD, MERGED])
@pytest.mark.parametrize(
    ("known", "told", "late"),
    [
        ((None, None), (7, "running"), False),
        ((7, "running"), (7, "success"), False),
        ((7, "success"), (7, "running"), True),  # the end was heard of first
        ((7, "success"), (7, "success"), False),  # told twice is told the same
        ((7, "failed"), (7, "success"), False),  # somebody ran its jobs again
        ((7, "success"), (6, "failed"), True),  # an older pipeline ended after the newer one
        ((7, "success"), (8, "running"), False),
    ],
)
def test_what_was_overtaken_is_late(
    sha: str, known: tuple[int | None, str | None], told: tuple[int, str], late: bool
) -> None:
    shift = 1 if sha == MERGED else 0
    event = PipelineChanged(
        project=ProjectRef(id=1, path="team/app"), pipeline_id=told[0] + shift, ref="main", sha=sha, status=told[1]
    )
    assert is_late(proposal(*known), event) is late
