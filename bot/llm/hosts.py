"""Several Ollamas used in turn: one request at a time on each, healthy ones first, the others tried again later."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from bot.llm.chat import Watch
from bot.llm.faults import Duty, FaultError
from bot.llm.host import Host
from bot.llm.reading import Heard

log = structlog.get_logger()

# Seconds before each further try.
_WAITS: Mapping[Duty, tuple[float, ...]] = {Duty.AGAIN: (2.0, 8.0), Duty.ONCE: (1.0,), Duty.BUSY: (10.0, 30.0)}
_OF_THE_HOST = frozenset({Duty.FATAL, Duty.AGAIN, Duty.ONCE, Duty.BUSY})
_TICK_SECONDS = 0.5


class Hosts:
    """Finds the host for a request. A model answers one request at a time, so more would only wait inside Ollama,
    where nobody sees how long.
    """

    def __init__(self, hosts: Sequence[Host], *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._hosts = list(hosts)
        self._sleep = sleep
        self._busy: set[Host] = set()
        self._turn = 0
        self._free = threading.Condition()

    def any_has(self, model: str) -> bool:
        """Tell whether any host has the model now."""
        return any(host.has_model(model) for host in self._hosts)

    def each(self) -> Sequence[Host]:
        """Return all of them."""
        return tuple(self._hosts)

    def chat(self, request: Mapping[str, Any], watch: Watch, hear: Callable[[Heard, str], None]) -> Heard:
        """Return an answer from the first host that gives one; raises the last FaultError when none does."""
        faults: Counter[Duty] = Counter()
        tried: set[Host] = set()
        is_cut = False
        while True:
            watch.check()
            with self._taken(watch, tried) as host:
                try:
                    # A stream that was cut is asked for in one piece: what cut it may let that through.
                    heard = host.chat({**request, "stream": request["stream"] and not is_cut}, watch, hear)
                except FaultError as fault:
                    self._note(host, fault)
                    tried.add(host)
                    faults[fault.duty] += 1
                    is_cut = is_cut or fault.advice.endswith("cut off")
                    self._wait_or_raise(fault, faults[fault.duty], tried, watch)
                    continue
                host.breaker.worked()
                watch.host = host.url
                return heard

    def _note(self, host: Host, fault: FaultError) -> None:
        log.warning("the model's host failed", host=host.url, duty=fault.duty.name, detail=fault.detail)
        if fault.duty in _OF_THE_HOST and fault.duty is not Duty.BUSY:
            host.breaker.failed(for_good=fault.duty is Duty.FATAL)

    def _wait_or_raise(self, fault: FaultError, times: int, tried: set[Host], watch: Watch) -> None:
        """Another host is tried at once; the same ones only after a wait, and only if that can help."""
        if fault.duty not in _OF_THE_HOST:
            raise fault
        if len(tried) < len(self._hosts):
            return
        waits = _WAITS.get(fault.duty, ())
        if times > len(waits):
            raise fault
        seconds = waits[times - 1] * random.uniform(0.8, 1.2)
        if seconds > watch.seconds_left():
            raise fault
        self._sleep(seconds)
        tried.clear()

    @contextmanager
    def _taken(self, watch: Watch, tried: set[Host]) -> Iterator[Host]:
        host = self._take(watch, tried)
        try:
            yield host
        finally:
            with self._free:
                self._busy.discard(host)
                self._free.notify()

    def _take(self, watch: Watch, tried: set[Host]) -> Host:
        """Wait for a host that is free; told once, for an order before ours may take minutes."""
        usable = self._usable(tried)
        is_told = False
        with self._free:
            while True:
                free = [host for host in usable if host not in self._busy]
                if free:
                    return self._next(free, watch)
                if not is_told:
                    watch.on_waiting()
                    is_told = True
                watch.check()
                if watch.seconds_left() <= 0:
                    raise FaultError(Duty.BUSY, "other orders kept it busy for too long")
                self._free.wait(min(_TICK_SECONDS, max(0.0, watch.seconds_left())))

    def _next(self, free: Sequence[Host], watch: Watch) -> Host:
        """Prefer the host that knows the conversation already; else they take turns."""
        self._turn += 1
        known = next((host for host in free if host.url == watch.host), None)
        host = known or free[self._turn % len(free)]
        self._busy.add(host)
        return host

    def _usable(self, tried: set[Host]) -> list[Host]:
        """Return those not known to be ill; when all are, those that are well again, asked quickly."""
        left = [host for host in self._hosts if host not in tried] or self._hosts
        closed = [host for host in left if not host.breaker.is_open]
        if closed or tried:
            return closed or left
        well = [host for host in self._hosts if host.is_well()]
        if not well:
            raise FaultError(Duty.FATAL, "it failed several times and still does not answer")
        return well
