"""Proposals in lists, last changed first, each with its conversation; their files are read one by one."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from bot.store.conversations import Conversation
from bot.store.search import Mark


class DraftEntry(Conversation, frozen=True, kw_only=True):
    """One proposal in a list; all but what begins with `proposal` here is its conversation's."""

    proposal_id: UUID
    proposal_status: str
    proposal_created_at: datetime
    proposal_updated_at: datetime
    repo_url: str
    requested_by: str
    target_branch: str
    source_branch: str
    merge_request_iid: int | None
    commit_id: str | None
    merged_sha: str | None
    pipeline_id: int | None
    pipeline_status: str | None

    @property
    def mark(self) -> Mark:
        """Return where the page after this entry begins."""
        return self.proposal_updated_at, self.proposal_id


class DraftQuery(Struct, frozen=True, kw_only=True):
    """Which proposals: those in `projects`, and in talks over our own address only those of `person_id`."""

    projects: Collection[int]
    person_id: int
    status: str | None = None
    project_path: str | None = None


_COLUMNS = """c.id, c.project_id, c.project_path, c.title, c.is_confidential, c.asked_by, c.created_at, c.updated_at,
c.owner_id, p.id as proposal_id, p.status as proposal_status, p.created_at as proposal_created_at,
p.updated_at as proposal_updated_at, p.repo_url, p.requested_by, p.target_branch, p.source_branch,
p.merge_request_iid, p.commit_id, p.merged_sha, coalesce(p.after_merge_pipeline_id, p.pipeline_id) as pipeline_id,
coalesce(p.after_merge_status, p.pipeline_status) as pipeline_status"""


def find(
    connection: Connection[TupleRow], query: DraftQuery, *, before: Mark | None = None, limit: int = 30
) -> list[DraftEntry]:
    """Return proposals, last changed first, after the entry with the mark `before`."""
    sql, values = statement(query, before=before, limit=limit)
    with connection.cursor(row_factory=class_row(DraftEntry)) as cursor:
        return cursor.execute(sql.encode(), values).fetchall()


def statement(query: DraftQuery, *, before: Mark | None, limit: int) -> tuple[str, dict[str, Any]]:
    """Return what `find` sends, for whoever looks at its plan."""
    values: dict[str, Any] = {
        "projects": sorted(query.projects),
        "person": query.person_id,
        "status": query.status,
        "path": query.project_path,
        "limit": limit,
    }
    conditions = ["p.project_id = any(%(projects)s)", "(c.owner_id is null or c.owner_id = %(person)s)"]
    conditions += ["p.status = %(status)s"] if query.status is not None else []
    conditions += ["c.project_path = %(path)s"] if query.project_path is not None else []
    if before is not None:
        conditions.append("(p.updated_at, p.id) < (%(time)s, %(id)s)")
        values["time"], values["id"] = before
    source = "pipelines p join conversations c on c.id = p.conversation_id"
    where = " and ".join(conditions)
    return (
        f"select {_COLUMNS} from {source} where {where} order by p.updated_at desc, p.id desc limit %(limit)s",
        values,
    )


def named(connection: Connection[TupleRow], proposal_id: UUID) -> DraftEntry | None:
    """Return one proposal by its id."""
    sql = f"select {_COLUMNS} from pipelines p join conversations c on c.id = p.conversation_id where p.id = %s"
    with connection.cursor(row_factory=class_row(DraftEntry)) as cursor:
        return cursor.execute(sql.encode(), (proposal_id,)).fetchone()
