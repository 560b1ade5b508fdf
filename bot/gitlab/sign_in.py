"""Signing in with GitLab: OAuth 2's authorization code with PKCE (docs.gitlab.com/api/oauth2), for one application."""

from collections.abc import Callable
from time import time
from typing import TYPE_CHECKING, Any

import requests
from msgspec import Struct

from bot.domain import CannotError, UnreachableError

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

# Enough to ask in a person's name what they may see. Nothing is written with their token: what they order is done by
# the bot's own account once their rights are checked, so that a stolen session cannot write either.
SCOPE = "read_api"
_TIMEOUT = (3.0, 10.0)
_SHORTEST_SECONDS = 60.0


class SignInRefusedError(CannotError):
    """GitLab refused; `code` is OAuth's word for why, such as invalid_grant."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"GitLab refused to sign in ({code}: {description})")
        self.code = code


class Grant(Struct, frozen=True, kw_only=True):
    """What GitLab gave for a person's consent. `expires_at` counts seconds since 1970."""

    access_token: str
    refresh_token: str
    expires_at: float

    def __repr__(self) -> str:
        """Tell nothing: tokens must reach no log."""
        return "Grant(…)"


class SignIn:
    """One application registered in GitLab. Raises UnreachableError while GitLab is silent."""

    def __init__(
        self,
        url: str,
        client_id: str,
        client_secret: str,
        redirect_uri: str,
        ca_file: str | None,
        now: Callable[[], float] = time,
    ) -> None:
        self._url, self._redirect_uri, self._ca_file, self._now = url, redirect_uri, ca_file, now
        self._client = {"client_id": client_id, "client_secret": client_secret}

    def address(self, state: str, verifier: str) -> str:
        """Return where to send a browser; it comes back with `state` and a code."""
        with self._session() as session:
            address, _ = session.create_authorization_url(
                f"{self._url}/oauth/authorize", state=state, code_verifier=verifier
            )
        return str(address)

    def redeem(self, code: str, verifier: str) -> Grant:
        """Exchange a code, which works once. Raises SignInRefusedError for one that is no good (any more)."""
        return self._granted(
            lambda session: session.fetch_token(
                self._token_url, grant_type="authorization_code", code=code, code_verifier=verifier, **self._options
            )
        )

    def check(self) -> None:
        """See whether GitLab knows the application and its secret; raises SignInRefusedError when it does not."""
        try:
            self.redeem("no-code", "no-verifier-of-any-code-but-as-long-as-one-has-to-be")
        except SignInRefusedError as refused:
            if refused.code != "invalid_grant":  # which is said of the code, once the application is known
                raise

    def renew(self, refresh_token: str) -> Grant:
        """Exchange a refresh token; both old tokens end. Raises SignInRefusedError when it was revoked."""
        return self._granted(
            lambda session: session.refresh_token(self._token_url, refresh_token=refresh_token, **self._options)
        )

    def revoke(self, token: str) -> None:
        """End a token and the one that belongs to it."""
        with self._session() as session:
            try:
                answer = session.revoke_token(f"{self._url}/oauth/revoke", token=token, **self._options)
            except requests.RequestException as error:
                raise _silence(error) from error
        if answer.status_code >= 400:
            raise SignInRefusedError(str(answer.status_code), "the token was not revoked")

    @property
    def _token_url(self) -> str:
        return f"{self._url}/oauth/token"

    @property
    def _options(self) -> dict[str, Any]:
        # A redirect would take the secret elsewhere; REQUESTS_CA_BUNDLE would win over a session's own certificates.
        return {"timeout": _TIMEOUT, "allow_redirects": False, "verify": self._ca_file or True}

    def _session(self) -> "OAuth2Session":
        from authlib.integrations.requests_client import OAuth2Session  # 0.1 s, which no command line has to pay

        return OAuth2Session(
            **self._client,
            token_endpoint_auth_method="client_secret_post",
            revocation_endpoint_auth_method="client_secret_post",
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            scope=SCOPE,
        )

    def _granted(self, ask: Any) -> Grant:
        from authlib.integrations.base_client import OAuthError

        with self._session() as session:
            try:
                told = ask(session)
            except OAuthError as refused:
                raise SignInRefusedError(str(refused.error), str(refused.description or "")) from refused
            except (requests.RequestException, ValueError) as error:
                raise _silence(error) from error
        return _read(told, self._now())


def _read(told: dict[str, Any], now: float) -> Grant:
    try:
        return Grant(
            access_token=str(told["access_token"]),
            refresh_token=str(told.get("refresh_token") or ""),
            expires_at=now + max(float(told.get("expires_in") or 7200), _SHORTEST_SECONDS),
        )
    except (KeyError, ValueError) as error:
        raise UnreachableError("GitLab", "an answer without a token") from error


def _silence(error: Exception) -> UnreachableError:
    return UnreachableError("GitLab", f"{type(error).__name__} while signing in")
