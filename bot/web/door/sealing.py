"""Seals what must not be read where it lies: tokens in the database, a sign-in under way in a cookie."""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def seal(key: bytes, content: bytes) -> bytes:
    """Return what only `unseal` with the same key reads."""
    return Fernet(key).encrypt(content)


def unseal(key: bytes, sealed: bytes, *, seconds: int | None = None) -> bytes | None:
    """Return what was sealed; None for anything else, and for what was sealed longer ago than `seconds`."""
    try:
        return Fernet(key).decrypt(sealed, ttl=seconds)
    except InvalidToken:
        return None


def key_from(*secrets: str, purpose: str) -> bytes:
    """Return a key that takes all of these secrets to make."""
    material = b"\0".join(secret.encode() for secret in secrets)
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"pipewright {purpose}".encode()).derive(material)
    return base64.urlsafe_b64encode(derived)
