"""Who a request comes from. Start here."""

from litestar.exceptions import NotAuthorizedException

from bot.web.door.limits import address_of, check
from bot.web.door.state import Door, door_of
from bot.web.door.tokens import Connection, Visitor, bearer_token, not_authorized

__all__ = ["Visitor", "forget_visitor", "visitor_of", "visitor_or_none"]

_SIGN_IN = "Sign in, or send your GitLab access token as `Authorization: Bearer TOKEN`."


def visitor_of(connection: Connection) -> Visitor:
    """Return who a request comes from, by their token or by the cookie of their session.

    Asks GitLab, so it is called in a thread. Raises NotAuthorizedException (pages then lead to signing in),
    PermissionDeniedException for an account GitLab lets do nothing, TooManyRequestsException.
    """
    visitor = visitor_or_none(connection)
    if visitor is None:
        raise not_authorized(_SIGN_IN)
    return visitor


def visitor_or_none(connection: Connection) -> Visitor | None:
    """Return who a request comes from; None for whoever shows nothing. A token that is no good raises as above."""
    known = connection.state.get("visitor")
    if isinstance(known, Visitor):
        return known
    door = door_of(connection)
    token = bearer_token(connection)
    visitor = _with_token(door, connection, token) if token else _with_cookie(door, connection)
    if visitor is not None:
        door.limits.check_person(connection, visitor.person.id)
        connection.state["visitor"] = visitor
    return visitor


def forget_visitor(connection: Connection) -> None:
    """Ask GitLab anew who this is, the next time they come."""
    known = connection.state.get("visitor")
    if isinstance(known, Visitor):
        door_of(connection).visitors.forget(known.key)


def _with_token(door: Door, connection: Connection, token: str) -> Visitor:
    """Whoever tries out tokens is soon asked no more."""
    address = address_of(connection)
    check(door.limits.unknown, address, counted=False)
    try:
        return door.visitors.with_token(token)
    except NotAuthorizedException:
        check(door.limits.unknown, address)
        raise


def _with_cookie(door: Door, connection: Connection) -> Visitor | None:
    cookie = connection.cookies.get(door.cookies.session)
    return door.sessions.visitor(cookie) if door.sessions and cookie else None
