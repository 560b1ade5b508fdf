"""Writes the reference of every command and setting from the program itself, so that it cannot drift: `make docs`."""

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_HEAD = """# Reference

Made from the program by `make docs`; a test compares. What to do with it stands in [administration](administration.md).
"""


def reference(program: click.Group) -> str:
    """Return the reference as Markdown."""
    return (
        "\n".join([_HEAD, "## Settings\n", *_settings(), "\n## Commands\n", *_commands(program, ("pipewright",))])
        + "\n"
    )


def _settings() -> Iterator[str]:
    from bot.settings import PREFIX, Settings

    yield f"Environment variables or lines of `.env`; every name begins with `{PREFIX}`.\n"
    yield "| name | meaning | unset |"
    yield "|---|---|---|"
    for name, field in Settings.model_fields.items():
        yield f"| `{name.upper()}` | {_cell(_meaning(field))} | {_unset(field)} |"


def _meaning(field: "FieldInfo") -> str:
    words = field.description or ""
    if get_origin(field.annotation) is not Literal:
        return words
    return f"{words} ({', '.join(f'`{value}`' for value in get_args(field.annotation))})"


def _unset(field: "FieldInfo") -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value in (None, ""):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[str]:
    for name in sorted(group.commands):
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield from _command(command, (*path, name))


def _command(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    arguments = [_argument(each) for each in command.params if isinstance(each, click.Argument)]
    yield f"### `{' '.join((*path, *arguments))}`\n"
    yield inspect.cleandoc(command.help or "").replace("\b\n", "") + "\n"
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if not options:
        return
    yield "| option | meaning |"
    yield "|---|---|"
    for option in options:
        yield f"| `{_names(option)}` | {_cell(_help(option))} |"
    yield ""


def _help(option: click.Option) -> str:
    words = option.help or ""
    return f"{words} Default: {option.default}." if option.show_default else words


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper()
    name = f"{name}…" if argument.nargs == -1 and "…" not in name else name
    return name if argument.required else f"[{name}]"


def _names(option: click.Option) -> str:
    names = ", ".join(option.opts + option.secondary_opts)
    if option.is_flag or option.count:
        return names
    kind: Any = option.metavar or (
        "|".join(map(str, option.type.choices)) if isinstance(option.type, click.Choice) else option.type.name.upper()
    )
    return f"{names} {kind}".replace("|", "\\|")


if __name__ == "__main__":
    from bot.cli import main

    Path(sys.argv[1]).write_text(reference(main), encoding="utf-8")
