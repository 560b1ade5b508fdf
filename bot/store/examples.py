"""Examples: pipelines that were merged and went green, one for a project."""

from collections.abc import Sequence

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row


class Example(Struct, frozen=True, kw_only=True):
    """One learned pipeline; `about` says in words what it builds, `top_group` is the first part of the path."""

    project_id: int
    project_path: str
    top_group: str
    visibility: str
    commit_sha: str
    gitlab_ci: str
    about: str


_COLUMNS = ", ".join(Example.__struct_fields__)


def remember(connection: Connection[TupleRow], example: Example) -> None:
    """Store a project's example in place of its older one."""
    names = Example.__struct_fields__
    marks = ", ".join(["%s"] * len(names))
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    connection.execute(
        f"insert into examples ({_COLUMNS}) values ({marks})"
        f" on conflict (project_id) do update set {changes}, learned_at = now()".encode(),
        tuple(getattr(example, name) for name in names),
    )


def of_group(connection: Connection[TupleRow], top_group: str, limit: int) -> list[Example]:
    """Return the newest examples of a top-level group."""
    with connection.cursor(row_factory=class_row(Example)) as cursor:
        sql = f"select {_COLUMNS} from examples where top_group = %s order by learned_at desc, project_id limit %s"
        return cursor.execute(sql.encode(), (top_group, limit)).fetchall()


def of_projects(connection: Connection[TupleRow], ids: Sequence[int]) -> list[Example]:
    """Return the examples of these projects."""
    with connection.cursor(row_factory=class_row(Example)) as cursor:
        sql = f"select {_COLUMNS} from examples where project_id = any(%s) order by project_id"
        return cursor.execute(sql.encode(), (list(ids),)).fetchall()


def every(connection: Connection[TupleRow]) -> list[Example]:
    """Return all examples."""
    with connection.cursor(row_factory=class_row(Example)) as cursor:
        return cursor.execute(f"select {_COLUMNS} from examples order by project_id".encode()).fetchall()


def move(connection: Connection[TupleRow], project_id: int, path: str, visibility: str) -> None:
    """Note where a project is now, and who may see it."""
    connection.execute(
        "update examples set project_path = %s, top_group = %s, visibility = %s where project_id = %s",
        (path, path.split("/", maxsplit=1)[0], visibility, project_id),
    )


def forget(connection: Connection[TupleRow], ids: Sequence[int]) -> None:
    """Delete the examples of these projects."""
    connection.execute("delete from examples where project_id = any(%s)", (list(ids),))
