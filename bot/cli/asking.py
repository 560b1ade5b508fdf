"""Finds the values for `init`: given, else in the environment or the file, else asked for."""

import os
from pathlib import Path

import click

from bot.cli.rotating import new
from bot.domain import CannotError


class Asking:
    """Finds each value: given, else known from the file or the environment, else asked for."""

    def __init__(self, known: dict[str, str], *, asks: bool) -> None:
        self.known = known
        self._asks = asks

    def all(
        self,
        gitlab_url: str | None,
        token_file: Path | None,
        public_url: str | None,
        mention: str | None,
        ca_file: str | None,
    ) -> dict[str, str]:
        """Return what is to be written, but for the webhook's secret."""
        token = _text_of(token_file).strip() if token_file else None
        values = {
            "GITLAB_URL": self.value("GITLAB_URL", gitlab_url, "Address of your GitLab"),
            "GITLAB_TOKEN": self.value(
                "GITLAB_TOKEN", token, "Access token of the bot's account (scope api)", hidden=True
            ),
            "PUBLIC_URL": self.value("PUBLIC_URL", public_url, "Address under which GitLab reaches the bot"),
            "MENTION": mention or self.known.get("MENTION"),
            "CA_FILE": ca_file or self.known.get("CA_FILE"),
        }
        return {name: value for name, value in values.items() if value}

    def secret(self, version: str) -> dict[str, str]:
        """Return a fresh secret for webhooks when there is none, of the better kind that this GitLab knows."""
        from bot.cli.doctor.instance import SIGNED_SINCE, numbers_of

        kinds = ("WEBHOOK_SIGNING_TOKEN", "WEBHOOK_SECRET")
        if any(self._is_set(kind) for kind in kinds):
            return {}
        kind = kinds[0] if (numbers_of(version) or (0, 0)) >= SIGNED_SINCE else kinds[1]
        return {kind: new(kind)}

    def value(self, name: str, given: str | None, question: str, *, hidden: bool = False) -> str:
        """Return one value; raises CannotError where it is needed, not given and may not be asked for."""
        found = given or os.environ.get(f"PIPEWRIGHT_{name}") or self.known.get(name)
        if found:
            return found
        if not self._asks:
            option = "--token-file" if hidden else "--" + name.lower().replace("_", "-")
            raise CannotError(f"PIPEWRIGHT_{name} is missing: give {option} (or set it in the environment)")
        return str(click.prompt(question, hide_input=hidden)).strip()

    def _is_set(self, name: str) -> bool:
        return bool(os.environ.get(f"PIPEWRIGHT_{name}") or self.known.get(name))

    def places(self) -> tuple[str, ...]:
        """Ask where the webhook is to be installed; nowhere is an answer too."""
        if not self._asks:
            return ()
        named = click.prompt("Projects or groups to serve (paths, with commas between; empty: later)", default="")
        return tuple(place.strip() for place in str(named).split(",") if place.strip())


def _text_of(path: Path) -> str:
    """Return what stands in a file, however an editor encoded it."""
    from bot.checkout import decoded

    text = decoded(path.read_bytes())
    if text is None:
        raise CannotError(f"{path} is not a text file")
    return text
