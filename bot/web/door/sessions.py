"""Sessions of people who signed in: a random cookie, a row in PostgreSQL, and GitLab tokens that only both open."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import replace

import msgspec
import structlog
from litestar.exceptions import HTTPException, NotAuthorizedException

from bot.domain import Person, UnreachableError
from bot.domain.known import known
from bot.gitlab.sign_in import SCOPE, Grant, SignIn, SignInRefusedError
from bot.store import sessions
from bot.store.pool import Pool
from bot.web.door.sealing import key_from, seal, unseal
from bot.web.door.tokens import Visitor, Visitors, key_of

_RENEWED_BEFORE_SECONDS = 60.0
_LONGEST_COOKIE = 200

log = structlog.get_logger()


class Sessions:
    """Who is signed in. `now` counts seconds since 1970."""

    def __init__(self, pool: Pool, visitors: Visitors, sign_in: SignIn, secret: str, now: Callable[[], float]) -> None:
        self._pool, self._visitors, self._sign_in, self._secret, self._now = pool, visitors, sign_in, secret, now

    def begin(self, grant: Grant) -> tuple[str, Person]:
        """Begin a session and return its cookie's value; raises like `Visitors.with_token`."""
        try:
            person = self._visitors.with_token(grant.access_token, scopes=(SCOPE,)).person
        except HTTPException:
            self._revoke(grant)
            raise
        cookie = secrets.token_urlsafe(32)
        sealed = seal(self._key(cookie), msgspec.json.encode(grant))
        with self._pool.connection() as connection:
            sessions.add(connection, _hash(cookie), user_id=person.id, username=person.username, sealed=sealed)
        return cookie, person

    def visitor(self, cookie: str) -> Visitor | None:
        """Return who has this cookie; None when the session has ended, or GitLab no longer knows its tokens.

        A person who signed in orders things as they do in a note: by their own act. So they may change what they may
        in GitLab, though the token that asks what this is can only read.
        """
        grant = self._grant(cookie)
        while grant is not None:
            try:
                visitor = self._visitors.with_token(grant.access_token, scopes=(SCOPE,))
            except NotAuthorizedException:
                before, grant = grant, self._grant(cookie)
                if grant == before:  # else another request has renewed it meanwhile
                    self.end(cookie)
                    return None
            else:
                return replace(visitor, may_change=True, csrf=csrf_of(cookie))
        return None

    def end(self, cookie: str) -> None:
        """End a session here and in GitLab; GitLab's silence does not keep it alive here."""
        with self._pool.connection() as connection:
            ended = sessions.remove(connection, _hash(cookie))
        grant = self._unsealed(cookie, ended.sealed) if ended else None
        if grant is None:
            return
        self._visitors.forget(key_of(grant.access_token))
        self._revoke(grant)

    def _revoke(self, grant: Grant) -> None:
        try:
            self._sign_in.revoke(grant.access_token)
        except (SignInRefusedError, UnreachableError) as error:
            log.warning("a token could not be revoked", detail=str(error))

    def _grant(self, cookie: str) -> Grant | None:
        if len(cookie) > _LONGEST_COOKIE:
            return None
        id_hash = _hash(cookie)
        with self._pool.connection() as connection:
            found = sessions.find(connection, id_hash)
            if found is not None:
                sessions.touch(connection, id_hash)
        grant = self._unsealed(cookie, found.sealed) if found else None
        return self._renewed(cookie) if grant and self._is_old(grant) else grant

    def _renewed(self, cookie: str) -> Grant | None:
        """A refresh token works once: of several requests at once one renews, and the others wait for its result."""
        id_hash = _hash(cookie)
        with self._pool.connection() as connection:
            found = sessions.find(connection, id_hash, locked=True)
            grant = self._unsealed(cookie, found.sealed) if found else None
            if grant is None or not self._is_old(grant):
                return grant
            try:
                grant = self._sign_in.renew(grant.refresh_token)
            except SignInRefusedError as refused:
                log.info("a session ended", reason=refused.code)
                sessions.remove(connection, id_hash)
                return None
            sessions.reseal(connection, id_hash, seal(self._key(cookie), msgspec.json.encode(grant)))
        return grant

    def _is_old(self, grant: Grant) -> bool:
        return self._now() > grant.expires_at - _RENEWED_BEFORE_SECONDS

    def _unsealed(self, cookie: str, sealed: bytes) -> Grant | None:
        """A setting that changed since makes old sessions unreadable, which ends them."""
        content = unseal(self._key(cookie), sealed)
        return None if content is None else msgspec.json.decode(content, type=Grant)

    def _key(self, cookie: str) -> bytes:
        return key_from(self._secret, cookie, purpose="tokens of a session")


def csrf_of(cookie: str) -> str:
    """Return what forms of this session carry: known to our pages alone, useless for anything else."""
    return hmac.new(cookie.encode(), b"pipewright form", hashlib.sha256).hexdigest()


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()


known(Grant)
