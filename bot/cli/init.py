"""`init`: from nothing to a working bot: asks, checks what is said at GitLab, writes `.env`, installs, looks at all."""

import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import env_file
from bot.cli.asking import Asking
from bot.cli.doctor import examine
from bot.cli.hooks import path_of, target_of
from bot.cli.installer import Installer, install
from bot.domain import CannotError, UnreachableError

if TYPE_CHECKING:
    from bot.llm.host import Host
    from bot.settings import Settings


@dataclass
class Said:
    """What has been done, told line by line or as one JSON document at the end."""

    as_json: bool
    steps: list[dict[str, object]] = field(default_factory=list)

    def tell(self, step: str, text: str, *, is_well: bool = True) -> None:
        """Tell one step."""
        self.steps.append({"step": step, "ok": is_well, "says": text})
        if not self.as_json:
            click.echo(f"{'✓' if is_well else '!'} {step}: {text}")


@click.command("init", short_help="set the bot up: settings, webhook, model, templates")
@click.option("--gitlab-url", help="Address of your GitLab.")
@click.option("--token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File with the token.")
@click.option("--public-url", help="Address under which GitLab and people reach the bot.")
@click.option("--mention", help="The name by which people call the bot (pipewright).")
@click.option("--install", "places", multiple=True, metavar="PROJECT_OR_GROUP", help="Install the webhook there.")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help="Certificates to trust for GitLab.")
@click.option("--pull/--no-pull", default=None, help="Let Ollama fetch the model when it is missing.")
@click.option("--no-input", is_flag=True, help="Ask nothing: what is needed and not given is an error.")
@click.option(
    "--env-file", "path", type=click.Path(path_type=Path), default=Path(".env"), help="Where the settings go (.env)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document at the end.")
def init_command(
    *,
    gitlab_url: str | None,
    token_file: Path | None,
    public_url: str | None,
    mention: str | None,
    places: tuple[str, ...],
    ca_file: str | None,
    pull: bool | None,
    no_input: bool,
    path: Path,
    as_json: bool,
) -> None:
    """Set the bot up. What the file of settings says already is kept, unless another value is given.

    The token is never given on the command line, where every user of the machine could read it: it is asked for, or
    read from --token-file or PIPEWRIGHT_GITLAB_TOKEN. Run it again whenever something is to change.
    """
    said = Said(as_json)
    ask = Asking(env_file.values_of(path), asks=not no_input)
    values = ask.all(gitlab_url, token_file, public_url, mention, ca_file)
    version = _greet(_settings_of(ask.known, values), said)
    values |= ask.secret(version)
    settings = _settings_of(ask.known, values)
    env_file.change(path, dict(values))
    said.tell("settings", f"written to {path}, readable by you alone")
    _install(settings, places or ask.places(), said)
    _fetch_model(settings, said, pull=pull)
    _index(settings, said)
    _finish(settings, said)


def _settings_of(known: Mapping[str, str], values: Mapping[str, str]) -> "Settings":
    """Read the settings as the bot will with the new file; what the environment says wins there too.

    The webhook's secret may still be missing: it is made once GitLab has said which kind it knows.
    """
    from bot.settings import read_settings

    in_file = {env_file.PREFIX + name: value for name, value in {**known, **values}.items()}
    return read_settings({**in_file, **os.environ}, env_file=None, needs_secret=False)


def _greet(settings: "Settings", said: Said) -> str:
    """Ask GitLab who the token belongs to, before anything is written; return GitLab's version."""
    from bot.parts import open_gitlab, usable_account

    gitlab = open_gitlab(settings)
    account = usable_account(gitlab, settings)
    version = gitlab.version()
    said.tell("GitLab", f"{settings.gitlab_url}, version {version}, as @{account.username}")
    return version


def _install(settings: "Settings", places: tuple[str, ...], said: Said) -> None:
    from bot.parts import open_gitlab

    if not places:
        said.tell("webhook", "nowhere yet; `pipewright hooks install PROJECT_OR_GROUP` does it", is_well=False)
        return
    installer = Installer(settings, open_gitlab(settings), target_of(settings, None))
    for place in places:
        try:
            for done in install(installer, path_of(place, settings.gitlab_url)):
                said.tell("webhook", f"{done.place}: {done.why or done.result}", is_well=done.result == "installed")
        except CannotError as error:
            said.tell("webhook", f"{place}: {error}", is_well=False)


def _fetch_model(settings: "Settings", said: Said, *, pull: bool | None) -> None:
    """Let every host fetch the model that lacks it; one that cannot keeps no other from it."""
    from bot.llm.choose import open_model

    model = open_model(settings.ollama_urls, settings.ollama_model, settings.tool_calling)
    lacking = [host for host in model.hosts() if not host.has_model(model.name)]
    if lacking and (settings.ollama_pull if pull is None else pull):
        for host in lacking:
            _fetch(host, model.name, said)
        return
    is_there = len(lacking) < len(model.hosts())
    missing = f"no Ollama that answers has {model.name}; `--pull` fetches it (commands work without)"
    said.tell("model", f"{model.name} is there" if is_there else missing, is_well=is_there)


def _fetch(host: "Host", name: str, said: Said) -> None:
    from bot.cli.progress import Bar

    try:
        with Bar(is_shown=not said.as_json) as bar:
            host.pull(name, bar.show)
    except UnreachableError as error:
        said.tell("model", f"{error} ({host.url})", is_well=False)
        return
    said.tell("model", f"{name} fetched")


def _index(settings: "Settings", said: Said) -> None:
    from bot import logs
    from bot.parts import index_templates

    logs.configure("console", level=logging.ERROR, is_beside_answers=True)  # what goes well is told here in one line
    try:
        skipped = index_templates(settings)
    except (CannotError, UnreachableError) as error:
        said.tell("templates", str(error), is_well=False)
        return
    said.tell("templates", "; ".join(skipped) or "indexed", is_well=not skipped)


def _finish(settings: "Settings", said: Said) -> None:
    """Look at everything at last; exit code 1 when something that the bot needs is ill."""
    diagnoses = list(examine(settings))
    if said.as_json:
        click.echo(json.dumps({"steps": said.steps, "doctor": [asdict(each) for each in diagnoses]}))
    else:
        click.echo("\nHow it is now:")
        for each in diagnoses:
            click.echo(each.shown())
    if any(each.is_ill for each in diagnoses):
        sys.exit(1)
    if not said.as_json:
        click.echo(f"\nStart it with `pipewright serve`, then write `@{settings.mention} help` in an issue.")
