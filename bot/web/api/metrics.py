"""Counts what this process does, and writes numbers in Prometheus' text format."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[Mapping[str, str], float]


class Metrics:
    """The counters of one process. `count_gitlab_call` fits `on_call` of `bot.gitlab.client.GitLab`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deliveries: Counter[str] = Counter()
        self._calls: Counter[tuple[str, int]] = Counter()
        self._call_seconds: dict[str, float] = {}

    def count_delivery(self, result: str) -> None:
        """Count a webhook delivery by how it was answered."""
        with self._lock:
            self._deliveries[result] += 1

    def count_gitlab_call(self, route: str, status: int, seconds: float) -> None:
        """Count a call to GitLab; the status 0 stands for no answer."""
        with self._lock:
            self._calls[route, status] += 1
            self._call_seconds[route] = self._call_seconds.get(route, 0.0) + seconds

    def text(self) -> str:
        """Return the counters in Prometheus' format."""
        with self._lock:
            deliveries = [({"result": result}, float(count)) for result, count in self._deliveries.items()]
            calls = [({"route": route, "status": str(status)}, float(n)) for (route, status), n in self._calls.items()]
            seconds = [({"route": route}, total) for route, total in self._call_seconds.items()]
        return "".join(
            (
                family("pipewright_deliveries_total", "counter", "webhook deliveries by answer", deliveries),
                family("pipewright_gitlab_calls_total", "counter", "calls to GitLab (status 0: no answer)", calls),
                family("pipewright_gitlab_seconds_total", "counter", "seconds spent waiting for GitLab", seconds),
            )
        )


def family(name: str, kind: str, explanation: str, samples: Iterable[Sample]) -> str:
    """Return one metric with its samples, in an order that does not change."""
    lines = sorted(f"{name}{_labels(labels)} {value:.10g}" for labels, value in samples)
    return "\n".join((f"# HELP {name} {explanation}", f"# TYPE {name} {kind}", *lines, ""))


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
