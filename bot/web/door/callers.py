"""Who calls the API: a person with a GitLab token, looked at by GitLab each time, and what they may see."""

from dataclasses import dataclass
from typing import Any

from litestar.connection import ASGIConnection
from litestar.exceptions import NotAuthorizedException, NotFoundException, PermissionDeniedException

from bot.domain import CannotError, Noteable, Person, ProjectRef
from bot.gitlab.answers import RefusedError
from bot.gitlab.client import GitLab
from bot.gitlab.transport import BearerToken
from bot.settings import Settings

_TIMEOUT = (3.0, 10.0)
_ASK_FOR_TOKEN = {"WWW-Authenticate": 'Bearer realm="GitLab token"'}
_NO_PROJECT = "There is no such project, or the token's person cannot see it."


@dataclass(frozen=True)
class Caller:
    """A person as their own token shows them. `may_change` is false for a token that only reads."""

    gitlab: GitLab
    person: Person
    may_change: bool

    def project(self, path_or_id: str) -> ProjectRef:
        """Return a project the person can see, or raise NotFoundException."""
        try:
            found = self.gitlab.find_project(path_or_id)
        except CannotError as unseen:
            raise NotFoundException(_NO_PROJECT) from unseen
        return ProjectRef(id=found.id, path=found.path, web_url=found.web_url)

    def sees(self, project_id: int, noteable: Noteable) -> bool:
        """Tell whether the person can see an issue or merge request."""
        try:
            self.gitlab.noteable(project_id, noteable)
        except RefusedError:
            return False
        return True


def caller_of(connection: ASGIConnection[Any, Any, Any, Any], settings: Settings) -> Caller:
    """Return who calls; raises NotAuthorizedException or PermissionDeniedException with words that help."""
    kind, _, token = connection.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token or not token.isascii() or not token.isprintable():
        raise NotAuthorizedException(
            "Send your GitLab access token as `Authorization: Bearer TOKEN`.", headers=_ASK_FOR_TOKEN
        )
    ca_file = str(settings.ca_file) if settings.ca_file else None
    gitlab = GitLab(settings.gitlab_url, BearerToken(token), ca_file=ca_file, timeout=_TIMEOUT)
    try:
        account = gitlab.me()
    except RefusedError as refused:
        if refused.status == 403:
            raise PermissionDeniedException(
                "GitLab says that the token may not read: it needs `read_api` or `api`."
            ) from refused
        raise NotAuthorizedException("GitLab does not know this token (any more).", headers=_ASK_FOR_TOKEN) from refused
    return Caller(gitlab, Person(id=account.id, username=account.username), may_change=_may_change(gitlab))


def _may_change(gitlab: GitLab) -> bool:
    """Scopes that GitLab does not tell count as reading."""
    try:
        return "api" in gitlab.token_scopes()
    except RefusedError:
        return False
