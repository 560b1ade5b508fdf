"""What the organisation's project of templates held when it was last read."""

import msgspec
from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb


class TemplateSnapshot(Struct, frozen=True, kw_only=True):
    """The templates of a project at one commit, by path such as `python-uv/jobs.yml.j2`."""

    commit_sha: str
    texts: dict[str, str]


def get(connection: Connection[TupleRow], project_path: str) -> TemplateSnapshot | None:
    """Return what was last read of a project."""
    row = connection.execute(
        "select commit_sha, texts from template_snapshots where project_path = %s", (project_path,)
    ).fetchone()
    return TemplateSnapshot(commit_sha=row[0], texts=msgspec.convert(row[1], dict[str, str])) if row else None


def put(connection: Connection[TupleRow], project_path: str, snapshot: TemplateSnapshot) -> None:
    """Remember what was read."""
    connection.execute(
        "insert into template_snapshots (project_path, commit_sha, texts) values (%s, %s, %s)"
        " on conflict (project_path) do update set commit_sha = excluded.commit_sha, texts = excluded.texts,"
        " read_at = now()",
        (project_path, snapshot.commit_sha, Jsonb(snapshot.texts)),
    )
