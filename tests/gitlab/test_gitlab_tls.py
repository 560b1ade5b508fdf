"""Who GitLab is, is proved by its certificate; there is no way to do without."""

import datetime
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.domain import UnreachableError
from bot.gitlab.client import GitLab
from bot.settings import Settings


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


def _certificate(folder: Path) -> Path:
    """Write a certificate that nobody vouches for, and its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "own.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server with such a certificate: its address, and the certificate's file."""
    certificate = _certificate(tmp_path)
    server = HTTPServer(("127.0.0.1", 0), _Version)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"https://127.0.0.1:{server.server_address[1]}", certificate
    server.shutdown()
    server.server_close()


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: tuple[str, Path]) -> None:
    url, _ = secure
    with pytest.raises(UnreachableError, match="SSLError"):
        GitLab(url, "glpat-x", sleep=lambda _: None).version()


def test_one_that_the_administrator_named_is_trusted(secure: tuple[str, Path]) -> None:
    url, certificate = secure
    assert GitLab(url, "glpat-x", ca_file=str(certificate)).version() == "19.0.0"


def test_no_setting_switches_certificates_off() -> None:
    words = ("verify", "insecure", "ssl", "tls")
    assert [name for name in Settings.model_fields if any(word in name for word in words)] == []
