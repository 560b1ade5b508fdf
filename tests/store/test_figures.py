"""Figures of a project and of the queue, from what really happened."""

import uuid

import pytest

from bot.store import figures
from bot.store.pool import Pool

SHA = "a" * 40


@pytest.fixture
def conversation(pool: Pool) -> uuid.UUID:
    """A draft asked for at noon, green after 90 s and again after an hour; one repair, and one failure only told."""
    with pool.connection() as connection:
        row = connection.execute(
            "insert into conversations (project_id, project_path) values (7, 'team/app') returning id"
        ).fetchone()
        assert row is not None
        orders = {}
        for name, kind, event, at in (
            ("asked", "mention", "{}", "12:00:00"),
            ("red", "pipeline", f'{{"status": "failed", "sha": "{SHA}"}}', "12:00:30"),
            ("green", "pipeline", f'{{"status": "success", "sha": "{SHA}"}}', "12:01:30"),
            ("again", "pipeline", f'{{"status": "success", "sha": "{SHA}"}}', "13:00:00"),
            ("other", "pipeline", f'{{"status": "success", "sha": "{"b" * 40}"}}', "12:00:10"),
        ):
            made = connection.execute(
                "insert into orders (delivery_key, conversation_id, event, kind, state, error_id, created_at)"
                " values (%s, %s, %s::jsonb, %s, %s, %s, %s) returning id",
                (name, row[0], event, kind, "broken" if name == "red" else "queued", "e1", f"2026-01-01T{at}Z"),
            ).fetchone()
            assert made is not None
            orders[name] = made[0]
        for status, key, at in (("superseded", "", "12:00:05"), ("proposed", "undo", "12:00:40")):
            connection.execute(
                "insert into pipelines (conversation_id, order_id, change_key, repo_url, status, commit_id, project_id,"
                " target_branch, source_branch, merge_request_iid, requested_by_id, requested_by, survey, composition,"
                " created_at) values (%s, %s, %s, 'u', %s, %s, 7, 'main', 'b', 1, 5, 'ada', '{}', '{}', %s)",
                (row[0], orders["asked"], key, status, SHA, f"2026-01-01T{at}Z"),
            )
        for number, outcome in ((1, "repaired"), (2, "told")):
            connection.execute(
                "insert into repairs (project_id, merge_request_iid, conversation_id, order_id, pipeline_id, sha,"
                " outcome, diagnoses) values (7, 1, %s, %s, %s, %s, %s, '[]')",
                (row[0], orders["red"], number, SHA, outcome),
            )
    return uuid.UUID(str(row[0]))


def test_a_draft_counts_once_with_its_first_green_and_its_repairs(pool: Pool, conversation: uuid.UUID) -> None:
    with pool.connection() as connection:
        (draft,) = figures.drafts_of(connection, 7)
        assert figures.drafts_of(connection, 8) == []
    assert (draft.conversation_id, draft.asked_by, draft.status) == (conversation, "ada", "proposed")
    assert (draft.green_seconds, draft.repairs) == (90.0, 1)


def test_what_waits_and_what_broke_is_listed_with_its_id(pool: Pool, conversation: uuid.UUID) -> None:
    with pool.connection() as connection:
        waiting, broken = figures.unfinished(connection), figures.broken(connection)
        heard = figures.last_heard(connection)
        assert figures.workers(connection) == []
    assert [(each.kind, each.conversation_id) for each in waiting[:1]] == [("mention", conversation)]
    assert len(waiting) == 4
    assert [(each.error_id, each.project_path) for each in broken] == [("e1", "team/app")]
    assert [each.project_path for each in heard] == ["team/app"]
