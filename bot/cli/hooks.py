"""`hooks`: the webhook in GitLab, with exactly the events the bot needs."""

import re
from typing import TYPE_CHECKING

import click

from bot.domain import CannotError

if TYPE_CHECKING:
    from bot.gitlab.client import GitLab
    from bot.settings import Settings

_PATH = "/webhooks/gitlab"
_PROJECT = click.argument("project")
_URL = click.option("--url", help="Address GitLab reaches this program under; default: PIPEWRIGHT_PUBLIC_URL.")


@click.group("hooks", short_help="the webhook in GitLab: install, list, remove")
def hooks_group() -> None:
    """Manage the webhook of PROJECT: its path, its id or its address."""


@hooks_group.command("install", short_help="install or mend the webhook of a project")
@_PROJECT
@_URL
def install_command(project: str, url: str | None) -> None:
    """Install the webhook with all events the bot needs, or mend the one with the same address."""
    settings, gitlab = _open()
    secret, signing_token = settings.webhook_secret, settings.webhook_signing_token
    if not secret and not signing_token:
        raise CannotError(
            "the webhook needs PIPEWRIGHT_WEBHOOK_SECRET (any long random text) so that it can be trusted"
        )
    hook = gitlab.install_hook(
        _path(project, settings.gitlab_url),
        _target(settings, url),
        secret=secret.get_secret_value() if secret else None,
        signing_token=signing_token.get_secret_value() if signing_token else None,
    )
    click.echo(f"installed: webhook {hook.id} calls {hook.url} for {_events(hook.events)}")
    if signing_token and not hook.has_signing_token:
        click.echo(
            "This GitLab is older than 19.0 and ignores signing tokens"
            + ("; it uses the secret token." if secret else ": set PIPEWRIGHT_WEBHOOK_SECRET and install again."),
            err=True,
        )


@hooks_group.command("list", short_help="the webhooks of a project")
@_PROJECT
def list_command(project: str) -> None:
    """List the webhooks of a project and whether GitLab has switched one off."""
    settings, gitlab = _open()
    hooks = gitlab.hooks(_path(project, settings.gitlab_url))
    for hook in hooks:
        click.echo(f"{hook.id}  {hook.url}  {hook.alert_status}  {_events(hook.events)}")
    if not hooks:
        click.echo("none", err=True)


@hooks_group.command("remove", short_help="remove the webhook of a project")
@_PROJECT
@_URL
def remove_command(project: str, url: str | None) -> None:
    """Remove the webhook that calls this program; others stay."""
    settings, gitlab = _open()
    path, target = _path(project, settings.gitlab_url), _target(settings, url)
    ours = [hook for hook in gitlab.hooks(path) if hook.url == target]
    if not ours:
        raise CannotError(
            f"{path} has no webhook that calls {target}; `pipewright hooks list {path}` shows what it has"
        )
    for hook in ours:
        gitlab.remove_hook(path, hook.id)
        click.echo(f"removed: webhook {hook.id}")


def project_path(address: str, gitlab_url: str) -> str | None:
    """Return the path of a project from its address on this GitLab; None for another address."""
    if not address.startswith(gitlab_url + "/"):
        return None
    path = re.split(r"/-(?:/|$)|[?#]", address[len(gitlab_url) + 1 :])[0]
    return path.strip("/").removesuffix(".git") or None


def _open() -> "tuple[Settings, GitLab]":
    from bot.settings import read_settings

    settings = read_settings()
    from bot.main import open_gitlab  # takes a second, so only once the settings are complete

    return settings, open_gitlab(settings)


def _path(project: str, gitlab_url: str) -> str:
    if "://" not in project:
        return project.strip("/")
    path = project_path(project, gitlab_url)
    if path is None:
        raise CannotError(f"{project} is not a project on {gitlab_url} (PIPEWRIGHT_GITLAB_URL)")
    return path


def _target(settings: "Settings", url: str | None) -> str:
    base = url or settings.public_url
    if base is None:
        raise CannotError("GitLab must know where to call: set PIPEWRIGHT_PUBLIC_URL or pass --url")
    base = base.rstrip("/")
    return base if base.endswith(_PATH) else base + _PATH


def _events(names: tuple[str, ...]) -> str:
    return ", ".join(name.removesuffix("_events").replace("_", " ") for name in names) or "nothing"
