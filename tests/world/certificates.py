"""Certificates as small offices make them: one that nobody vouches for, and one that their own authority does."""

import datetime
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path) -> Path:
    """Write a certificate that nobody vouches for, and its key, into one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    alone = x509.IPAddress(ip_address("127.0.0.1"))
    made = _made("127.0.0.1", key, "127.0.0.1", key, names=[alone], is_authority=True)
    return _written(folder / "own.pem", made, key)


def vouched_for(folder: Path, host: str) -> tuple[Path, Path]:
    """Write an authority's certificate, and that of a host with its key which the authority signed."""
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _made("Office CA", authority, "Office CA", authority, names=[], is_authority=True)
    made = _made(host, key, "Office CA", authority, names=[x509.DNSName(host)], is_authority=False)
    ca_file = folder / "ca.pem"
    ca_file.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    return ca_file, _written(folder / "host.pem", made, key)


def _made(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signing: ec.EllipticCurvePrivateKey,
    *,
    names: list[x509.GeneralName],
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signing, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _written(path: Path, made: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Path:
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
