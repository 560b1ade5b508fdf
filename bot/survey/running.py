"""Which files a compiled program reads while it runs: they have to lie beside it in its image."""

from msgspec import structs

from bot.domain import Evidence, Fact, Unit
from bot.survey.tree import Folder

NAME = "runtime_file"
_ECOSYSTEMS = frozenset({"cpp", "go", "rust"})
_FOLDERS = ("assets", "public", "static", "templates", "views", "www")
_FILES = ("Rocket.toml",)


def with_runtime_files(unit: Unit, folder: Folder) -> Unit:
    """Return a deployed unit with the facts `runtime_file`, relative to its folder; a folder's name ends with /."""
    if unit.ecosystem not in _ECOSYSTEMS or not unit.first("deployable"):
        return unit
    found = [name for name in _FILES if folder.has(name)]
    found += [f"{name}/" for name in _FOLDERS if folder.under(rf"{name}/.+")]
    why = "a server reads what it shows while it runs"
    facts = [
        Fact(name=NAME, value=path, because=why, evidence=(Evidence(path=_first(folder, path)),), confidence=0.6)
        for path in found
    ]
    return structs.replace(unit, facts=(*unit.facts, *facts)) if facts else unit


def _first(folder: Folder, path: str) -> str:
    """Return a file that is there: the path itself or the first one in the folder."""
    return folder.full(folder.under(rf"{path}.+")[0] if path.endswith("/") else path)
