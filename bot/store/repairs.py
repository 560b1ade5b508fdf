"""Repairs: what was found in each failed pipeline of a draft, and what was done about it."""

from typing import Any, Literal
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

Outcome = Literal["planned", "repaired", "offered", "told"]


class Repair(Struct, frozen=True, kw_only=True):
    """One failed pipeline. `fingerprints` are those of the failures that were mended, `new_sha` the mending commit."""

    project_id: int
    merge_request_iid: int
    conversation_id: UUID
    order_id: UUID
    pipeline_id: int
    sha: str
    outcome: Outcome
    diagnoses: list[dict[str, Any]]
    fingerprints: list[str] = []
    title: str = ""
    diff: str = ""
    reason: str = ""
    new_sha: str = ""


_COLUMNS = ", ".join(Repair.__struct_fields__)


def keep(connection: Connection[TupleRow], repair: Repair) -> None:
    """Store what became of a failed pipeline; a retried one that fails again is told anew."""
    names = Repair.__struct_fields__
    values = [Jsonb(repair.diagnoses) if name == "diagnoses" else getattr(repair, name) for name in names]
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name not in ("project_id", "pipeline_id"))
    marks = ", ".join(["%s"] * len(names))
    sql = (
        f"insert into repairs ({_COLUMNS}) values ({marks})"
        f" on conflict (project_id, pipeline_id) do update set {changes}"
    )
    connection.execute(sql.encode(), values)


def for_pipeline(connection: Connection[TupleRow], project_id: int, pipeline_id: int) -> Repair | None:
    """Return what became of a failed pipeline, if it was looked at."""
    with connection.cursor(row_factory=class_row(Repair)) as cursor:
        sql = f"select {_COLUMNS} from repairs where project_id = %s and pipeline_id = %s"
        return cursor.execute(sql.encode(), (project_id, pipeline_id)).fetchone()


def for_merge_request(connection: Connection[TupleRow], project_id: int, iid: int) -> list[Repair]:
    """Return what became of every failed pipeline of a draft, oldest first."""
    with connection.cursor(row_factory=class_row(Repair)) as cursor:
        sql = f"select {_COLUMNS} from repairs where project_id = %s and merge_request_iid = %s order by id"
        return cursor.execute(sql.encode(), (project_id, iid)).fetchall()
