"""Who comes in: a person with a GitLab token of their own, checked at GitLab and remembered for a minute."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException

from bot.domain import Person
from bot.gitlab.answers import RefusedError
from bot.gitlab.client import GitLab
from bot.gitlab.transport import BearerToken
from bot.settings import Settings
from bot.web.door.remembered import Clock, Remembered

REMEMBERED_SECONDS = 60.0
_MOST_REMEMBERED = 10_000
_TIMEOUT = (3.0, 10.0)
_ASK_FOR_TOKEN = {"WWW-Authenticate": 'Bearer realm="GitLab token"'}

Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(frozen=True)
class Visitor:
    """A person as GitLab knows them. `gitlab` acts with their own token and so shows only what they may see.

    `may_change` is false for a token that only reads. `is_admin` opens the operator's page; `sees_all`: GitLab itself
    shows them every project. `csrf` is what a form must carry, None for whoever comes with a token. `key` differs
    from token to token and tells nothing about it.
    """

    person: Person
    gitlab: GitLab = field(repr=False)
    may_change: bool
    is_admin: bool
    sees_all: bool
    csrf: str | None = field(repr=False)
    key: str = field(repr=False)


@dataclass(frozen=True)
class _Known:
    person: Person
    scopes: tuple[str, ...]
    is_admin: bool
    sees_all: bool


class Visitors:
    """Tells from a token who comes."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._known: Remembered[str, _Known] = Remembered(
            seconds=REMEMBERED_SECONDS, most=_MOST_REMEMBERED, clock=clock
        )

    def with_token(self, token: str, *, scopes: tuple[str, ...] | None = None) -> Visitor:
        """Return who has a GitLab token; its `scopes` are asked for unless they are known.

        Raises NotAuthorizedException or PermissionDeniedException in words that help.
        """
        key, gitlab = key_of(token), self._gitlab(token)
        known = self._known.get(key)
        if known is None:
            known = _looked_up(gitlab, scopes)
            self._known.put(key, known)
        return Visitor(
            person=known.person,
            gitlab=gitlab,
            may_change="api" in known.scopes,
            is_admin=known.is_admin or self._is_operator(known.person),
            sees_all=known.sees_all,
            csrf=None,
            key=key,
        )

    def _is_operator(self, person: Person) -> bool:
        return bool({person.username.lower(), str(person.id)} & self._settings.operator_names)

    def forget(self, key: str) -> None:
        """Ask GitLab anew the next time; `key` is the visitor's."""
        self._known.forget(key)

    def _gitlab(self, token: str) -> GitLab:
        ca_file = str(self._settings.ca_file) if self._settings.ca_file else None
        return GitLab(self._settings.gitlab_url, BearerToken(token), ca_file=ca_file, timeout=_TIMEOUT)


def key_of(token: str) -> str:
    """Return what a token is known by here: never the token itself."""
    return hashlib.sha256(token.encode()).hexdigest()


def bearer_token(connection: Connection) -> str | None:
    """Return the token of the request's header; None without one. Raises NotAuthorizedException for a broken one."""
    header = connection.headers.get("authorization", "")
    if not header:
        return None
    kind, _, token = header.partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token or not token.isascii() or not token.isprintable() or " " in token:
        raise not_authorized("Send your GitLab access token as `Authorization: Bearer TOKEN`.")
    return token


def not_authorized(words: str) -> NotAuthorizedException:
    """Return the refusal of somebody unknown."""
    return NotAuthorizedException(words, headers=_ASK_FOR_TOKEN)


def _looked_up(gitlab: GitLab, scopes: tuple[str, ...] | None) -> _Known:
    try:
        account = gitlab.me()
    except RefusedError as refused:
        raise _explained(refused) from refused
    person = Person(id=account.id, username=account.username)
    return _Known(
        person=person,
        scopes=_scopes(gitlab) if scopes is None else scopes,
        is_admin=account.is_admin,
        sees_all=account.is_admin and gitlab.acts_as_administrator(),
    )


def _explained(refused: RefusedError) -> NotAuthorizedException | PermissionDeniedException:
    if refused.status != 403:
        return not_authorized("GitLab does not know this token (any more).")
    if refused.detail == "insufficient_scope":
        return PermissionDeniedException("GitLab says that the token may not read: it needs `read_api` or `api`.")
    return PermissionDeniedException(f"GitLab lets this account do nothing now: {refused.detail}")


def _scopes(gitlab: GitLab) -> tuple[str, ...]:
    """Scopes that GitLab does not tell count as reading."""
    try:
        return gitlab.token_scopes()
    except RefusedError:
        return ()
