"""Counters that web and workers share: whoever is asked tells what all of them counted."""

from bot.store import counters
from bot.store.pool import Pool, open_pool
from bot.web.api.figures import figures
from bot.web.api.metrics import Metrics


def told(pool: Pool, metrics: Metrics) -> list[str]:
    with pool.connection() as connection:
        return metrics.text(counters.every(connection)).splitlines()


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
    assert 'pipewright_deliveries_total{result="queued"} 1' in metrics.text().splitlines()
    metrics.share(pool)
    assert 'pipewright_deliveries_total{result="queued"} 1' in told(pool, Metrics())


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
