"""A made-up past: conversations of two hundred projects, with drafts, orders and messages, stored within seconds."""

import json
import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow

PROJECTS = 200
PEOPLE = 400
OWNER_ID = 1  # whoever has talks over the program's own address
RARE, COMMON = "quokkafication", "pipeline"
OLD, YOUNG = "yesteryearly", "nowadaysish"  # said in the oldest conversations alone, or in the newest
NEWCOMER = "newcomer"  # asks in the newest conversations alone
LONG_ONE = UUID(int=3)
_LONG_TURNS, _LONG_STATES, _LONG_MESSAGES = 2_000, 300, 5_000
_STATUSES = ("committed",) * 60 + ("proposed",) * 15 + ("rejected",) * 15 + ("superseded",) * 9 + ("failed",)
_NEWEST = datetime.now(UTC)
_VOCABULARY = [f"{a}{b}{c}" for a in ("re", "un", "dis", "pre", "co") for b in ("test", "run", "build", "ship", "lint",
               "cache", "merge", "stage", "image", "deploy") for c in ("er", "ing", "ed", "able", "ment", "s", "less",
               "ful", "ly", "ness", "ist", "ism", "ory", "ate", "ize", "ify", "al", "ic", "ous", "ive")]  # fmt: skip
_CI = "".join(f"job{n}:\n  stage: test\n  image: python:3.12\n  script:\n    - make part{n}\n\n" for n in range(12))
_JOBS = [{"name": f"job{n}", "stage": "test", "image": "python:3.12", "does": f"makes part {n}"} for n in range(12)]
_COMPOSITION = json.dumps(
    {"files": {".gitlab-ci.yml": _CI}, "jobs": _JOBS, "sources": [], "assumptions": [], "kept": [], "findings": []}
)

Rows = Iterable[tuple[Any, ...]]


def fill(connection: Connection[TupleRow], *, conversations: int, messages: int, seed: int = 6) -> None:
    """Store it all; triggers are left out while it is copied in, and done at once afterwards."""
    chance = random.Random(seed)
    connection.execute("set session_replication_role = replica")
    rows = [_conversation(chance, number, conversations) for number in range(conversations)]
    _copy(connection, "conversations", _CONVERSATIONS, rows)
    _copy(connection, "conversation_noteables", "project_id, kind, iid, conversation_id", _noteables(rows))
    _copy(connection, "orders", _ORDERS, (_order(row, number) for row in rows for number in range(4)))
    long_one = next(row for row in rows if row[0] == LONG_ONE)
    _copy(
        connection,
        "orders",
        _ORDERS,
        (_order(long_one, number) for number in range(1_000_000, 1_000_000 + _LONG_TURNS)),
    )
    _copy(
        connection,
        "pipelines",
        _PIPELINES,
        (_pipeline(row, number) for number, row in enumerate(rows) if row[8] != "none"),
    )
    _copy(connection, "pipelines", _PIPELINES, (_state(long_one, number) for number in range(_LONG_STATES)))
    _copy(connection, "messages", _MESSAGES, _messages(chance, rows, messages - _LONG_MESSAGES))
    _copy(connection, "messages", _MESSAGES, _long_talk(long_one))
    connection.execute("set session_replication_role = origin")
    connection.execute("drop index conversation_words_index")  # made at once, it takes a part of the time
    connection.execute("set maintenance_work_mem = '256MB'")
    connection.execute(_WORDS)
    connection.execute(_COUNTED)
    connection.execute(
        "insert into deliveries (key, order_id, received_at) select delivery_key, id, created_at from orders"
    )
    connection.execute("create index conversation_words_index on conversation_words using gin (words)")
    connection.commit()
    connection.autocommit = True
    connection.execute("vacuum (analyze)")
    connection.autocommit = False


_CONVERSATIONS = (
    "id, project_id, project_path, title, is_confidential, asked_by, created_at, updated_at, status, owner_id"
)
_ORDERS = "id, delivery_key, conversation_id, event, kind, state, result, created_at, started_at, finished_at"
_PIPELINES = (
    "id, conversation_id, order_id, repo_url, gitlab_ci, status, commit_id, project_id, target_branch, source_branch,"
    " merge_request_iid, requested_by_id, requested_by, survey, composition, created_at, updated_at"
)
_MESSAGES = "conversation_id, order_id, role, content, author, created_at"
_WORDS = """
insert into conversation_words (conversation_id, words)
select c.id, pipewright_words(left(concat_ws(' ', c.title, c.project_path, c.asked_by, m.said), 20000))
from conversations c left join (
    select conversation_id, string_agg(content, ' ') as said from messages where role <> 'tool' group by conversation_id
) m on m.conversation_id = c.id
"""


_COUNTED = """
insert into counters (name, labels, value)
select 'pipewright_orders_total', jsonb_build_object('kind', kind, 'state', state, 'result', result), count(*)
from orders group by kind, state, result
"""


def _copy(connection: Connection[TupleRow], table: str, columns: str, rows: Rows) -> None:
    with connection.cursor().copy(f"copy {table} ({columns}) from stdin".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def _conversation(chance: random.Random, number: int, of: int) -> tuple[Any, ...]:
    project = chance.randint(1, PROJECTS)
    updated = _NEWEST - timedelta(days=400) * (number / of)
    is_own = number % 50 == 0
    return (
        UUID(int=number + 1),
        project,
        f"group{project % 10}/project{project}",
        " ".join(chance.choices(_VOCABULARY, k=4)),
        is_own or number % 20 == 1,
        NEWCOMER if number % 5 == 3 and number < of * 0.02 else f"person{chance.randint(1, PEOPLE)}",
        updated - timedelta(hours=1),
        updated,
        "proposed" if number == 2 else chance.choice(_STATUSES) if chance.random() < 0.6 and not is_own else "none",
        OWNER_ID if is_own else None,
    )


def _noteables(conversations: list[tuple[Any, ...]]) -> Rows:
    """Count each project's issues from one, as GitLab does."""
    counted: Counter[int] = Counter()
    for row in conversations:
        if row[9] is None:
            counted[row[1]] += 1
            yield row[1], "issue", counted[row[1]], row[0]


def _order(row: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    id_ = UUID(int=row[0].int * 10 + number)
    moment = row[6] + timedelta(milliseconds=number % 1_000_000)
    is_broken = row[0].int % 5_000 == 0
    event = (
        f'{{"type": "chat", "project": {{"id": {row[1]}, "path": "{row[2]}"}}, "author": {{"id": 1, "username": '
        f'"{row[5]}"}}, "text": "status", "channel": "{id_}"}}'
    )
    state, result = ("broken", "KeyError") if is_broken else ("done", "status")
    return id_, f"bench:{id_}", row[0], event, "chat", state, result, moment, moment, row[7]


def _pipeline(row: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    return (
        row[0],
        row[0],
        UUID(int=row[0].int * 10),
        f"https://gitlab.example.com/{row[2]}",
        _CI,
        row[8],
        f"{number:040x}",
        row[1],
        "main",
        f"pipewright/issue-{number}",
        number + 1,
        1,
        row[5],
        '{"units": []}',
        _COMPOSITION,
        row[6],
        row[7],
    )


def _state(row: tuple[Any, ...], number: int) -> tuple[Any, ...]:
    """An earlier state of a conversation's draft."""
    first = _pipeline(row, 2)
    moment = row[6] - timedelta(seconds=number + 1)
    id_, order = UUID(int=2**64 + number), UUID(int=row[0].int * 10 + 1_000_000 + number)
    return id_, first[1], order, *first[3:5], "superseded", f"{number + 10**9:040x}", *first[7:15], moment, moment


def _long_talk(row: tuple[Any, ...]) -> Rows:
    for number in range(_LONG_MESSAGES):
        order = UUID(int=row[0].int * 10 + 1_000_000 + number % _LONG_TURNS)
        text = " ".join(_VOCABULARY[(number * 7 + each) % len(_VOCABULARY)] for each in range(60))
        yield row[0], order, ("user", "assistant", "tool")[number % 3], text, None, row[7]


def _messages(chance: random.Random, conversations: list[tuple[Any, ...]], count: int) -> Rows:
    """Yield messages, some conversations holding many; a common word stands in every third, a rare one in few."""
    texts = [" ".join(chance.choices(_VOCABULARY, k=chance.randint(8, 30))) for _ in range(5_000)]
    texts = [f"{text} {COMMON}" if number % 3 == 0 else text for number, text in enumerate(texts)]
    for number in range(count):
        row = (
            conversations[int(len(conversations) * chance.random() ** 1.5)]
            if number % 2
            else (conversations[number // 2 % len(conversations)])
        )
        text = texts[chance.randrange(len(texts))]
        role = ("user", "assistant", "tool", "assistant")[number % 4]
        content = f"{text} {RARE}" if number % 20_011 == 0 else text
        age = row[0].int / len(conversations)
        content = f"{content} {OLD}" if age > 0.95 else f"{content} {YOUNG}" if age < 0.05 else content
        order = UUID(int=row[0].int * 10 + number % 4)
        yield row[0], order, role, content, row[5] if role == "user" else None, row[7]
