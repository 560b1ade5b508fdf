"""/oauth/token, /oauth/revoke and /oauth/token/info, as Doorkeeper answers them."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

from bot.sandbox.oauth.records import CODE_LASTS, Application, Code, Consent, end, give_tokens, register
from bot.sandbox.rest.call import Answer
from bot.sandbox.state import World, now

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used in the "
    "authorization request, or was issued to another client."
)
_CLIENT = (
    "Client authentication failed due to unknown client, no client authentication included, or unsupported "
    "authentication method."
)


class _RefusedError(Exception):
    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.answer = Answer(status, {"error": error, "error_description": description}, dict(_NO_STORE))


def token(world: World, headers: Mapping[str, str], form: Mapping[str, Any]) -> Answer:
    """Give tokens for a code or a refresh token."""
    try:
        consent = _granted(world, headers, form)
    except _RefusedError as refused:
        return refused.answer
    body = {
        "access_token": consent.token.value,
        "token_type": "Bearer",
        "expires_in": 7200,
        "refresh_token": consent.refresh_token,
        "scope": " ".join(consent.token.scopes),
        "created_at": int(consent.token.created_at.timestamp()),
    }
    return Answer(200, body, dict(_NO_STORE))


def revoke(world: World, headers: Mapping[str, str], form: Mapping[str, Any]) -> Answer:
    """End a token; one that nobody knows is as good as ended (RFC 7009)."""
    try:
        application = _client(world, headers, form)
    except _RefusedError:
        text = "You are not authorized to revoke this token"
        return Answer(403, {"error": "unauthorized_client", "error_description": text})
    consent = register(world).consent_of(str(form.get("token") or ""))
    if consent is not None and consent.application is application:
        end(consent)
    return Answer(200, {})


def info(world: World, headers: Mapping[str, str]) -> Answer:
    """Tell what a token is."""
    consent = register(world).consent_of(headers.get("Authorization", "").removeprefix("Bearer "))
    expires = consent.token.expires_at if consent else None
    if consent is None or consent.is_revoked or expires is None or expires <= now():
        text = "The access token is invalid"
        return Answer(401, {"error": "invalid_token", "error_description": text, "state": "unauthorized"})
    body = {
        "resource_owner_id": consent.token.user.id,
        "scope": list(consent.token.scopes),
        "expires_in": int((expires - now()).total_seconds()),
        "application": {"uid": consent.application.uid},
        "created_at": int(consent.token.created_at.timestamp()),
    }
    return Answer(200, body)


def _granted(world: World, headers: Mapping[str, str], form: Mapping[str, Any]) -> Consent:
    kind = form.get("grant_type")
    if not kind:
        raise _missing("grant_type")
    if kind == "authorization_code":
        return _for_code(world, headers, form)
    if kind == "refresh_token":
        return _for_refresh(world, headers, form)
    text = "The authorization grant type is not supported by the authorization server."
    raise _RefusedError(400, "unsupported_grant_type", text)


def _missing(name: str) -> _RefusedError:
    return _RefusedError(400, "invalid_request", f"Missing required parameter: {name}.")


def _for_code(world: World, headers: Mapping[str, str], form: Mapping[str, Any]) -> Consent:
    for name in ("code", "redirect_uri"):
        if not form.get(name):
            raise _missing(name)
    application = _client(world, headers, form)
    code = register(world).codes.get(str(form["code"]))
    if code is None or not _is_good(code, application, form):
        raise _RefusedError(400, "invalid_grant", _GRANT)
    code.is_used = True
    return give_tokens(world, application, code.user, code.scopes)


def _is_good(code: Code, application: Application, form: Mapping[str, Any]) -> bool:
    is_alive = not code.is_used and code.created_at + CODE_LASTS > now()
    is_for_them = code.application is application and code.redirect_uri == form["redirect_uri"]
    return is_alive and is_for_them and _is_verified(code, str(form.get("code_verifier") or ""))


def _is_verified(code: Code, verifier: str) -> bool:
    if code.challenge is None:
        return True
    if code.challenge_method == "plain":
        return secrets.compare_digest(verifier, code.challenge)
    digest = hashlib.sha256(verifier.encode()).digest()
    return secrets.compare_digest(base64.urlsafe_b64encode(digest).decode().rstrip("="), code.challenge)


def _for_refresh(world: World, headers: Mapping[str, str], form: Mapping[str, Any]) -> Consent:
    value = str(form.get("refresh_token") or "")
    if not value:
        raise _missing("refresh_token")
    application = _client(world, headers, form)
    old = next((one for one in register(world).consents if one.refresh_token == value), None)
    if old is None or old.is_revoked or old.application is not application:
        raise _RefusedError(400, "invalid_grant", _GRANT)
    end(old)
    return give_tokens(world, application, old.token.user, old.token.scopes)


def _client(world: World, headers: Mapping[str, str], form: Mapping[str, Any]) -> Application:
    """Return the application that shows its secret, in the form or as HTTP Basic."""
    uid, secret = str(form.get("client_id") or ""), str(form.get("client_secret") or "")
    basic = headers.get("Authorization", "")
    if basic.startswith("Basic "):
        uid, _, secret = base64.b64decode(basic.removeprefix("Basic ")).decode("utf-8", "replace").partition(":")
    found = register(world).applications.get(uid)
    if found is None or not secrets.compare_digest(found.secret.encode(), secret.encode()):
        raise _RefusedError(401, "invalid_client", _CLIENT)
    return found
