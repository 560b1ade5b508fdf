"""Which files suffice to fetch a program's dependencies, so that a Dockerfile can do that before the sources come."""

import re
from collections.abc import Callable

from msgspec import structs

from bot.domain import Evidence, Fact, Unit
from bot.survey.parsing import string, table
from bot.survey.tree import Folder

NAME = "early_file"
_MOST = 25
_DOTNET_BESIDE = (
    "global.json", "nuget.config", "NuGet.config", "NuGet.Config", "Directory.Build.props", "Directory.Build.targets",
    "Directory.Packages.props",
)  # fmt: skip
_BUILD_FILES = ("build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts")
_REFERENCE = re.compile(r"<ProjectReference\s+Include=\"([^\"]+)\"")


def with_layers(unit: Unit, folder: Folder) -> Unit:
    """Return the unit with the facts `early_file`, relative to its folder; none where only all files suffice."""
    look = _LOOKS.get(unit.first("package_manager") or unit.ecosystem)
    files = look(folder) if look and unit.first("deployable") else ()
    why = "with it the dependencies can be fetched before the sources are there"
    found = tuple(
        Fact(name=NAME, value=file, because=why, evidence=(Evidence(path=folder.full(file)),)) for file in files
    )
    return structs.replace(unit, facts=(*unit.facts, *found)) if 0 < len(found) <= _MOST else unit


def _cargo(folder: Folder) -> tuple[str, ...]:
    """A crate whose only targets are where Cargo looks for them, so that empty ones can stand in."""
    cargo = folder.toml("Cargo.toml")
    kinds = ("bin", "lib", "bench", "example", "test", "workspace", "patch", "replace")
    plain = not any(kind in cargo for kind in kinds) and not string(table(cargo, "package").get("build"))
    local = re.search(r"(?m)^[\w-]+\s*=\s*\{[^}\n]*\bpath\s*=|^path\s*=", folder.text("Cargo.toml"))
    if not plain or local or not folder.has("src/main.rs") or not folder.has("Cargo.lock"):
        return ()
    beside = [name for name in ("rust-toolchain.toml", "rust-toolchain", ".cargo/config.toml") if folder.has(name)]
    return ("Cargo.toml", "Cargo.lock", *beside)


def _maven(folder: Folder) -> tuple[str, ...]:
    """A single module that stands on published parents only."""
    text = folder.text("pom.xml")
    parent = re.search(r"<parent>.*?</parent>", text, re.DOTALL)
    near = parent and folder.root and "<relativePath/>" not in re.sub(r"\s", "", parent[0])
    if "<modules>" in text or "<systemPath>" in text or near:
        return ()
    return ("pom.xml", *folder.under(r"\.mvn/.*"))


def _gradle(folder: Folder) -> tuple[str, ...]:
    """A single project whose build needs no code of its own."""
    names = (*_BUILD_FILES, "gradle.properties", "gradlew")
    files = [name for name in names if folder.has(name)]
    text = "\n".join(folder.text(name) for name in files)
    if folder.under(r"buildSrc/.*") or re.search(r"(?m)^[ \t]*(?:include\b|includeBuild\b|apply\(? ?from)", text):
        return ()
    return (*files, *folder.under(r"gradle/.*"))


def _nuget(folder: Folder) -> tuple[str, ...]:
    """The web project and what it refers to, with what all projects share."""
    projects = folder.under(r"(?:[\w. +-]+/){0,4}[\w. +-]+\.(?:cs|fs|vb)proj")
    web = [path for path in projects if "Microsoft.NET.Sdk.Web" in folder.text(path)]
    wanted, waiting = dict[str, None](), list(web)
    while waiting:
        path = waiting.pop()
        if path in wanted or path not in projects:
            continue
        wanted[path] = None
        base = path.rpartition("/")[0]
        waiting += [_resolved(base, each.replace("\\", "/")) for each in _REFERENCE.findall(folder.text(path))]
    if not wanted or any(" " in path for path in wanted):
        return ()
    return (*(name for name in _DOTNET_BESIDE if folder.has(name)), *wanted)


def _resolved(base: str, path: str) -> str:
    parts = base.split("/") if base else []
    for part in path.split("/"):
        parts = parts[:-1] if part == ".." else parts if part == "." else [*parts, part]
    return "/".join(parts)


_LOOKS: dict[str, Callable[[Folder], tuple[str, ...]]] = {
    "cargo": _cargo,
    "maven": _maven,
    "gradle": _gradle,
    "nuget": _nuget,
}
