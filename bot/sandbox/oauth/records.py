"""Applications, the codes given out for them, and their tokens."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.sandbox.state import Token, User, World, now

CODE_LASTS = timedelta(minutes=10)
TOKEN_LASTS = timedelta(hours=2)
SCOPES = ("api", "read_api", "read_user", "openid", "profile", "email")


@dataclass(eq=False)
class Application:
    """A registered application."""

    uid: str
    secret: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...]


@dataclass(eq=False)
class Code:
    """A code for one consent: it works once, for its application, address and verifier."""

    value: str
    application: Application
    user: User
    redirect_uri: str
    scopes: tuple[str, ...]
    challenge: str | None
    challenge_method: str
    is_used: bool = False
    created_at: datetime = field(default_factory=now)


@dataclass(eq=False)
class Consent:
    """An access token and the refresh token that belongs to it."""

    application: Application
    token: Token
    refresh_token: str
    is_revoked: bool = False


@dataclass
class Register:
    """Everything of a world's OAuth."""

    applications: dict[str, Application] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    consents: list[Consent] = field(default_factory=list)

    def consent_of(self, value: str) -> Consent | None:
        """Return whose access or refresh token this is."""
        return next((one for one in self.consents if value in (one.token.value, one.refresh_token)), None)


def register(world: World) -> Register:
    """Return a world's register."""
    if world.oauth is None:
        world.oauth = Register()
    assert isinstance(world.oauth, Register)  # nothing else is ever put there
    return world.oauth


def add_application(world: World, redirect_uri: str, *scopes: str) -> Application:
    """Register an application."""
    added = Application(secrets.token_hex(32), "gloas-" + secrets.token_hex(32), (redirect_uri,), scopes)
    register(world).applications[added.uid] = added
    return added


def give_tokens(world: World, application: Application, user: User, scopes: tuple[str, ...]) -> Consent:
    """Give out an access token with its refresh token."""
    token = Token(secrets.token_hex(32), user, scopes, expires_at=now() + TOKEN_LASTS, is_oauth=True)
    world.tokens[token.value] = token
    consent = Consent(application, token, secrets.token_hex(32))
    register(world).consents.append(consent)
    return consent


def end(consent: Consent) -> None:
    """Revoke both tokens."""
    consent.is_revoked = consent.token.is_revoked = True
