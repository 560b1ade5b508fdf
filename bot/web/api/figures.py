"""What the metrics tell of the last day: how long people waited, what came of repairs, whether hooks arrive."""

from psycopg import Connection
from psycopg.rows import TupleRow

from bot.store import counters
from bot.store.counters import Counted
from bot.web.api.metrics import family


def counted_everywhere(connection: Connection[TupleRow]) -> list[Counted]:
    """Return what all processes have counted and shared."""
    return counters.every(connection)


def figures(connection: Connection[TupleRow]) -> str:
    """Return these figures in Prometheus' format."""
    taken = [
        ({"step": step, "quantile": f"{quantile:g}"}, seconds)
        for (step, quantile), seconds in counters.seconds_taken(connection).items()
    ]
    repaired = [({"outcome": outcome}, float(count)) for outcome, count in counters.repairs(connection).items()]
    since = counters.seconds_since_delivery(connection)
    return "".join(
        (
            family("pipewright_seconds", "gauge", "seconds to start, answer, draft and green, within a day", taken),
            family("pipewright_repairs_total", "counter", "red pipelines of drafts by what was done", repaired),
            family(
                "pipewright_last_delivery_seconds",
                "gauge",
                "seconds since GitLab last brought something",
                [({}, since)] if since is not None else [],
            ),
        )
    )
