"""Who a request comes from. Start here."""

from bot.web.door.tokens import Connection, Visitor, Visitors, bearer_token, not_authorized

__all__ = ["Visitor", "visitor_of", "visitor_or_none"]

_SIGN_IN = "Sign in, or send your GitLab access token as `Authorization: Bearer TOKEN`."


def visitor_of(connection: Connection) -> Visitor:
    """Return who a request comes from; raises NotAuthorizedException or PermissionDeniedException with words that help.

    Asks GitLab, so it is called in a thread.
    """
    visitor = visitor_or_none(connection)
    if visitor is None:
        raise not_authorized(_SIGN_IN)
    return visitor


def visitor_or_none(connection: Connection) -> Visitor | None:
    """Return who a request comes from; None for whoever shows nothing. A token that is no good raises as above."""
    token = bearer_token(connection)
    return None if token is None else _visitors(connection).with_token(token)


def _visitors(connection: Connection) -> Visitors:
    visitors = connection.app.state.visitors
    assert isinstance(visitors, Visitors)  # create_app put it there
    return visitors
