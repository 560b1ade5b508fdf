"""What the metrics tell of the last day: how long people waited, what came of repairs, whether hooks arrive."""

from bot.store.counters import Lately
from bot.web.api.metrics import Sample, family


def figures(lately: Lately) -> str:
    """Return these figures in Prometheus' format."""
    taken = [({"step": step, "quantile": f"{part:g}"}, seconds) for (step, part), seconds in lately.seconds.items()]
    repaired = [({"outcome": outcome}, float(count)) for outcome, count in lately.repairs.items()]
    since: list[Sample] = [({}, lately.since_delivery)] if lately.since_delivery is not None else []
    return "".join(
        (
            family(
                "pipewright_seconds", "gauge", "seconds to start, ack, answer, draft and green, within a day", taken
            ),
            family("pipewright_repairs_total", "counter", "red pipelines of drafts by what was done", repaired),
            family("pipewright_last_delivery_seconds", "gauge", "seconds since GitLab last brought something", since),
        )
    )
