"""Proposals (table `pipelines`): the files of a draft merge request and how far it has come."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import DictRow, TupleRow, dict_row
from psycopg.types.json import Jsonb

from bot.domain import Composition, ProposalStatus, Survey
from bot.domain.known import known


class NewProposal(Struct, frozen=True, kw_only=True):
    """What is known when files were generated and nothing was opened yet.

    For a change of an open draft, `before_id` is the state that undoing it goes back to, `change_key` tells it from
    other changes of the same order; title, why, notes and diff say what changed. `base_sha` is the
    commit that was read.
    """

    conversation_id: UUID
    order_id: UUID | None
    repo_url: str
    dockerfile: str | None
    gitlab_ci: str | None
    project_id: int
    target_branch: str
    source_branch: str
    is_internal: bool
    requested_by_id: int
    requested_by: str
    survey: Survey
    composition: Composition
    before_id: UUID | None = None
    change_key: str = ""
    change_title: str = ""
    change_why: str = ""
    change_notes: str = ""
    change_diff: str = ""
    base_sha: str = ""


class Proposal(NewProposal, frozen=True, kw_only=True):
    """One stored proposal. `commit_id` is the head sha that was proposed, the only one that may be merged.

    While a person's commit is approved it is that one, and `own_commit_id` is what was proposed.
    """

    id: UUID
    status: ProposalStatus
    commit_id: str | None
    merge_request_iid: int | None
    note_id: int | None
    note_kind: str | None
    note_iid: int | None
    introduction: str
    pipeline_id: int | None
    pipeline_status: str | None
    merged_sha: str | None
    after_merge_pipeline_id: int | None
    after_merge_status: str | None
    created_at: datetime
    updated_at: datetime
    opened_at: datetime | None = None
    own_commit_id: str | None = None

    @property
    def made_sha(self) -> str | None:
        """The commit that we made, whichever was approved."""
        return self.own_commit_id or self.commit_id


_OPEN = "status in ('proposed', 'approved')"
_OURS_AGAIN = "status = 'proposed', commit_id = coalesce(own_commit_id, commit_id), own_commit_id = null"


def _read(row: DictRow) -> Proposal:
    return msgspec.convert(row, Proposal)


def _one(connection: Connection[TupleRow], sql: str, values: tuple[Any, ...] | dict[str, Any]) -> Proposal | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(sql.encode(), values).fetchone()
    return _read(row) if row else None


def _changed(connection: Connection[TupleRow], assignments: str, values: tuple[Any, ...]) -> Proposal:
    """Run an update of one proposal, whose id is the last value, and return it."""
    sql = f"update pipelines set {assignments}, updated_at = now() where id = %s returning *"
    changed = _one(connection, sql, values)
    if changed is None:
        raise LookupError(f"no proposal {values[-1]}")
    return changed


def add(connection: Connection[TupleRow], new: NewProposal) -> Proposal:
    """Store what was generated."""
    columns = [*NewProposal.__struct_fields__]
    json_columns = {"survey", "composition"}
    values = [
        Jsonb(msgspec.to_builtins(getattr(new, name))) if name in json_columns else getattr(new, name)
        for name in columns
    ]
    marks = ", ".join(["%s"] * len(columns))
    sql = f"insert into pipelines ({', '.join(columns)}) values ({marks}) returning *"
    added = _one(connection, sql, tuple(values))
    assert added is not None  # insert … returning always answers
    return added


def get(connection: Connection[TupleRow], proposal_id: UUID) -> Proposal:
    """Return a proposal by its id; LookupError when there is none."""
    found = find(connection, proposal_id)
    if found is None:
        raise LookupError(f"no proposal {proposal_id}")
    return found


def find(connection: Connection[TupleRow], proposal_id: UUID) -> Proposal | None:
    """Return a proposal by its id, None when there is none."""
    return _one(connection, "select * from pipelines where id = %s", (proposal_id,))


def find_by_order(connection: Connection[TupleRow], order_id: UUID, change_key: str = "") -> Proposal | None:
    """Return what an order generated in an earlier try, or the change with that key."""
    sql = "select * from pipelines where order_id = %s and change_key = %s"
    return _one(connection, sql, (order_id, change_key))


def newest_generated(connection: Connection[TupleRow], project_id: int, person_id: int) -> Proposal | None:
    """Return what was last composed for a person in a project and not opened yet."""
    sql = (
        "select * from pipelines where project_id = %s and requested_by_id = %s and status = 'generated'"
        " and change_key = '' order by updated_at desc limit 1"
    )
    return _one(connection, sql, (project_id, person_id))


def unfinished_change(connection: Connection[TupleRow], order_id: UUID) -> Proposal | None:
    """Return the change that an earlier try of the order recorded and did not bring to its end."""
    sql = "select * from pipelines where order_id = %s and change_key <> '' and status = 'generated'"
    return _one(connection, sql, (order_id,))


def changes_of_order(connection: Connection[TupleRow], order_id: UUID) -> list[Proposal]:
    """Return the changes that an order brought into a draft, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        sql = (
            "select * from pipelines where order_id = %s and change_title <> '' and commit_id is not null"
            " order by created_at"
        )
        return [_read(row) for row in cursor.execute(sql, (order_id,)).fetchall()]


def set_composition(connection: Connection[TupleRow], proposal_id: UUID, new: NewProposal) -> Proposal:
    """Replace what was generated and not opened yet."""
    values = (
        Jsonb(msgspec.to_builtins(new.survey)),
        Jsonb(msgspec.to_builtins(new.composition)),
        new.dockerfile,
        new.gitlab_ci,
        new.change_title,
        new.change_notes,
        new.change_diff,
        new.base_sha,
        proposal_id,
    )
    names = (
        "survey",
        "composition",
        "dockerfile",
        "gitlab_ci",
        "change_title",
        "change_notes",
        "change_diff",
        "base_sha",
    )
    return _changed(connection, ", ".join(f"{name} = %s" for name in names), values)


def of_merge_request(connection: Connection[TupleRow], project_id: int, iid: int) -> list[Proposal]:
    """Return every state a merge request has been in, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        sql = "select * from pipelines where project_id = %s and merge_request_iid = %s order by created_at"
        return [_read(row) for row in cursor.execute(sql, (project_id, iid)).fetchall()]


def count_for_conversation(connection: Connection[TupleRow], conversation_id: UUID) -> int:
    """Return how many proposals a conversation has had, changes of them not counted."""
    sql = "select count(*) from pipelines where conversation_id = %s and change_key = ''"
    row = connection.execute(sql, (conversation_id,)).fetchone()
    return int(row[0]) if row else 0


def open_for_conversation(
    connection: Connection[TupleRow], conversation_id: UUID, *, besides: UUID | None = None
) -> Proposal | None:
    """Return the conversation's open draft, if any."""
    return _one(
        connection,
        f"select * from pipelines where conversation_id = %s and {_OPEN} and id is distinct from %s"
        " order by created_at desc limit 1",
        (conversation_id, besides),
    )


def newest_for_conversation(connection: Connection[TupleRow], conversation_id: UUID) -> Proposal | None:
    """Return the open draft, else the last proposal that got as far as a merge request."""
    return _one(
        connection,
        "select * from pipelines where conversation_id = %s and merge_request_iid is not null"
        f" order by ({_OPEN}) desc, created_at desc limit 1",
        (conversation_id,),
    )


def for_conversation(connection: Connection[TupleRow], conversation_id: UUID) -> list[Proposal]:
    """Return a conversation's proposals, oldest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        sql = "select * from pipelines where conversation_id = %s order by created_at"
        return [_read(row) for row in cursor.execute(sql, (conversation_id,)).fetchall()]


def find_by_merge_request(connection: Connection[TupleRow], project_id: int, iid: int) -> Proposal | None:
    """Return the newest proposal of a merge request."""
    return _one(
        connection,
        "select * from pipelines where project_id = %s and merge_request_iid = %s order by created_at desc limit 1",
        (project_id, iid),
    )


def find_by_note(connection: Connection[TupleRow], project_id: int, note_id: int) -> Proposal | None:
    """Return the proposal that a note of the bot shows."""
    return _one(
        connection,
        "select * from pipelines where project_id = %s and note_id = %s order by created_at desc limit 1",
        (project_id, note_id),
    )


def find_by_sha(connection: Connection[TupleRow], project_id: int, sha: str) -> Proposal | None:
    """Return the proposal with this head or merged commit."""
    return _one(
        connection,
        "select * from pipelines where project_id = %s and (commit_id = %s or merged_sha = %s)"
        " order by created_at desc limit 1",
        (project_id, sha, sha),
    )


def find_for_pipeline(
    connection: Connection[TupleRow], project_id: int, sha: str, ref: str, merge_request_iid: int | None
) -> Proposal | None:
    """Return the proposal a pipeline may belong to.

    A hook can come before the commit's sha is stored: then the branch tells, of a draft being opened or merged. One of
    merged results runs on a commit of its own: then the merge request tells, of an open draft. One
    statement looks at one moment: between two, the sha could be stored, and neither would find the proposal.
    """
    return _one(
        connection,
        "select * from pipelines where project_id = %(project)s and (%(sha)s in (commit_id, merged_sha)"
        " or source_branch = %(ref)s and status = 'generated' or target_branch = %(ref)s and status = 'approved'"
        " or merge_request_iid = %(iid)s and status in ('proposed', 'approved'))"
        " order by coalesce(commit_id = %(sha)s, false) or coalesce(merged_sha = %(sha)s, false) desc, created_at desc"
        " limit 1",
        {"project": project_id, "sha": sha, "ref": ref, "iid": merge_request_iid},
    )


def set_opened(
    connection: Connection[TupleRow], proposal_id: UUID, *, commit_id: str, merge_request_iid: int
) -> Proposal:
    """Note that the draft is open at this commit."""
    values = (commit_id, merge_request_iid, proposal_id)
    assignments = "status = 'proposed', commit_id = %s, merge_request_iid = %s, opened_at = coalesce(opened_at, now())"
    return _changed(connection, assignments, values)


def set_note(
    connection: Connection[TupleRow],
    proposal_id: UUID,
    *,
    note_id: int,
    note_kind: str,
    note_iid: int,
    introduction: str,
) -> Proposal:
    """Note where the proposal is shown, and with which words above it."""
    return _changed(
        connection,
        "note_id = %s, note_kind = %s, note_iid = %s, introduction = %s",
        (note_id, note_kind, note_iid, introduction, proposal_id),
    )


def set_status(connection: Connection[TupleRow], proposal_id: UUID, status: ProposalStatus) -> Proposal:
    """Note a new status."""
    return _changed(connection, "status = %s", (status.value, proposal_id))


def set_approved(connection: Connection[TupleRow], proposal_id: UUID, *, commit_id: str) -> Proposal:
    """Note that a person approved exactly this commit."""
    assignments = "status = 'approved', commit_id = %s, own_commit_id = coalesce(own_commit_id, commit_id)"
    return _changed(connection, assignments, (commit_id, proposal_id))


def set_approved_no_longer(connection: Connection[TupleRow], proposal_id: UUID) -> Proposal:
    """Note that no approval holds: what we made is proposed again, and no other commit."""
    return _changed(connection, _OURS_AGAIN, (proposal_id,))


def set_opened_again(connection: Connection[TupleRow], proposal_id: UUID, *, at: datetime) -> Proposal:
    """Note that what we made is proposed again; what was approved before counts for nothing."""
    return _changed(connection, f"{_OURS_AGAIN}, opened_at = %s", (at, proposal_id))


def set_merged(connection: Connection[TupleRow], proposal_id: UUID, *, merged_sha: str) -> Proposal:
    """Note that the draft is merged, as this commit of the target branch."""
    return _changed(connection, "status = 'committed', merged_sha = %s", (merged_sha, proposal_id))


def set_pipeline(connection: Connection[TupleRow], proposal_id: UUID, *, pipeline_id: int, status: str) -> Proposal:
    """Note how the draft's pipeline stands."""
    return _changed(connection, "pipeline_id = %s, pipeline_status = %s", (pipeline_id, status, proposal_id))


def set_pipeline_after_merge(
    connection: Connection[TupleRow], proposal_id: UUID, *, pipeline_id: int, status: str
) -> Proposal:
    """Note how the pipeline of the merged commit stands."""
    values = (pipeline_id, status, proposal_id)
    return _changed(connection, "after_merge_pipeline_id = %s, after_merge_status = %s", values)


known(Proposal)
