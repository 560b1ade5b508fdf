"""`doctor`: looks at every outside part and says in one line how it is, with the mend beside what is ill."""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from bot.cli.doctor.diagnosis import Diagnosis, ill, lacking
from bot.domain import CannotError

if TYPE_CHECKING:
    from bot.settings import Settings


@click.command("doctor", short_help="look at every outside part")
@click.argument("project_or_group", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object a line.")
def doctor_command(*, project_or_group: tuple[str, ...], as_json: bool) -> None:
    """Look at every outside part, one line each; exit code 1 when something that the bot needs is ill.

    The webhooks and the role are looked at in each PROJECT_OR_GROUP, else in the first projects of the bot's account.
    """
    from bot.settings import read_settings

    try:
        diagnoses = examine(read_settings(), project_or_group)
    except CannotError as error:
        diagnoses = iter([Diagnosis("settings", False, str(error), "Correct them in the environment or in .env.")])
    is_ill = False
    for diagnosis in diagnoses:
        click.echo(json.dumps(asdict(diagnosis)) if as_json else diagnosis.shown())
        is_ill = is_ill or diagnosis.is_ill
    if is_ill:
        sys.exit(1)


def examine(settings: "Settings", places: tuple[str, ...] = ()) -> Iterator[Diagnosis]:
    """Look at one part after the other."""
    from bot.cli.doctor import address, index, instance, machine, model, store, webhooks
    from bot.settings import misspelt

    yield Diagnosis("settings", True, "complete")
    for name, meant in misspelt().items():
        yield lacking("settings", f"{name} is none of them and sets nothing", f"Write {meant}, if that is meant.")
    try:
        gitlab = instance.open_for_looking(settings)
    except CannotError as error:
        yield ill("certificates", str(error), "Correct PIPEWRIGHT_CA_FILE; GitLab and our own address come after it.")
        yield from index.look(settings, with_gitlab=False)
    else:
        seen = list(instance.look(gitlab, settings))
        yield from seen
        is_usable = not any(each.is_ill for each in seen)
        if is_usable:
            yield from webhooks.look(gitlab, settings, places)
        yield from address.look(settings, with_gitlab=is_usable)
        yield from index.look(settings, with_gitlab=is_usable)
    yield from machine.look(settings)
    yield from store.look(settings)
    yield from model.look(settings)
