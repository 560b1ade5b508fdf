"""Which machines may read numbers and the names of parts: by a token of their own, or from a private network."""

import hmac
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import PermissionDeniedException

from bot.web.parts import parts_of

_PRIVATE = tuple(
    ip_network(each)
    for each in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
)
_CLOSED = (
    "These numbers are for private networks. To read them from elsewhere, set PIPEWRIGHT_METRICS_TOKEN and send it as "
    "`Authorization: Bearer TOKEN`."
)
_WITH_TOKEN = "These numbers are for whoever sends PIPEWRIGHT_METRICS_TOKEN as `Authorization: Bearer TOKEN`."

Connection = ASGIConnection[Any, Any, Any, Any]


def may_look(connection: Connection) -> bool:
    """Tell whether a machine may see how the bot is doing."""
    token = parts_of(connection).settings.metrics_token
    if token is not None:
        given = connection.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token.get_secret_value()}".encode())
    return all(_is_private(address) for address in _came_over(connection))


def require_looking(connection: Connection) -> None:
    """Raise PermissionDeniedException, with what to do, unless a machine may see how the bot is doing."""
    if not may_look(connection):
        has_token = parts_of(connection).settings.metrics_token is not None
        raise PermissionDeniedException(_WITH_TOKEN if has_token else _CLOSED)


def _came_over(connection: Connection) -> list[str]:
    """A proxy that is not trusted stands in a private network as well: what it says can only close the door."""
    told = connection.headers.get("x-forwarded-for", "")
    client = connection.client
    return [client.host if client else "", *(each.strip() for each in told.split(",") if each.strip())]


def _is_private(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in _PRIVATE)
