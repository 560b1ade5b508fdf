"""The file of settings, `.env`: values are put in and taken out line by line, everything else stays as it was."""

import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bot.domain import CannotError

PREFIX = "PIPEWRIGHT_"  # that of bot.settings, which takes half a second to import
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=~-]*")


def values_of(path: Path) -> dict[str, str]:
    """Return the settings in a file, by their names without the prefix; nothing where there is no file."""
    from bot.settings import read_env_file

    read = read_env_file(path)
    return {name.removeprefix(PREFIX): value for name, value in read.items() if name.startswith(PREFIX) and value}


def change(path: Path, values: Mapping[str, str | None]) -> None:
    """Set values, or take those out that are None; only the owner may read the file afterwards.

    The file is replaced as a whole: whoever reads meanwhile sees the old one or the new one. A link to it stays one,
    and root leaves it to whom it belongs: else the bot would go on with the old file, or could not read the new one.
    """
    path = path.resolve()
    lines = path.read_text(encoding="utf-8-sig").splitlines() if path.exists() else []
    for name, value in values.items():
        lines = _changed(lines, PREFIX + name, value)
    _replace(path, "".join(f"{line}\n" for line in lines))


def _changed(lines: list[str], name: str, value: str | None) -> list[str]:
    """The value takes the place of the last line that sets it, else of its commented example, else the end."""
    set_at = [number for number, line in enumerate(lines) if re.match(rf"\s*(?:export\s+)?{name}\s*=", line)]
    if value is None:
        return [line for number, line in enumerate(lines) if number not in set_at]
    line = f"{name}={_quoted(value)}"
    examples = [number for number, each in enumerate(lines) if re.match(rf"#\s*{name}\s*=", each)]
    place = (set_at or examples)[-1:]
    if not place:
        return [*lines, line]
    return [line if number == place[0] else each for number, each in enumerate(lines) if number not in set_at[:-1]]


def _quoted(value: str) -> str:
    if "\n" in value or "\r" in value:
        raise CannotError("a setting is one line; this value has several")
    if _PLAIN.fullmatch(value):
        return value
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).chmod(stat.S_IRUSR | stat.S_IWUSR)
    if path.exists() and os.geteuid() == 0:
        os.chown(name, path.stat().st_uid, path.stat().st_gid)
    Path(name).replace(path)
