"""`python -m bench.flood_load PLAN RESULT HOST PORT`: sends a plan's deliveries, each at its own time.

The load is open-loop: nothing waits for an answer before the next is sent, and a delivery's time counts from when it
was due, so that a slow server cannot hide its slowness by slowing the load down.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.flood_plan import Plan

_LINES = 64
SECRET_VARIABLE = "FLOOD_SECRET"


class Sent(Struct, frozen=True, kw_only=True):
    """How one delivery was answered; `seconds` from when it was due, `late` how much later it was really sent."""

    note_id: int
    is_again: bool
    status: int
    seconds: float
    late: float


class Load(Struct, frozen=True, kw_only=True):
    """All answers, and how long sending took."""

    sent: list[Sent]
    seconds: float


class _Line:
    """One connection that is kept open."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def post(self, head: str, body: bytes) -> int:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(head.encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        lines = answer.decode().lower().split("\r\n")
        length = next(int(line.split(":")[1]) for line in lines if line.startswith("content-length:"))
        await self._reader.readexactly(length)
        return int(lines[0].split()[1])


async def send(plan: Plan, host: str, port: int, secret: str) -> Load:
    """Send everything; return when the last answer is there."""
    free: asyncio.Queue[_Line] = asyncio.Queue()
    for _ in range(_LINES):
        free.put_nowait(_Line(host, port))
    sent: list[Sent] = []
    started = time.perf_counter()

    async def one(number: int) -> None:
        delivery = plan.deliveries[number]
        late = time.perf_counter() - started - delivery.at
        line = await free.get()
        body = delivery.body.encode()
        status = await line.post(_head(host, port, secret, delivery.key, len(body)), body)
        free.put_nowait(line)
        seconds = time.perf_counter() - started - delivery.at
        sent.append(
            Sent(note_id=delivery.note_id, is_again=delivery.is_again, status=status, seconds=seconds, late=late)
        )

    async with asyncio.TaskGroup() as group:
        for number, delivery in enumerate(plan.deliveries):
            wait = started + delivery.at - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            group.create_task(one(number))
    return Load(sent=sent, seconds=time.perf_counter() - started)


def _head(host: str, port: int, secret: str, key: str, length: int) -> str:
    return (
        f"POST /webhooks/gitlab HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
        f"User-Agent: GitLab/19.0.0\r\nX-Gitlab-Event: Note Hook\r\nX-Gitlab-Token: {secret}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Length: {length}\r\n\r\n"
    )


if __name__ == "__main__":
    planned = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    load = asyncio.run(send(planned, sys.argv[3], int(sys.argv[4]), os.environ[SECRET_VARIABLE]))
    Path(sys.argv[2]).write_bytes(msgspec.json.encode(load))
