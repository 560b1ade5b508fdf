"""The catalog: every template folder, read once, with a hash of its content."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from bot.domain import CannotError, Unit

METADATA = "template.yml"
SHARED = "_shared/"

Role = Literal["unit", "addition", "extra", "fallback"]


class Metadata(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a `template.yml` holds.

    A `unit` template writes the jobs of one unit, an `addition` joins whatever unit it applies to, an `extra`
    is written once and only when a person asks for one of `asked_by`, a `fallback` when nothing else applies.
    """

    name: str
    description: str
    applies_to: dict[str, list[str]] = {}
    provides: list[str] = []
    role: Role = "unit"
    asked_by: list[str] = []
    includes: list[dict[str, str]] = []
    assumes: list[str] = []


class Template(Struct, frozen=True, kw_only=True):
    """A folder of `templates/`: its metadata and its fragments by file name."""

    name: str
    description: str
    applies_to: dict[str, tuple[str, ...]]
    provides: tuple[str, ...]
    role: Role
    asked_by: tuple[str, ...]
    includes: tuple[dict[str, str], ...]
    assumes: tuple[str, ...]
    fragments: dict[str, str]
    content_hash: str

    def score(self, unit: Unit) -> int | None:
        """Return how closely the template fits: the number of facts it asks for, or None if one is missing."""
        fits = (bool(set(wanted) & set(values_of(unit, name))) for name, wanted in self.applies_to.items())
        return len(self.applies_to) if all(fits) else None


class Catalog(Struct, frozen=True, kw_only=True):
    """Every template, and the texts Jinja may load, by path such as `python-uv/jobs.yml.j2`."""

    templates: tuple[Template, ...]
    texts: dict[str, str]

    def find(self, name: str) -> Template | None:
        """Return the template of this name."""
        return next((template for template in self.templates if template.name == name), None)


def values_of(unit: Unit, name: str) -> tuple[str, ...]:
    """Return the values of a fact; the ecosystem counts as one. "any" stands for every value there is."""
    values = (unit.ecosystem,) if name == "ecosystem" else unit.all(name)
    return (*values, "any") if values else ()


def default_templates_dir() -> Path:
    """Return the shipped templates: beside the package in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "_shipped" / "templates"
    return shipped if shipped.is_dir() else package.parent / "templates"


def load_catalog(*folders: Path) -> Catalog:
    """Read the template folders; a template of a later folder replaces one of the same name."""
    texts: dict[str, str] = {}
    for folder in folders:
        found = _read_folder(folder)
        replaced = {path.split("/")[0] + "/" for path in found} - {SHARED}
        texts = {path: text for path, text in texts.items() if not path.startswith(tuple(replaced))} | found
    names = sorted(path.split("/")[0] for path in texts if path.endswith("/" + METADATA))
    return Catalog(templates=tuple(_template(name, texts) for name in names), texts=texts)


def _read_folder(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise CannotError(f"the template folder {folder} does not exist")
    files = sorted(path for path in folder.glob("*/*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in files}


def _template(name: str, texts: Mapping[str, str]) -> Template:
    fragments = {path.split("/")[1]: text for path, text in texts.items() if path.startswith(name + "/")}
    metadata = _metadata(name, fragments[METADATA])
    return Template(
        name=metadata.name,
        description=metadata.description,
        applies_to={fact: tuple(values) for fact, values in metadata.applies_to.items()},
        provides=tuple(metadata.provides),
        role=metadata.role,
        asked_by=tuple(metadata.asked_by),
        includes=tuple(metadata.includes),
        assumes=tuple(metadata.assumes),
        fragments=fragments,
        content_hash=_hash(fragments, texts),
    )


def _metadata(folder: str, text: str) -> Metadata:
    try:
        metadata = msgspec.yaml.decode(text, type=Metadata)
    except (msgspec.MsgspecError, ValueError) as error:
        raise CannotError(f"templates/{folder}/{METADATA} cannot be read: {error}") from error
    if metadata.name != folder:
        raise CannotError(f"templates/{folder}/{METADATA} is named {metadata.name!r}, not like its folder")
    return metadata


def _hash(fragments: Mapping[str, str], texts: Mapping[str, str]) -> str:
    """Hash the folder with the shared files: a change there changes what the template writes."""
    shared = {path: text for path, text in texts.items() if path.startswith(SHARED)}
    digest = hashlib.sha256()
    for path, text in sorted((*fragments.items(), *shared.items())):
        digest.update(f"{path}\0{text}\0".encode())
    return digest.hexdigest()[:12]
