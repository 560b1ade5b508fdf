"""A proxy as offices have them for HTTPS: it is asked for a host by CONNECT and passes bytes on, unread."""

import base64
import socket
import socketserver
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress

_PIECE = 65_536


class Tunnels(socketserver.ThreadingTCPServer):
    """Leads to the one server there is, whatever host is asked for, and remembers for which it was asked.

    With `login` (`user:password`) it lets nobody through who does not show it.
    """

    daemon_threads = True

    def __init__(self, port: int, *, login: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Tunnel)
        self.behind = ("127.0.0.1", port)
        self.wanted = f"Basic {base64.b64encode(login.encode()).decode()}" if login else ""
        self.asked: list[str] = []
        self.seen = bytearray()
        self.address = f"127.0.0.1:{self.server_address[1]}"

    def start(self) -> "Tunnels":
        """Begin to answer."""
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Answer no more."""
        self.shutdown()
        self.server_close()


class _Tunnel(socketserver.StreamRequestHandler):
    server: Tunnels

    def handle(self) -> None:
        request = self.rfile.readline().decode("latin-1").split()
        headers = dict(_headers(iter(self.rfile.readline, b"")))
        if len(request) != 3 or request[0] != "CONNECT":
            self.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
            return
        self.server.asked.append(request[1])
        if self.server.wanted and headers.get("proxy-authorization") != self.server.wanted:
            self.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(self.server.behind, timeout=60) as onward:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=self._pass_on, args=(onward, self.connection), daemon=True)
            back.start()
            self._pass_on(self.connection, onward)
            back.join()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                self.server.seen += piece
                target.sendall(piece)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _headers(lines: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, _, value = line.decode("latin-1").strip().partition(":")
        if not name:
            return
        yield name.lower(), value.strip()
