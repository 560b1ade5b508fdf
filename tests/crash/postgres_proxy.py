"""Stands between a process and PostgreSQL, knows what a COMMIT is, and can cut the line before or after it.

A boundary is a COMMIT of a transaction that wrote something, or a writing statement outside of one, in either of the
protocol's two forms (postgresql.org/docs/current/protocol-message-formats.html).
"""

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tests.crash.boundaries import Boundaries, Boundary

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_WRITES = re.compile(
    r"^\s*(?:insert\s+into|update|delete\s+from|create|alter|drop)\b|^with\b.*\b(?:insert|update|delete)\b"
    r"|pg_notify|pipewright_take_in"
    r"|procrastinate_(?:defer|fetch|finish|cancel|retry|update_heartbeat|register|unregister|prune)",
    re.IGNORECASE | re.DOTALL,
)
_FETCH = "procrastinate_fetch_job"


def is_write(sql: str) -> bool:
    """Tell whether a statement may change something."""
    return bool(_WRITES.search(sql))


def label(sql: str) -> str:
    """Name a writing statement: its verb, its table or function, the first column it sets."""
    function = re.search(r"(procrastinate_[a-z_]+?)(?:_v\d+)?\(|(pg_notify|pipewright_take_in)\(", sql)
    if function:
        return function[1] or function[2]
    words = re.match(r"\s*(\w+)(?:\s+(?:into|from|function|table|trigger|index))?\s+\"?(\w+)", sql)
    column = re.search(r"\bset\s+(\w+)\s*=\s*('?\w+)?", sql)
    column_words = f" {column[1]}" if column and words and words[1].lower() == "update" else ""
    return f"{words[1].lower()} {words[2]}{column_words}" if words else "?"


class PostgresProxy:
    """The way of one process to the server; `label` and number of each boundary go to `boundaries`."""

    def __init__(self, server: Path, process: str, boundaries: Boundaries) -> None:
        self._server_path = str(server)
        self.process, self.boundaries = process, boundaries
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        self._lines: set[_Line] = set()
        self._is_over = False
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        self._is_over = True
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for line in list(self._lines):
            line.cut()

    def _serve(self) -> None:
        while not self._is_over:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._server_path)
            except OSError:
                client.close()
                continue
            line = _Line(self, client, server)
            self._lines.add(line)
            threading.Thread(target=line.forward, daemon=True).start()
            threading.Thread(target=line.relay, daemon=True).start()

    def forget(self, line: "_Line") -> None:
        self._lines.discard(line)


class _Line:
    """One connection. The client waits for each answer before it asks again, so one boundary is open at a time."""

    def __init__(self, proxy: PostgresProxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._prepared: dict[bytes, str] = {}
        self._portals: dict[bytes, str] = {}
        self._written: list[str] = []
        self._is_in_transaction = False
        self._open: list[Boundary] = []
        self._fetches = False

    def cut(self) -> None:
        for one in (self._client, self._server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._proxy.forget(self)

    # towards the server

    def forward(self) -> None:
        with suppress(OSError, ConnectionError):
            self._greet()
            batch, statements = b"", []
            for kind, message in _messages(self._client):
                batch += message
                statements += self._statement(kind, message)
                if kind in b"QSXHfdc":
                    if kind in b"QS" and self._dies_before(statements):
                        break
                    self._server.sendall(batch)
                    batch, statements = b"", []
        self.cut()

    def _greet(self) -> None:
        while True:
            head = _exactly(self._client, 8)
            size, code = struct.unpack("!II", head)
            rest = _exactly(self._client, size - 8)
            if code in (_SSL, _GSS):
                self._client.sendall(b"N")
                continue
            self._server.sendall(head + rest)
            if code == _CANCEL:
                raise ConnectionError("that was all")
            return

    def _statement(self, kind: int, message: bytes) -> list[str]:
        body = message[5:]
        if kind == ord("Q"):
            return [body.rstrip(b"\0").decode(errors="replace")]
        if kind == ord("P"):
            name, sql, _ = body.split(b"\0", 2)
            self._prepared[name] = sql.decode(errors="replace")
        elif kind == ord("B"):
            portal, name, _ = body.split(b"\0", 2)
            self._portals[portal] = self._prepared.get(name, "?")
        elif kind == ord("E"):
            return [self._portals.get(body.split(b"\0", 1)[0], "?")]
        return []

    def _dies_before(self, statements: list[str]) -> bool:
        self._fetches = any(_FETCH in sql for sql in statements)
        for sql in statements:
            word = sql.strip().split(None, 1)[0].lower() if sql.strip() else ""
            if word == "commit" and self._written:
                return self._reach(self._written)
            if is_write(sql):
                self._written.append(label(sql))
                if not self._is_in_transaction and word != "begin" and "BEGIN" not in statements:
                    return self._reach(self._written)
        return False

    def _reach(self, written: list[str]) -> bool:
        name = " + ".join(dict.fromkeys(written))
        written.clear()
        boundaries, process = self._proxy.boundaries, self._proxy.process
        number = boundaries.enter(process, "commit", name)
        self._open = [Boundary(process, "commit", name, number, "after")]
        return boundaries.strikes(Boundary(process, "commit", name, number, "before"))

    # towards the client

    def relay(self) -> None:
        held = b""
        with suppress(OSError, ConnectionError):
            for kind, message in _messages(self._server):
                held += message
                if kind == ord("D") and self._fetches and message[7:11] != b"\xff\xff\xff\xff":
                    self._fetched()
                if kind == ord("Z"):
                    self._is_in_transaction = message[5:6] != b"I"
                    if not self._is_in_transaction:
                        self._written.clear()
                    opened, self._open = self._open, []
                    if any(self._proxy.boundaries.strikes(one) for one in opened):
                        break
                if kind == ord("Z") or not self._open:
                    self._client.sendall(held)
                    held = b""
        self.cut()

    def _fetched(self) -> None:
        """A job was taken, which is another thing than having asked for one in vain."""
        self._fetches = False
        number = self._proxy.boundaries.enter(self._proxy.process, "commit", "a job was taken")
        self._open.append(Boundary(self._proxy.process, "commit", "a job was taken", number, "after"))


def _messages(source: socket.socket) -> Iterator[tuple[int, bytes]]:
    held = b""
    while True:
        while len(held) >= 5:
            size = 1 + struct.unpack("!I", held[1:5])[0]
            if len(held) < size:
                break
            yield held[0], held[:size]
            held = held[size:]
        piece = source.recv(65536)
        if not piece:
            return
        held += piece


def _exactly(source: socket.socket, size: int) -> bytes:
    held = b""
    while len(held) < size:
        piece = source.recv(size - len(held))
        if not piece:
            raise ConnectionError("hung up")
        held += piece
    return held
