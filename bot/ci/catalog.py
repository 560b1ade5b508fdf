"""The catalog: every template folder, read once, with a hash of its content."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, structs

from bot.ci.layers import SHARED, Layer, folders_of, over, sound_part
from bot.ci.metadata import METADATA, Role, read_metadata
from bot.domain import CannotError, Unit


class Template(Struct, frozen=True, kw_only=True):
    """A folder of `templates/`: its metadata and its fragments by file name.

    `origin` says whose it is, empty for the shipped ones.
    """

    name: str
    description: str
    applies_to: dict[str, tuple[str, ...]]
    provides: tuple[str, ...]
    role: Role
    asked_by: tuple[str, ...]
    known_by: tuple[str, ...]
    is_usual: bool
    includes: tuple[dict[str, str], ...]
    assumes: tuple[str, ...]
    needs_tier: str
    needs_version: str
    instead: str
    fragments: dict[str, str]
    content_hash: str
    origin: str = ""

    def score(self, unit: Unit) -> int | None:
        """Return how closely the template fits: the number of facts it asks for, or None if one is missing."""
        fits = (bool(set(wanted) & set(values_of(unit, name))) for name, wanted in self.applies_to.items())
        return len(self.applies_to) if all(fits) else None


class Catalog(Struct, frozen=True, kw_only=True):
    """Every template, and the texts Jinja may load, by path such as `python-uv/jobs.yml.j2`.

    `skipped` has a sentence for each template of an organisation that cannot be used.
    """

    templates: tuple[Template, ...]
    texts: dict[str, str]
    skipped: tuple[str, ...] = ()
    shipped: dict[str, str] = {}
    layers: tuple[Layer, ...] = ()

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


def load_catalog(shipped: Path, *own: Path) -> Catalog:
    """Read the template folders; a template of a later folder replaces one of the same name."""
    return build_catalog(
        read_folder(shipped), *(Layer(origin=str(folder), texts=read_folder(folder)) for folder in own)
    )


def build_catalog(shipped: Mapping[str, str], *layers: Layer) -> Catalog:
    """Lay the organisation's templates over the shipped ones; what is broken in theirs is named and left out."""
    texts, origins = dict(shipped), dict.fromkeys(folders_of(shipped), "")
    skipped: tuple[str, ...] = ()
    for layer in layers:
        sound, complaints = sound_part(layer)
        texts, skipped = over(texts, sound), (*skipped, *complaints)
        origins |= dict.fromkeys(folders_of(sound), layer.origin)
    described = (path for path in texts if path.endswith("/" + METADATA) and not path.startswith(SHARED))
    names = sorted(path.split("/")[0] for path in described)
    templates = tuple(_template(name, texts, origins[name]) for name in names)
    return Catalog(templates=templates, texts=texts, skipped=skipped, shipped=dict(shipped), layers=layers)


def without(catalog: Catalog, *folders: str) -> Catalog:
    """Return the catalog as it is without these folders of the organisation's; shipped ones come back."""
    unwanted = tuple(f"{folder}/" for folder in folders)
    kept = [
        structs.replace(
            layer, texts={path: text for path, text in layer.texts.items() if not path.startswith(unwanted)}
        )
        for layer in catalog.layers
    ]
    return build_catalog(catalog.shipped, *kept)


def read_folder(folder: Path) -> dict[str, str]:
    """Return the texts of a folder of templates; raises CannotError when it is not there."""
    if not folder.is_dir():
        raise CannotError(f"the template folder {folder} does not exist")
    files = sorted(path for path in folder.glob("*/*") if path.is_file() and not path.parent.name.startswith("."))
    # What is no text is told when the folder is laid over the shipped ones.
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8", errors="surrogateescape")
        for path in files
        if not path.name.startswith(".")
    }


def _template(name: str, texts: Mapping[str, str], origin: str) -> Template:
    fragments = {path.split("/")[1]: text for path, text in texts.items() if path.startswith(name + "/")}
    metadata = read_metadata(name, fragments[METADATA])
    return Template(
        name=metadata.name,
        description=metadata.description,
        applies_to={fact: tuple(values) for fact, values in metadata.applies_to.items()},
        provides=tuple(metadata.provides),
        role=metadata.role,
        asked_by=tuple(metadata.asked_by),
        known_by=tuple(metadata.known_by),
        is_usual=metadata.is_usual,
        includes=tuple(metadata.includes),
        assumes=tuple(metadata.assumes),
        needs_tier=metadata.needs_tier,
        needs_version=metadata.needs_version,
        instead=metadata.instead,
        fragments=fragments,
        content_hash=_hash(fragments, texts),
        origin=origin,
    )


def _hash(fragments: Mapping[str, str], texts: Mapping[str, str]) -> str:
    """Hash the folder with the shared files: a change there changes what the template writes."""
    shared = {path: text for path, text in texts.items() if path.startswith(SHARED)}
    digest = hashlib.sha256()
    for path, text in sorted((*fragments.items(), *shared.items())):
        digest.update(f"{path}\0{text}\0".encode())
    return digest.hexdigest()[:12]
