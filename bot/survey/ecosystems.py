"""Which ecosystems the survey knows beside the five it began with: who looks, and which manifests start a unit."""

import re
from collections.abc import Callable, Iterable

from msgspec import Struct

from bot.domain import Unit
from bot.survey.dotnet import survey_dotnet
from bot.survey.other_ci.model import OtherCi
from bot.survey.php import survey_php
from bot.survey.ruby import survey_ruby
from bot.survey.tree import Folder

Surveyor = Callable[[Folder, OtherCi], Unit | None]


class Kind(Struct, frozen=True):
    """One ecosystem. `manifests` matches the names of files that start a unit below the top."""

    ecosystem: str
    look: Surveyor
    manifests: str


# Languages: any number of them may share a folder.
LANGUAGES: tuple[Kind, ...] = (
    Kind("ruby", survey_ruby, r"Gemfile|[\w.-]+\.gemspec"),
    Kind("php", survey_php, r"composer\.json"),
    Kind("dotnet", survey_dotnet, r".*\.(?:slnx?|csproj|fsproj|vbproj)"),
)
# What counts only where no language was found.
ALONE: tuple[Kind, ...] = ()


def looked_at(kinds: Iterable[Kind], folder: Folder, ci: OtherCi) -> list[Unit]:
    """Return the units that these ecosystems find in a folder."""
    return [unit for kind in kinds if (unit := kind.look(folder, ci)) is not None]


def starts_a_unit(names: Iterable[str], at_top: Iterable[str]) -> bool:
    """Say whether a folder holds a manifest that no unit at the top covers; with one there, only languages count."""
    covered = set(at_top)
    kinds = LANGUAGES if covered else (*LANGUAGES, *ALONE)
    asked = [kind.manifests for kind in kinds if kind.ecosystem not in covered and kind.manifests]
    pattern = re.compile("|".join(asked)) if asked else None
    return pattern is not None and any(pattern.fullmatch(name) for name in names)
