"""`hooks`: the webhook in GitLab, of a project or a group, with exactly the events the bot needs."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bot.cli.installer import Done, Installer, install, webhooks_of
from bot.domain import CannotError
from bot.gitlab.addresses import project_path

if TYPE_CHECKING:
    from bot.gitlab.client import GitLab
    from bot.settings import Settings

PATH = "/webhooks/gitlab"
_PLACE = click.argument("place", metavar="PROJECT_OR_GROUP")
_URL = click.option("--url", help="Address GitLab reaches this program under; default: PIPEWRIGHT_PUBLIC_URL.")
_EACH = click.option("--each", is_flag=True, help="Of a group: in each of its projects, not in the group itself.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")


@click.group("hooks", short_help="the webhook in GitLab: install, list, remove, refresh, rotate")
def hooks_group() -> None:
    """Manage the webhook of a project or a group: its path, its id or its address."""


@hooks_group.command("install", short_help="install or mend the webhook of a project or group")
@_PLACE
@_URL
@_EACH
@_JSON
def install_command(*, place: str, url: str | None, each: bool, as_json: bool) -> None:
    """Install the webhook with all events the bot needs, or mend the one with the same address.

    Groups have webhooks of their own with a paid plan; without one it is installed in each of the group's projects
    that the bot's account maintains. What is installed already is mended, never doubled: run it as often as you like.
    """
    settings, gitlab = _open()
    installer = _installer(settings, gitlab, url)
    _told(install(installer, path_of(place, settings.gitlab_url), each=each), as_json=as_json)


@hooks_group.command("list", short_help="the webhooks of a project or group")
@_PLACE
@_EACH
@_JSON
def list_command(*, place: str, each: bool, as_json: bool) -> None:
    """List webhooks and whether GitLab has switched one off."""
    settings, gitlab = _open()
    path = path_of(place, settings.gitlab_url)
    is_any = False
    for where, _, hooks in webhooks_of(gitlab, path, each=each):
        for hook in hooks:
            is_any = True
            row = {"place": where, "id": hook.id, "url": hook.url, "alert_status": hook.alert_status}
            shown = f"{where}  {hook.id}  {hook.url}  {hook.alert_status}  {_events(hook.events)}"
            click.echo(json.dumps({**row, "events": hook.events}) if as_json else shown)
    if not is_any:
        click.echo("none", err=True)


@hooks_group.command("remove", short_help="remove the webhook of a project or group")
@_PLACE
@_URL
@_EACH
@_JSON
def remove_command(*, place: str, url: str | None, each: bool, as_json: bool) -> None:
    """Remove the webhook that calls this program; others stay."""
    settings, gitlab = _open()
    path, target = path_of(place, settings.gitlab_url), target_of(settings, url)
    ours = [
        (where, kind, hook)
        for where, kind, hooks in webhooks_of(gitlab, path, each=each)
        for hook in hooks
        if hook.url == target
    ]
    if not ours:
        raise CannotError(
            f"{path} has no webhook that calls {target}; `pipewright hooks list {path}` shows what it has"
        )
    for where, kind, hook in ours:
        gitlab.remove_hook(where, hook.id, kind)
        _told([Done(where, "removed", hook.id, hook.url)], as_json=as_json)


@hooks_group.command("refresh", short_help="enter the present secret at every webhook that calls this program")
@_URL
@_JSON
def refresh_command(*, url: str | None, as_json: bool) -> None:
    """Look through every project the bot's account maintains, and mend the webhooks there that call this program.

    Projects without one are left alone. Use it after `hooks rotate`, and when a new version needs other events.
    """
    settings, gitlab = _open()
    if not _told(refreshed(settings, gitlab, url), as_json=as_json):
        raise CannotError(
            f"no project that the bot's account maintains has a webhook that calls {target_of(settings, url)}; "
            "of a group's own webhook: `pipewright hooks install GROUP` enters the present secret"
        )


def refreshed(settings: "Settings", gitlab: "GitLab", url: str | None = None) -> Iterator[Done]:
    """Mend every webhook that calls this program in the projects the bot's account maintains."""
    installer = _installer(settings, gitlab, url)
    done = (installer.refreshed(project.path) for project in gitlab.maintained_projects())
    yield from (each for each in done if each)


def _installer(settings: "Settings", gitlab: "GitLab", url: str | None) -> Installer:
    from bot.cli.delivering import check_restarted

    target = target_of(settings, url)
    check_restarted(settings, target)
    return Installer(settings, gitlab, target)


def _told(rows: Iterable[Done], *, as_json: bool) -> int:
    """Print each as it is done, return how many there were; raises CannotError at the end if one failed."""
    results: list[str] = []
    for done in rows:
        results.append(done.result)
        click.echo(json.dumps({key: value for key, value in asdict(done).items() if value}) if as_json else _line(done))
        if done.why and not as_json and done.result != "failed":
            click.echo(done.why, err=True)
    if failed := results.count("failed"):
        raise CannotError(f"{failed} could not be done; the lines above say why. Run it again after mending.")
    return len(results)


def _line(done: Done) -> str:
    if done.result == "installed":
        return f"installed: webhook {done.id} of {done.place} calls {done.url} for {_events(done.events)}"
    return (
        f"{done.result}: {done.place}: {done.why}" if done.why else f"{done.result}: webhook {done.id} of {done.place}"
    )


def _open() -> "tuple[Settings, GitLab]":
    from bot.settings import read_settings

    settings = read_settings()
    from bot.parts import open_gitlab  # takes a second, so only once the settings are complete

    return settings, open_gitlab(settings)


def path_of(place: str, gitlab_url: str) -> str:
    """Return the path of a project or group named by path, id or address; raises CannotError for another GitLab."""
    if "://" not in place:
        return place.strip("/")
    path = project_path(place, gitlab_url)
    if path is None:
        raise CannotError(f"{place} is not on {gitlab_url} (PIPEWRIGHT_GITLAB_URL)")
    return path.removeprefix("groups/")  # so begin the addresses of groups


def target_of(settings: "Settings", url: str | None) -> str:
    """Return the address that GitLab is to call; raises CannotError when nobody said where the bot is."""
    base = url or settings.public_url
    if base is None:
        raise CannotError("GitLab must know where to call: set PIPEWRIGHT_PUBLIC_URL or pass --url")
    base = base.rstrip("/")
    return base if base.endswith(PATH) else base + PATH


def _events(names: tuple[str, ...]) -> str:
    return ", ".join(name.removesuffix("_events").replace("_", " ") for name in names) or "nothing"
