"""`hooks rotate`: the webhook's secret changes in three steps, and no step done too soon loses a delivery."""

import json
import secrets
from base64 import b64encode
from pathlib import Path

import click

from bot.cli import env_file
from bot.cli.hooks import refreshed
from bot.domain import CannotError

_SECRETS = ("WEBHOOK_SECRET", "WEBHOOK_SIGNING_TOKEN")


@click.command("rotate", short_help="make a new secret; the old one is accepted until --finish")
@click.option("--finish", is_flag=True, help="Stop accepting the old secret.")
@click.option(
    "--env-file", "path", type=click.Path(path_type=Path), default=Path(".env"), help="The file of settings (.env)."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object; secrets are not in it.")
def rotate_command(*, finish: bool, path: Path, as_json: bool) -> None:
    """Rotate the webhook's secret without losing a delivery: old and new are both accepted in between.

    \b
    1. pipewright hooks rotate            new secret into .env, the old one stays valid; restart the bot
    2. pipewright hooks refresh           every webhook gets the new one (group hooks: hooks install GROUP)
    3. pipewright hooks rotate --finish   refreshes once more, then the old one is taken out; restart the bot

    Steps 2 and 3 are refused while the bot that answers does not take the new secret yet.
    """
    known = env_file.values_of(path)
    set_now = [name for name in _SECRETS if known.get(name)]
    if not set_now:
        raise CannotError(f"{path} sets neither PIPEWRIGHT_WEBHOOK_SECRET nor PIPEWRIGHT_WEBHOOK_SIGNING_TOKEN")
    old = [f"{name}_OLD" for name in _SECRETS if known.get(f"{name}_OLD")]
    told, words = _finished(path, old) if finish else _begun(path, known, set_now, old)
    click.echo(json.dumps(told) if as_json else words)


def _begun(path: Path, known: dict[str, str], set_now: list[str], old: list[str]) -> tuple[dict[str, object], str]:
    if old:
        raise CannotError(
            "a rotation is under way: another one would drop the secret that some webhooks still use. Run `pipewright "
            "hooks refresh`, then `pipewright hooks rotate --finish`"
        )
    env_file.change(path, {f"{name}_OLD": known[name] for name in set_now} | {name: new(name) for name in set_now})
    words = (
        f"rotated in {path}. Restart the bot, then run `pipewright hooks refresh`, then `pipewright hooks rotate "
        "--finish`."
    )
    return {"result": "rotated", "renewed": set_now}, words


def _finished(path: Path, old: list[str]) -> tuple[dict[str, object], str]:
    if not old:
        raise CannotError(f"no rotation is under way in {path}; `pipewright hooks rotate` begins one")
    places = _refreshed_at_last(path)
    env_file.change(path, dict.fromkeys(old))
    words = "finished: the old secret counts no longer once every process of the bot has been restarted"
    told: dict[str, object] = {"result": "finished", "removed": old}
    return told | ({"refreshed": places} if places else {}), words


def _refreshed_at_last(path: Path) -> list[str]:
    """Let no webhook keep the old secret because somebody forgot; a file of secrets alone names no GitLab to ask."""
    from bot.settings import read_settings

    try:
        settings = read_settings(env_file=path)
    except CannotError:
        return []
    if settings.public_url is None:
        return []
    from bot.parts import open_gitlab

    done = list(refreshed(settings, open_gitlab(settings)))
    failed = [f"{each.place} ({each.why})" for each in done if each.result == "failed"]
    if failed:
        raise CannotError(
            f"the old secret still counts, for these webhooks could not be given the new one: {'; '.join(failed)}"
        )
    return [each.place for each in done]


def new(name: str) -> str:
    """Return a fresh secret of a kind: GitLab's signing tokens are 32 bytes in Base64 behind `whsec_`."""
    if name == "WEBHOOK_SIGNING_TOKEN":
        return "whsec_" + b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(32)
