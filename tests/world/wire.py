"""A server on loopback that answers what a test wrote beforehand, byte by byte, or not at all."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Wire:
    """One answer. Bytes beyond `sent` are promised and never come; `is_silent` keeps the line open without a word."""

    status: int = 200
    body: str = "{}"
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None
    is_silent: bool = False


HUNG_UP = Wire(status=0)
SILENT = Wire(is_silent=True)


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; `body` is its JSON, or the fields of a form."""

    method: str
    path: str
    body: Any = None


class WireServer:
    """Gives its `script` in order, and the last of it for ever; `asked` holds what it was asked."""

    def __init__(self) -> None:
        self.script: list[Wire] = [Wire()]
        self.asked: list[Asked] = []
        self.ended = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.wires = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "WireServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()

    def next(self, asked: Asked) -> Wire:
        self.asked.append(asked)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    wires: WireServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_form = self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
        read = dict(parse_qsl(body.decode())) if is_form else json.loads(body) if body else None
        wire = self.server.wires.next(Asked(self.command, self.path, read))
        if wire.is_silent:
            self.server.wires.ended.wait(60)
        if wire.is_silent or wire.status == 0:
            self.close_connection = True
            return
        content = wire.body.encode()
        self.send_response(wire.status)
        for name, value in {"Content-Type": "application/json", **wire.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: wire.sent])
        self.close_connection = wire.sent is not None

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names the library wants

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""
