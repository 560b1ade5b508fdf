"""Puts the webhook into projects and groups; what is there already is mended, never doubled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bot.domain import CannotError

if TYPE_CHECKING:
    from bot.gitlab.client import GitLab
    from bot.gitlab.values import Group, Hook, HookPlace
    from bot.settings import Settings

_UNSIGNED = "this GitLab is older than 19.0 and ignores signing tokens; "
_NO_SECRET = "set PIPEWRIGHT_WEBHOOK_SECRET and install again"
_BLOCKED = (
    "It does not say why. If the address lies in a local network, an administrator of GitLab allows those: Admin › "
    "Settings › Network › Outbound requests."
)


@dataclass(frozen=True)
class Done:
    """What became of the webhook of one project or group."""

    place: str
    result: str
    id: int | None = None
    url: str = ""
    events: tuple[str, ...] = ()
    why: str = ""


class Installer:
    """Puts this program's webhook, with its present secrets, into places."""

    def __init__(self, settings: "Settings", gitlab: "GitLab", target: str) -> None:
        secret, signing_token = settings.webhook_secret, settings.webhook_signing_token
        if not secret and not signing_token:
            raise CannotError(
                "the webhook needs PIPEWRIGHT_WEBHOOK_SECRET (any long random text) so that it can be trusted"
            )
        self.gitlab, self.target = gitlab, target
        self._secret = secret.get_secret_value() if secret else None
        self._signing_token = signing_token.get_secret_value() if signing_token else None

    def into(self, place: str, kind: "HookPlace" = "projects") -> Done:
        """Install or mend one webhook; raises CannotError or UnreachableError."""
        try:
            hook = self.gitlab.install_hook(
                place, self.target, secret=self._secret, signing_token=self._signing_token, kind=kind
            )
        except CannotError as refused:
            if "Invalid url given" not in str(refused):
                raise
            raise CannotError(f"{refused} {_BLOCKED}") from refused
        ignored = self._signing_token and not hook.has_signing_token
        why = _UNSIGNED + ("it uses the secret token" if self._secret else _NO_SECRET) if ignored else ""
        return Done(place, "installed", hook.id, hook.url, hook.events, why)

    def tried(self, place: str) -> Done:
        """Install one of many: what fails there is told and does not stop the others."""
        try:
            return self.into(place)
        except CannotError as error:
            return Done(place, "failed", why=str(error))

    def refreshed(self, place: str) -> Done | None:
        """Mend the webhook of one of many places; None where none calls this program."""
        try:
            is_ours = any(hook.url == self.target for hook in self.gitlab.hooks(place))
        except CannotError as error:
            return Done(place, "failed", why=str(error))
        return self.tried(place) if is_ours else None


def install(installer: Installer, path: str, *, each: bool = False) -> Iterator[Done]:
    """Install into a project or group; yields what became of each place."""
    gitlab = installer.gitlab
    kind, group = kind_of(gitlab, path)
    if group is None:
        yield installer.into(path)
        return
    if not each:
        try:
            yield installer.into(path, kind)
            return
        except CannotError as error:
            _go_through_projects(path, error)
    found = False
    for project in gitlab.maintained_projects(group):
        found = True
        yield installer.tried(project.path)
    if not found:
        raise CannotError(f"the bot's account maintains no project in {path}: give it the role Maintainer there")


def webhooks_of(
    gitlab: "GitLab", path: str, *, each: bool = False
) -> "Iterator[tuple[str, HookPlace, tuple[Hook, ...]]]":
    """Yield the webhooks of a project or group, of a group's projects where GitLab shows none of its own, by place."""
    kind, group = kind_of(gitlab, path)
    if group is None or not each:
        try:
            own = gitlab.hooks(path, kind)
        except CannotError as error:
            if group is None:
                raise
            _go_through_projects(path, error)
        else:
            yield path, kind, own
            return
    for project in gitlab.maintained_projects(group):
        yield project.path, "projects", gitlab.hooks(project.path)


def _go_through_projects(path: str, error: CannotError) -> None:
    click.echo(f"{path} takes no webhook of its own ({error}); going through its projects.", err=True)


def kind_of(gitlab: "GitLab", path: str) -> "tuple[HookPlace, Group | None]":
    """Tell what a path names; raises CannotError for what is neither."""
    try:
        gitlab.find_project(path)
    except CannotError as refused:
        group = gitlab.find_group(path)
        if group is None:
            mend = "Look for a typing mistake, and make the bot's account a member there."
            raise CannotError(f"{path} is neither a project nor a group that I can see. {mend}") from refused
        return "groups", group
    return "projects", None
