"""Turns and budgets as PostgreSQL keeps them: fair over projects, in order within one, within GitLab's bounds."""

from itertools import count

import hypothesis
from hypothesis import strategies as st

from bot.domain import Event, Mention, Noteable, Person, ProjectRef
from bot.store import limits
from bot.store.pool import Pool
from bot.tasks import Queue


def mention(project: int, iid: int) -> Mention:
    return Mention(
        project=ProjectRef(id=project, path=f"group/p{project}"),
        noteable=Noteable(kind="issue", iid=iid),
        author=Person(id=7, username="ann"),
        text="@pipewright help",
    )


def accept(queue: Queue, key: str, project: int, iid: int = 1) -> None:
    assert queue.accept(key, mention(project, iid)) == "queued"


def given(pool: Pool) -> list[tuple[int, int]]:
    """Return each order's project and turn, as they came in."""
    with pool.connection() as connection:
        rows = connection.execute(
            "select o.project_id, -j.priority from procrastinate_jobs j"
            " join orders o on o.id = (j.args ->> 'order_id')::uuid order by j.id"
        ).fetchall()
    return [(row[0], row[1]) for row in rows]


def line(pool: Pool) -> list[int]:
    """Return the projects of the waiting orders as the queue would take them, were each done at once."""
    with pool.connection() as connection:
        rows = connection.execute(
            "select o.project_id from procrastinate_jobs j join orders o on o.id = (j.args ->> 'order_id')::uuid"
            " where j.status = 'todo' order by j.priority desc, j.id"
        ).fetchall()
    return [row[0] for row in rows]


def take_first(pool: Pool, count: int) -> None:
    with pool.connection() as connection:
        connection.execute(
            "delete from procrastinate_jobs where id in"
            " (select id from procrastinate_jobs where status = 'todo' order by priority desc, id limit %s)",
            (count,),
        )


def test_projects_take_turns(database: str, pool: Pool) -> None:
    queue = Queue(database, pool, None)
    for number in range(6):
        accept(queue, f"a{number}", 1, number + 1)
    take_first(pool, 2)
    for number in range(3):
        accept(queue, f"b{number}", 2, number + 1)
    assert line(pool) == [1, 1, 2, 1, 2, 1, 2]


def test_a_project_that_kept_still_gains_no_place_and_loses_none(database: str, pool: Pool) -> None:
    queue = Queue(database, pool, None)
    for number in range(5):
        accept(queue, f"a{number}", 1, number + 1)
    take_first(pool, 5)
    accept(queue, "b0", 2)
    accept(queue, "a5", 1)
    accept(queue, "b1", 2)
    assert line(pool) == [2, 1, 2]


def test_an_order_laid_aside_holds_up_no_turn(database: str, pool: Pool) -> None:
    queue = Queue(database, pool, None)
    for number in range(9):
        accept(queue, f"a{number}", 1, number + 1)
    with pool.connection() as connection:
        connection.execute("update procrastinate_jobs set scheduled_at = now() + interval '1 hour' where priority = -1")
        connection.execute("delete from procrastinate_jobs where priority between -7 and -2")
    accept(queue, "b0", 2)
    assert given(pool)[-1] == (2, 9)


def test_turns_of_one_project_only_grow_whatever_the_others_do_and_however_many_come_together(
    database: str, pool: Pool
) -> None:
    queue, number = Queue(database, pool, None), count()

    @hypothesis.settings(max_examples=30, deadline=None)
    @hypothesis.given(st.lists(st.lists(st.sampled_from([1, 2, 3]), min_size=1, max_size=6), max_size=6))
    def grow(together: list[list[int]]) -> None:
        before = len(given(pool))
        for projects in together:
            keys = [f"k{next(number)}" for _ in projects]
            many = [(key, mention(project, 1)) for key, project in zip(keys, projects, strict=True)]
            queue.accept_all(many)
        assert [project for project, _ in given(pool)[before:]] == [one for projects in together for one in projects]
        for project in (1, 2, 3):
            turns = [turn for known, turn in given(pool) if known == project]
            assert turns == sorted(set(turns))

    grow()


def test_of_orders_that_come_together_projects_take_turns_too(database: str, pool: Pool) -> None:
    queue = Queue(database, pool, None)
    many: list[tuple[str, Event]] = [(f"a{number}", mention(1, number + 1)) for number in range(4)]
    queue.accept_all([*many, ("b0", mention(2, 1)), ("b1", mention(2, 2))])
    assert line(pool) == [1, 2, 1, 2, 1, 1]


def waits(pool: Pool, count: int, per_minute: int) -> list[float]:
    with pool.connection() as connection:  # one transaction: its now() stands still
        return [limits.seconds_until_note(connection, per_minute=per_minute) for _ in range(count)]


def test_no_minute_holds_more_notes_than_gitlab_bears(pool: Pool) -> None:
    at = waits(pool, 200, 60)
    assert at[:20] == [0.0] * 20
    assert at == sorted(at)
    assert 55 < max(sum(start <= one < start + 60 for one in at) for start in at) <= 60


def test_a_third_of_the_budget_is_there_at_once_and_then_one_waits(pool: Pool) -> None:
    assert waits(pool, 3, 1) == [0.0, 60.0, 120.0]


def test_the_budget_is_one_for_all_processes(database: str, pool: Pool) -> None:
    waits(pool, 20, 60)
    assert waits(pool, 1, 60)[0] > 0
