"""A draft as it stands now, ready for a template: its graph with the states of its jobs, its files, who may decide."""

from collections.abc import Mapping
from itertools import accumulate

from markupsafe import Markup
from msgspec import Struct

from bot.domain import AccessLevel
from bot.proposals.prepare import CI_PATH
from bot.store import approvals
from bot.store.approvals import Approval
from bot.store.pool import Pool
from bot.store.proposals import Proposal
from bot.web.door.rights import Rights
from bot.web.door.visitors import Visitor
from bot.web.pages.deciding import Choice, choice_of
from bot.web.pages.drawing import drawn, in_words
from bot.web.pages.graph import graph_of
from bot.web.pages.looks import Looks, statuses

_MOST_CHARACTERS = 40_000
UNENDED = frozenset({"created", "waiting_for_resource", "preparing", "pending", "running"})


class DraftView(Struct, frozen=True, kw_only=True):
    """Everything a page shows of one proposal. `files` are in reading order; `job_states` by the jobs' names."""

    proposal: Proposal
    files: tuple[tuple[str, str], ...]
    approvals: list[Approval]
    graph: Markup
    graph_words: str
    has_graph: bool
    job_states: Mapping[str, str]
    job_urls: Mapping[str, str]
    choice: Choice | None = None

    @property
    def short_files(self) -> tuple[tuple[str, str], ...]:
        """The first files, as many as fit on a conversation's page; all are on the draft's own."""
        ends = accumulate(len(text) for _, text in self.files)
        return tuple(file for file, end in zip(self.files, ends, strict=True) if end <= _MOST_CHARACTERS)

    @property
    def left_out(self) -> int:
        """How many files that leaves out."""
        return len(self.files) - len(self.short_files)

    @property
    def is_moving(self) -> bool:
        """Whether a pipeline of it is under way."""
        last = self.proposal.after_merge_status or self.proposal.pipeline_status
        return last in UNENDED


def view_of(pool: Pool, looks: Looks, visitor: Visitor, proposal: Proposal) -> DraftView:
    """Return a proposal with what GitLab shows the visitor of its pipeline."""
    with pool.connection() as connection:
        given = approvals.for_proposal(connection, proposal.id)
    files = in_order(proposal.composition.files)
    pipeline_id = proposal.after_merge_pipeline_id or proposal.pipeline_id
    status = proposal.after_merge_status if proposal.after_merge_pipeline_id else proposal.pipeline_status
    jobs = looks.jobs(visitor, proposal.project_id, pipeline_id, status) if pipeline_id else ()
    graph = graph_of(proposal.gitlab_ci or dict(files).get(CI_PATH), statuses(jobs))
    return DraftView(
        proposal=proposal,
        files=files,
        approvals=given,
        graph=drawn(graph, f"graph-{proposal.id.hex[:8]}"),
        graph_words=in_words(graph),
        has_graph=bool(graph.jobs),
        job_states=statuses(jobs),
        job_urls={job.name: job.web_url for job in jobs},
    )


def choice_for(looks: Looks, rights: Rights, visitor: Visitor, proposal: Proposal) -> Choice | None:
    """Return what the visitor may press below a proposal."""
    if proposal.merge_request_iid is None:
        return None
    role = rights.role(visitor, proposal.project_id)
    return choice_of(
        proposal,
        request=looks.merge_request(visitor, proposal.project_id, proposal.merge_request_iid),
        policy=looks.policy(visitor, proposal.project_id, proposal.target_branch),
        role=role if role > AccessLevel.NONE or not visitor.sees_all else AccessLevel.OWNER,
        person_id=visitor.person.id,
    )


def in_order(files: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Put the pipeline first, then Dockerfiles; the database does not keep the order."""
    return tuple(sorted(files.items(), key=lambda file: (file[0] != CI_PATH, "Dockerfile" not in file[0], file[0])))
