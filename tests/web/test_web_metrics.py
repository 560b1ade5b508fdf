"""Counters that web and workers share: whoever is asked tells what all of them counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bot.store import counters
from bot.store.pool import Pool, open_pool
from bot.web.api.figures import figures
from bot.web.api.metrics import Metrics, counted_text
from tests.web.house import open_house
from tests.world.waiting import until


def told(pool: Pool, metrics: Metrics) -> list[str]:
    metrics.share(pool)
    with pool.connection() as connection:
        return counted_text(counters.every(connection)).splitlines()


def test_what_a_worker_counted_is_told_by_the_web_process(pool: Pool) -> None:
    worker, web = Metrics(), Metrics()
    for _ in range(2):
        worker.count_gitlab_call("GET /projects/{project}", 200, 0.25)
        worker.share(pool)
    web.count_gitlab_call("GET /projects/{project}", 200, 0.5)
    web.count_gitlab_call("GET /projects/{project}", 0, 3)
    lines = told(pool, web)
    assert 'pipewright_gitlab_calls_total{route="GET /projects/{project}",status="200"} 3' in lines
    assert 'pipewright_gitlab_calls_total{route="GET /projects/{project}",status="0"} 1' in lines
    assert 'pipewright_gitlab_seconds_total{route="GET /projects/{project}"} 4' in lines


def test_sharing_at_the_end_counts_nothing_twice(pool: Pool) -> None:
    metrics = Metrics()
    with metrics.shared(pool):
        metrics.count_delivery("queued")
    metrics.share(pool)
    assert 'pipewright_deliveries_total{result="queued"} 1' in told(pool, metrics)


def test_what_cannot_be_shared_is_kept_for_later(pool: Pool, database: str) -> None:
    metrics = Metrics()
    metrics.count_delivery("queued")
    closed = open_pool(database)
    closed.close()
    metrics.share(closed)
    assert 'pipewright_deliveries_total{result="queued"} 1' not in told(pool, Metrics())
    assert 'pipewright_deliveries_total{result="queued"} 1' in told(pool, metrics)


def test_the_last_day_is_told_in_seconds(pool: Pool) -> None:
    with pool.connection() as connection:
        for number, seconds in enumerate((1, 2, 3)):
            connection.execute(
                "insert into orders (delivery_key, event, kind, state, created_at, started_at, finished_at) values"
                " (%s, '{}', 'mention', 'done', now() - interval '1 hour', now() - interval '1 hour' + %s * interval"
                " '1 second', now() - interval '1 hour' + %s * interval '10 seconds')",
                (f"k{number}", seconds, seconds),
            )
        connection.execute("insert into deliveries (key) values ('k')")
        lines = figures(counters.lately(connection)).splitlines()
    assert 'pipewright_seconds{step="start",quantile="0.5"} 2' in lines
    assert 'pipewright_seconds{step="answer",quantile="0.5"} 20' in lines
    assert any(line.startswith("pipewright_last_delivery_seconds 0") for line in lines)


@contextmanager
def away(database: str) -> Iterator[None]:
    """PostgreSQL lets nobody in for a while."""
    name = conninfo_to_dict(database)["dbname"]
    with psycopg.connect(make_conninfo(database, dbname="postgres"), autocommit=True) as connection:
        connection.execute(f"alter database {name} allow_connections false".encode())
        connection.execute("select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = %s", (name,))
        yield
        connection.execute(f"alter database {name} allow_connections true".encode())


STRANGE = 'pipewright_deliveries_total{result="unauthorized"}'


def seen(client: httpx.Client, name: str) -> float:
    """What Prometheus is told of a counter; nothing counts as zero, as it does for it."""
    return next((float(line.split()[1]) for line in client.get("/metrics").text.splitlines() if name in line), 0)


def test_a_counter_does_not_go_back_when_another_web_process_is_asked(database: str, tmp_path: Path) -> None:
    """To Prometheus a counter that went back began anew, and all it ever counted has come since."""
    with (
        open_house(database, tmp_path / "a") as one,
        open_house(database, tmp_path / "b") as other,
        one.browser() as asked,
        other.browser() as next_time,
    ):
        asked.post("/webhooks/gitlab", content=b"{}")
        assert seen(asked, STRANGE) == 1
        assert seen(next_time, STRANGE) == 1
        next_time.post("/webhooks/gitlab", content=b"{}")
        assert [seen(client, STRANGE) for client in (next_time, asked)] == [2, 2]


def test_no_counter_is_told_while_the_database_is_away(database: str, tmp_path: Path) -> None:
    """What one process counted since would be less than what all of them told before."""
    with open_house(database, tmp_path) as house, house.browser() as client:
        for _ in range(3):
            client.post("/webhooks/gitlab", content=b"{}")
        assert seen(client, STRANGE) == 3
        with away(database):
            client.post("/webhooks/gitlab", content=b"{}")
            told = client.get("/metrics").text
        assert "pipewright_database_up 0" in told
        assert "pipewright_deliveries_total{" not in told
        until(lambda: seen(client, STRANGE) == 4)
