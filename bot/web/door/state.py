"""What the door keeps between requests, one for each app."""

import time
from dataclasses import dataclass

from bot.gitlab.sign_in import SignIn
from bot.settings import Settings
from bot.web.door.cookies import Cookies
from bot.web.door.limits import Limits
from bot.web.door.remembered import Clock
from bot.web.door.rights import Rights
from bot.web.door.sessions import Sessions
from bot.web.door.tokens import Connection, Visitors
from bot.web.parts import WebParts

CALLBACK = "/sign-in/callback"


@dataclass(frozen=True)
class Door:
    """Everything of it. Without the settings for signing in, `sessions` and `sign_in` are None; tokens still work."""

    visitors: Visitors
    rights: Rights
    cookies: Cookies
    limits: Limits
    sessions: Sessions | None
    sign_in: SignIn | None


def open_door(parts: WebParts) -> Door:
    """Return the door of an app."""
    settings = parts.settings
    visitors = Visitors(settings, parts.clock)
    sign_in, secret, sessions = open_sign_in(settings, parts.now), settings.oauth_client_secret, None
    if sign_in is not None and secret is not None:
        sessions = Sessions(parts.pool, visitors, sign_in, secret.get_secret_value(), parts.now)
    return Door(
        visitors=visitors,
        rights=Rights(parts.pool, parts.clock),
        cookies=Cookies(settings),
        limits=Limits(parts.pool, parts.clock),
        sign_in=sign_in,
        sessions=sessions,
    )


def open_sign_in(settings: Settings, now: Clock = time.time) -> SignIn | None:
    """Return the way to sign in; None while its settings are not complete."""
    if not (settings.oauth_client_id and settings.oauth_client_secret and settings.public_url):
        return None
    return SignIn(
        settings.gitlab_url,
        settings.oauth_client_id,
        settings.oauth_client_secret.get_secret_value(),
        settings.public_url + CALLBACK,
        str(settings.ca_file) if settings.ca_file else None,
        now,
    )


def door_of(connection: Connection) -> Door:
    """Return the door that the app was made with."""
    door = connection.app.state.door
    assert isinstance(door, Door)  # create_app put it there
    return door
