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
_MOST_MET = 500
_NEWEST_FIRST = "order by c.updated_at desc, c.id desc"
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


class Among(Struct, frozen=True):
    """The words are held by these conversations alone."""

    ids: list[UUID]


class Met(Struct, frozen=True):
    """The words are looked for in so many conversations, from the newest downwards."""

    most: int


class Everywhere(Struct, frozen=True):
    """Every conversation with the words is looked up."""


_COLUMNS = ", ".join(f"c.{name}" for name in Entry.__struct_fields__)
_FILTERS = {
    "asker": "c.asked_by = %(asker)s",
    "project_path": "c.project_path = %(project_path)s",
    "status": "c.status = %(status)s",
    "since": "c.updated_at >= %(since)s",
    "until": "c.updated_at < %(until)s",
}


def find(connection: Connection[TupleRow], query: Query, *, before: Mark | None = None, limit: int = 30) -> list[Entry]:
    """Return conversations, last changed first, after the entry with the mark `before`.

    Words that few conversations hold are looked up first, and those sorted. Common ones are mostly met soon on the way
    from the newest downwards; where they are not, for they were common long ago, all that hold them are looked up.
    """
    if query.text is None:
        return _entries(connection, statement(query, before=before, limit=limit))
    hits = few_hits(connection, query.text)
    if hits is not None:
        return _entries(connection, statement(query, before=before, limit=limit, words=Among(ids=hits)))
    met = _entries(connection, statement(query, before=before, limit=limit, words=Met(most=_MOST_MET)))
    if len(met) >= limit or not _goes_on(connection, query, before):
        return met
    return _entries(connection, statement(query, before=before, limit=limit, words=Everywhere()))


def _entries(connection: Connection[TupleRow], asked: tuple[str, dict[str, Any]]) -> list[Entry]:
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        # A plan made for any words at all would be kept once prepared, and takes ten times as long.
        return cursor.execute(asked[0].encode(), asked[1], prepare=False).fetchall()


def _goes_on(connection: Connection[TupleRow], query: Query, before: Mark | None) -> bool:
    """Tell whether there are conversations beyond those on which common words were looked for."""
    where, values = _conditions(query, before)
    sql = f"select 1 from conversations c where {where} {_NEWEST_FIRST} offset %(met)s limit 1"
    return connection.execute(sql.encode(), {**values, "met": _MOST_MET}).fetchone() is not None


def few_hits(connection: Connection[TupleRow], text: str) -> list[UUID] | None:
    """Return which conversations hold the words, wherever they are; None for more than a few."""
    sql = "select pipewright_hits(to_tsquery('simple'::regconfig, %s), %s)"
    rows = connection.execute(sql, (_words(text), _FEW_HITS + 1)).fetchall()
    return [row[0] for row in rows] if len(rows) <= _FEW_HITS else None


def entry(connection: Connection[TupleRow], conversation_id: UUID) -> Entry | None:
    """Return one conversation as a list shows it."""
    with connection.cursor(row_factory=class_row(Entry)) as cursor:
        sql = f"select {_COLUMNS} from conversations c where c.id = %s"
        return cursor.execute(sql.encode(), (conversation_id,)).fetchone()


def statement(
    query: Query, *, before: Mark | None, limit: int, words: Among | Met | Everywhere | None = None
) -> tuple[str, dict[str, Any]]:
    """Return what `find` sends; only what is asked for stands in it, so that PostgreSQL chooses the index that fits."""
    where, values = _conditions(query, before)
    values |= {"limit": limit, "words": _words(query.text or "")}
    source = "conversations c"
    if isinstance(words, Among):
        where += " and c.id = any(%(among)s)"
        values["among"] = words.ids
    elif isinstance(words, Everywhere):
        source += " join pipewright_hits(to_tsquery('simple'::regconfig, %(words)s), 1000000) hit on hit = c.id"
    elif isinstance(words, Met):
        source = (
            f"(select * from conversations c where {where} {_NEWEST_FIRST} limit {words.most}) c"
            " join conversation_words w on w.conversation_id = c.id"
        )
        where = "w.words @@ to_tsquery('simple'::regconfig, %(words)s)"
    return f"select {_COLUMNS} from {source} where {where} {_NEWEST_FIRST} limit %(limit)s", values


def _conditions(query: Query, before: Mark | None) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"projects": sorted(query.projects), "person": query.person_id}
    conditions = ["c.project_id = any(%(projects)s)", "(c.owner_id is null or c.owner_id = %(person)s)"]
    for name, condition in _FILTERS.items():
        if (value := getattr(query, name)) is not None:
            conditions.append(condition)
            values[name] = value
    if before is not None:
        conditions.append("(c.updated_at, c.id) < (%(time)s, %(id)s)")
        values["time"], values["id"] = before
    return " and ".join(conditions), values


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
