"""Counts what this process does, shares it with all others, and writes numbers in Prometheus' text format."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import structlog
from psycopg import OperationalError

from bot.store import counters
from bot.store.counters import Counted
from bot.store.pool import Pool

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SHARE_SECONDS = 10.0
_EXPLAINED = {
    "pipewright_deliveries_total": "webhook deliveries by answer",
    "pipewright_gitlab_calls_total": "calls to GitLab (status 0: no answer)",
    "pipewright_gitlab_seconds_total": "seconds spent waiting for GitLab",
    "pipewright_model_turns_total": "turns of the model by what came of them",
    "pipewright_model_seconds_total": "seconds spent waiting for the model",
    "pipewright_model_tokens_total": "tokens the model read (prompt) and wrote (output)",
    "pipewright_orders_total": "orders that ended, by what they were and how",
}
Sample = tuple[Mapping[str, str], float]
_Key = tuple[str, tuple[tuple[str, str], ...]]
# What alerts wait for: of a counter that was not there before, Prometheus takes what it begins with for nothing new.
_FROM_THE_START: list[_Key] = [
    ("pipewright_deliveries_total", (("result", result),)) for result in ("failed", "malformed", "unauthorized")
]

log = structlog.get_logger()


class Metrics:
    """The counters of one process. `count_gitlab_call` fits `on_call` of `bot.gitlab.client.GitLab`, and
    `count_model_turn` fits `on_turn` of `bot.llm.ollama.OllamaModel`. Ended orders PostgreSQL counts itself.

    Labels come from fixed sets (routes are those in the code, with their variables), never from people.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: Counter[_Key] = Counter()

    def count_delivery(self, result: str) -> None:
        """Count a webhook delivery by how it was answered."""
        self._count("pipewright_deliveries_total", 1, result=result)

    def count_gitlab_call(self, route: str, status: int, seconds: float) -> None:
        """Count a call to GitLab; the status 0 stands for no answer."""
        self._count("pipewright_gitlab_calls_total", 1, route=route, status=str(status))
        self._count("pipewright_gitlab_seconds_total", seconds, route=route)

    def count_model_turn(self, model: str, result: str, seconds: float, prompt_tokens: int, output_tokens: int) -> None:
        """Count a turn of a model and what it cost."""
        self._count("pipewright_model_turns_total", 1, model=model, result=result)
        self._count("pipewright_model_seconds_total", seconds, model=model, result=result)
        for kind, tokens in (("prompt", prompt_tokens), ("output", output_tokens)):
            self._count("pipewright_model_tokens_total", tokens, model=model, result=result, kind=kind)

    def _count(self, name: str, more: float, **labels: str) -> None:
        with self._lock:
            self._new[name, tuple(sorted(labels.items()))] += more  # type: ignore[assignment]

    @contextmanager
    def shared(self, pool: Pool) -> Iterator[None]:
        """Share what is counted with the other processes every ten seconds, and at the end."""
        stop = threading.Event()

        def share_until_the_end() -> None:
            while not stop.wait(_SHARE_SECONDS):
                self.share(pool)

        sharing = threading.Thread(target=share_until_the_end, name="metrics", daemon=True)
        sharing.start()
        try:
            yield
        finally:
            stop.set()
            sharing.join()
            self.share(pool)

    def share(self, pool: Pool) -> None:
        """Add what is new to the counters that all processes share; while PostgreSQL is silent it is kept."""
        with self._lock:
            taken, self._new = self._new, Counter()
        if not taken:
            return
        try:
            with pool.connection(timeout=2.0) as connection:
                counters.add(connection, _as_counted(taken))
        except OperationalError as error:
            log.info("the counters could not be shared now", detail=str(error))
            with self._lock:
                self._new.update(taken)


def counted_text(counted: Iterable[Counted]) -> str:
    """Return what was shared in Prometheus' format.

    What a process has not shared yet is left out: another one, asked next, would tell less, and to Prometheus a counter
    that went back began anew.
    """
    numbers: dict[_Key, float] = {(name, tuple(sorted(labels.items()))): n for name, labels, n in counted}
    for key in _FROM_THE_START:
        numbers.setdefault(key, 0)
    return "".join(
        family(name, "counter", words, [(dict(labels), n) for (of, labels), n in numbers.items() if of == name])
        for name, words in _EXPLAINED.items()
    )


def _as_counted(taken: Counter[_Key]) -> Iterator[Counted]:
    return ((name, dict(labels), float(more)) for (name, labels), more in taken.items())


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
