"""`python -m bench.hammer JOB RESULT`: sends signed deliveries, as fast as answers come or at a rate.

At a rate the load is open-loop: a delivery's time counts from when it was due, so that a slow server cannot hide its
slowness by slowing the load down. It is a process of its own and spends little, for it shares the processors.
"""

import asyncio
import base64
import hashlib
import hmac
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from msgspec import Struct

_PROJECTS, _ISSUES = 500, 20
# What is due sooner goes with the next: uvloop counts in whole milliseconds, and would spin instead.
_TICK_SECONDS = 0.001
# Numbers in the template that stand for the ids of a delivery.
PROJECT_ID, ISSUE_IID, NOTE_ID = 7_770_001, 7_770_002, 7_770_003


class Job(Struct, frozen=True, kw_only=True):
    """What to send: `count` deliveries made of the template; at `rate` a second, or as fast as answers come (0)."""

    port: int
    path: str
    template: str
    signing_token: str
    headers: dict[str, str] = {}
    count: int
    first: int
    connections: int = 16
    rate: float = 0.0


class Result(Struct, frozen=True, kw_only=True):
    """How it went; `milliseconds` of each delivery from when it was due (or sent), `seconds` of all."""

    seconds: float
    milliseconds: list[float]
    statuses: dict[int, int]

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return len(self.milliseconds) / self.seconds


class _Line(asyncio.Protocol):
    """One connection, one delivery at a time."""

    def __init__(self, run: "_Run") -> None:
        self._run = run
        self._transport: asyncio.Transport | None = None
        self._heard = b""
        self._since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        self._run.is_free(self)

    def send(self, request: bytes, since: float) -> None:
        assert self._transport is not None  # the run only knows open lines
        self._since = since
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        end = self._heard.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._heard[:end].lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(self._heard) < end + 4 + length:
            return
        self._heard = b""
        self._run.note(int(head[9:12]), self._since)
        self._run.is_free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.end()


class _Run:
    def __init__(self, job: Job) -> None:
        self._requests = _requests(job)
        self._rate = job.rate
        self._next = 0
        self._free: deque[_Line] = deque()  # by turns: uvicorn hangs up on who says nothing for five seconds
        self.started = 0.0
        self.times: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.done = asyncio.Event()

    def begin(self) -> None:
        self.started = time.perf_counter()
        lines, self._free = self._free, deque()
        if self._rate:
            self._free = lines
            asyncio.get_running_loop().call_soon(self._tick)
            return
        for line in lines:
            self.is_free(line)

    def is_free(self, line: _Line) -> None:
        now = time.perf_counter()
        if not self.started or self._next == len(self._requests):
            self._free.append(line)
        elif not self._rate:
            self._send(line, now)
        elif self._due() <= now:
            self._send(line, self._due())
        else:
            self._free.append(line)

    def _due(self) -> float:
        return self.started + self._next / self._rate

    def _tick(self) -> None:
        now = time.perf_counter()
        while self._next < len(self._requests) and self._free and self._due() <= now:
            self._send(self._free.popleft(), self._due())
        if self._next < len(self._requests):
            asyncio.get_running_loop().call_later(max(_TICK_SECONDS, self._due() - now), self._tick)

    def _send(self, line: _Line, since: float) -> None:
        request = self._requests[self._next]
        self._next += 1
        line.send(request, since)

    def note(self, status: int, since: float) -> None:
        self.times.append((time.perf_counter() - since) * 1000)
        self.statuses[status] += 1
        if len(self.times) == len(self._requests):
            self.done.set()

    def end(self) -> None:
        self.done.set()


def _requests(job: Job) -> list[bytes]:
    key = base64.b64decode(job.signing_token.removeprefix("whsec_"))
    stamp = str(int(time.time()))
    return [_request(job, number, key, stamp) for number in range(job.first, job.first + job.count)]


def _request(job: Job, number: int, key: bytes, stamp: str) -> bytes:
    project = number % _PROJECTS + 1
    body = (
        job.template.replace(str(PROJECT_ID), str(project))
        .replace(str(ISSUE_IID), str(number // _PROJECTS % _ISSUES + 1))
        .replace(str(NOTE_ID), str(1_000_000 + number))
        .encode()
    )
    name = f"delivery-{number}"
    signature = base64.b64encode(hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    more = "".join(f"{header}: {value}\r\n" for header, value in job.headers.items())
    head = (
        f"POST {job.path} HTTP/1.1\r\nHost: 127.0.0.1:{job.port}\r\nContent-Type: application/json\r\n"
        f"User-Agent: GitLab/19.0.0\r\nX-Gitlab-Event: Note Hook\r\n{more}"
        f"Idempotency-Key: {name}\r\nwebhook-id: {name}\r\n"
        f"webhook-timestamp: {stamp}\r\nwebhook-signature: v1,{signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def hammer(job: Job) -> Result:
    """Send everything; return when the last answer is there."""
    run = _Run(job)
    loop = asyncio.get_running_loop()
    for _ in range(job.connections):
        await loop.create_connection(lambda: _Line(run), "127.0.0.1", job.port)
    run.begin()
    await run.done.wait()
    return Result(seconds=time.perf_counter() - run.started, milliseconds=run.times, statuses=dict(run.statuses))


if __name__ == "__main__":
    asked = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Job)
    Path(sys.argv[2]).write_bytes(msgspec.json.encode(uvloop.run(hammer(asked))))
