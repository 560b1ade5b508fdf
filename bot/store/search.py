"""Conversations in lists and by search, page after page, as fast with a million messages as with ten.

Who may read which is GitLab's to say: a caller names the projects that GitLab shows a person, and asks about each entry
before it is shown (`bot.web.door.rights`). Triggers keep what is read here current (migration 0011).
"""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import Struct
from psycopg import Connection
from psycopg.rows import TupleRow, class_row

from bot.store.conversations import Conversation

_MOST_WORDS = 10
_FEW_HITS = 1_000
_SHORTEST_BEGINNING = 4  # letters from which on the beginning of a word finds it

Mark = tuple[datetime, UUID]


class Entry(Conversation, frozen=True, kw_only=True):
    """One conversation in a list; `status` is that of its newest proposal, `none` without one."""

    status: str
    pipeline_status: str | None
    merge_request_iid: int | None

    @property
    def mark(self) -> Mark:
        """Return where the page after this entry begins."""
        return self.updated_at, self.id


class Query(Struct, frozen=True, kw_only=True):
    """Which conversations: those of `projects`, and of the talks over our own address only those of `person_id`.

    `text` asks for conversations in which every one of its words (or words that begin so) was said by a person or the
    bot, or stands in title, path or asker; without a word or a number in it, it finds nothing. `since` and `until`
    bound the last change.
    """

    projects: Collection[int]
    person_id: int
    text: str | None = None
    asker: str | None = None
    project_path: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None


_COLUMNS = ", ".join(f"c.{name}" for name in Entry.__struct_fields__)
_FILTERS = {
    "asker": "c.asked_by = %(asker)s",
    "project_path": "c.project_path = %(project_path)s",
    "status": "c.status = %(status)s",
    "since": "c.updated_at >= %(since)s",
    "until": "c.updated_at < %(until)s",
}


def find(connection: Connection[TupleRow], query: Query, *, before: Mark | None = None, limit: int = 30) -> list[Entry]:
    """Return conversations, last changed first, after the entry with the mark `before`."""
    hits = few_hits(connection, query.text) if query.text is not None else None
    sql, values = statement(query, before=before, limit=limit, among=hits)
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        return cursor.execute(sql.encode(), values).fetchall()


def few_hits(connection: Connection[TupleRow], text: str) -> list[UUID] | None:
    """Return which conversations hold the words, wherever they are; None for more than a few.

    Rare words are looked up first and sorted then; common ones are soon met on the way from the newest downwards.
    """
    sql = "select pipewright_hits(to_tsquery('simple'::regconfig, %s), %s)"
    rows = connection.execute(sql, (_words(text), _FEW_HITS + 1)).fetchall()
    return [row[0] for row in rows] if len(rows) <= _FEW_HITS else None


def entry(connection: Connection[TupleRow], conversation_id: UUID) -> Entry | None:
    """Return one conversation as a list shows it."""
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        sql = f"select {_COLUMNS} from conversations c where c.id = %s"
        return cursor.execute(sql.encode(), (conversation_id,)).fetchone()


def statement(
    query: Query, *, before: Mark | None, limit: int, among: list[UUID] | None = None
) -> tuple[str, dict[str, Any]]:
    """Return what `find` sends, for whoever looks at its plan; `among` are the only conversations with the words.

    Only what is asked for stands in it: PostgreSQL then chooses the index that fits.
    """
    values: dict[str, Any] = {
        "projects": sorted(query.projects),
        "person": query.person_id,
        "limit": limit,
        **{name: getattr(query, name) for name in _FILTERS},
    }
    conditions = ["c.project_id = any(%(projects)s)", "(c.owner_id is null or c.owner_id = %(person)s)"]
    conditions += [condition for name, condition in _FILTERS.items() if values[name] is not None]
    source = "conversations c"
    if among is not None:
        conditions.append("c.id = any(%(among)s)")
        values["among"] = among
    elif query.text is not None:
        source += " join conversation_words w on w.conversation_id = c.id"
        conditions.append("w.words @@ to_tsquery('simple'::regconfig, %(text)s)")
        values["text"] = _words(query.text)
    if before is not None:
        conditions.append("(c.updated_at, c.id) < (%(time)s, %(id)s)")
        values["time"], values["id"] = before
    where = " and ".join(conditions)
    return (
        f"select {_COLUMNS} from {source} where {where} order by c.updated_at desc, c.id desc limit %(limit)s",
        values,
    )


def _words(text: str) -> str:
    """Return the words as PostgreSQL's search wants them: all of them, the longer ones as beginnings."""
    words = re.findall(r"[^\W_]{1,100}", text)[:_MOST_WORDS]
    return " & ".join(f"'{word}':*" if len(word) >= _SHORTEST_BEGINNING else f"'{word}'" for word in words)


# Hops from project to project along the index, so that it costs as many steps as there are projects.
_PROJECTS = """
with recursive hop (project_id) as (
    (select project_id from conversations order by project_id limit 1)
    union all
    select (select c.project_id from conversations c where c.project_id > hop.project_id order by c.project_id limit 1)
    from hop where hop.project_id is not null)
select project_id from hop where project_id is not null
"""


def projects(connection: Connection[TupleRow]) -> list[int]:
    """Return the projects that were ever talked in."""
    return [row[0] for row in connection.execute(_PROJECTS.encode()).fetchall()]
