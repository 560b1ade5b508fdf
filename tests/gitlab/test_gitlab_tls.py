"""Who GitLab is, is proved by its certificate; there is no way to do without."""

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bot.domain import UnreachableError
from bot.gitlab.client import GitLab
from bot.settings import Settings
from tests.world.certificates import certificate


class _Version(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"version":"19.0.0"}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Stay quiet."""


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server with such a certificate: its address, and the certificate's file."""
    own = certificate(tmp_path)
    server = HTTPServer(("127.0.0.1", 0), _Version)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}", own
    server.shutdown()
    server.server_close()


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: tuple[str, Path]) -> None:
    url, _ = secure
    with pytest.raises(UnreachableError, match="SSLError"):
        GitLab(url, "glpat-x", sleep=lambda _: None).version()


def test_one_that_the_administrator_named_is_trusted(secure: tuple[str, Path]) -> None:
    url, own = secure
    assert GitLab(url, "glpat-x", ca_file=str(own)).version() == "19.0.0"


def test_no_setting_switches_certificates_off() -> None:
    words = ("verify", "insecure", "ssl", "tls")
    assert [name for name in Settings.model_fields if any(word in name for word in words)] == []
