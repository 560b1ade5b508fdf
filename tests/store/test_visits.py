"""How often somebody came: one statement, whoever counts."""

from bot.store import visits
from bot.store.pool import Pool


def test_so_many_fit_at_once_and_more_as_time_goes_by(pool: Pool) -> None:
    def come(person: int = 1) -> visits.Standing:
        return visits.count(connection, person, burst=5, each_minute=60)

    with pool.connection() as connection:  # one transaction, in which PostgreSQL's clock stands still
        assert [come().remaining for _ in range(6)] == [4, 3, 2, 1, 0, None]
        assert come().seconds == 1
        assert (come(2).remaining, come(2).seconds) == (4, 2)
        connection.execute("update visits set due = due - interval '2 seconds' where person_id = 1")
        assert [come().remaining for _ in range(3)] == [1, 0, None]
        connection.execute("update visits set due = due - interval '1 hour'")
        assert (come().remaining, come().seconds) == (4, 2)
