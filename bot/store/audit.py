"""The audit: who asked, what was proposed, who approved by which signal, what was merged. Triggers write it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row


class AuditEntry(Struct, frozen=True, kw_only=True):
    """One thing that happened. `detail` holds hashes of files (`sha256:…`) and reasons, never their texts."""

    id: int
    at: datetime
    act: str
    project_id: int
    project_path: str
    conversation_id: UUID | None
    order_id: UUID | None
    proposal_id: UUID | None
    merge_request_iid: int | None
    actor_id: int | None
    actor: str
    signal: str
    sha: str
    detail: dict[str, Any]


def entries(connection: Connection[TupleRow], *, since: datetime, until: datetime) -> Iterator[AuditEntry]:
    """Yield what happened from `since` up to before `until`, oldest first, holding only a part in memory."""
    columns = ", ".join(AuditEntry.__struct_fields__)
    sql = f"select {columns} from audit where at >= %s and at < %s order by at, id"
    with connection.cursor("audit", row_factory=class_row(AuditEntry)) as cursor:
        yield from cursor.execute(sql.encode(), (since, until))
