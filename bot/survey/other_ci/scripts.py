"""What the plain CI systems have in common: scripts as lists of lines, and variables in their own spelling."""

import re
from collections.abc import Iterator, Sequence

from bot.domain import Evidence
from bot.survey.other_ci.model import Row, Step
from bot.survey.parsing import string, table
from bot.survey.tree import find

DELIVERS = re.compile(r"deploy|release|publish|deliver(?!able)|promote|rollout|\bpages\b", re.IGNORECASE)
_OF_DATABASES = re.compile(r"POSTGRES_(DB|USER)|(MYSQL|MARIADB)_(DATABASE|USER|PASSWORD|ROOT_PASSWORD)")


def steps_of(path: str, text: str, scripts: Sequence[str], folder: str = "") -> tuple[Step, ...]:
    """Return the scripts as steps, each with the line it begins on."""
    found = [script for script in scripts if script.strip()]
    return tuple(
        Step(script=script, folder=folder, evidence=find(path, text, script.strip().splitlines()[0]))
        for script in found
    )


def variables_of(value: object) -> dict[str, str]:
    """Return a table of variables; GitLab's long form and Azure's list of names and values are understood."""
    if isinstance(value, list):
        pairs = [table(entry) for entry in value]
        return {string(pair.get("name")): string(pair.get("value")) for pair in pairs if pair.get("name")}
    return {
        name: string(table(given).get("value") if isinstance(given, dict) else given)
        for name, given in table(value).items()
    }


def rows_of(axes: object) -> tuple[Row, ...]:
    """Return the rows of a matrix given as name → values, at most a hundred."""
    rows: list[dict[str, str]] = [{}]
    for name, values in table(axes).items():
        if isinstance(values, list) and values:
            rows = [{**row, name: string(value)} for row in rows for value in values][:100]
    return tuple(rows)


def as_matrix(text: str, pattern: str, names: Sequence[str]) -> str:
    """Rewrite another spelling of a variable as an expression over the row: `$(py)` is `${{ matrix.py }}`."""

    def fill(match: re.Match[str]) -> str:
        return f"${{{{ matrix.{match.group(1)} }}}}" if match.group(1) in names else match.group(0)

    return re.sub(pattern, fill, text)


def setting(path: str, text: str, name: str, value: str) -> Iterator[tuple[str, Evidence]]:
    """Return what a database starts with as `NAME=value` with its line; nothing where it comes from outside."""
    if _OF_DATABASES.fullmatch(name) and value and "$" not in value and "\n" not in value and len(value) <= 60:
        yield f"{name}={value}", find(path, text, f"{name}: {value}", name)


def services_of(path: str, text: str, images: Sequence[str]) -> tuple[tuple[str, Evidence], ...]:
    """Return the images that can be started as they are, with the line that names each."""
    return tuple((image, find(path, text, image)) for image in images if image and "$" not in image)
