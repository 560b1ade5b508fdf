"""Which Debian packages hold the libraries that a C or C++ build cannot do without."""

import re
from collections.abc import Iterator

from bot.survey.facts import Facts
from bot.survey.tree import Folder

# By the name pkg-config knows; a package named like the library with "-dev" need not be here.
_BY_MODULE = {
    "alsa": "libasound2-dev", "bzip2": "libbz2-dev", "cairo": "libcairo2-dev", "check": "check",
    "cmocka": "libcmocka-dev", "criterion": "libcriterion-dev", "cunit": "libcunit1-dev", "dbus-1": "libdbus-1-dev",
    "egl": "libegl-dev", "epoxy": "libepoxy-dev", "expat": "libexpat1-dev", "fontconfig": "libfontconfig-dev",
    "freetype2": "libfreetype-dev", "fuse": "libfuse-dev", "fuse3": "libfuse3-dev", "gio-2.0": "libglib2.0-dev",
    "gio-unix-2.0": "libglib2.0-dev", "gl": "libgl-dev", "glib-2.0": "libglib2.0-dev", "gmock": "libgmock-dev",
    "gmodule-2.0": "libglib2.0-dev", "gnutls": "libgnutls28-dev", "gobject-2.0": "libglib2.0-dev",
    "gthread-2.0": "libglib2.0-dev", "gtest": "libgtest-dev", "gtest_main": "libgtest-dev",
    "gtk+-3.0": "libgtk-3-dev", "gtk4": "libgtk-4-dev", "harfbuzz": "libharfbuzz-dev", "hiredis": "libhiredis-dev",
    "jansson": "libjansson-dev", "json-c": "libjson-c-dev", "json-glib-1.0": "libjson-glib-dev",
    "libarchive": "libarchive-dev", "libcap": "libcap-dev", "libcrypto": "libssl-dev",
    "libcurl": "libcurl4-openssl-dev", "libelf": "libelf-dev", "libevent": "libevent-dev", "libffi": "libffi-dev",
    "libgit2": "libgit2-dev", "libjpeg": "libjpeg-dev", "liblz4": "liblz4-dev", "liblzma": "liblzma-dev",
    "libmicrohttpd": "libmicrohttpd-dev", "libnl-3.0": "libnl-3-dev", "libpcre2-8": "libpcre2-dev",
    "libpng": "libpng-dev", "libpq": "libpq-dev", "libpulse": "libpulse-dev", "libseccomp": "libseccomp-dev",
    "libselinux": "libselinux1-dev", "libsodium": "libsodium-dev", "libssh2": "libssh2-1-dev", "libssl": "libssl-dev",
    "libsystemd": "libsystemd-dev", "libtiff-4": "libtiff-dev", "libudev": "libudev-dev",
    "libusb-1.0": "libusb-1.0-0-dev", "libuv": "libuv1-dev", "libwebp": "libwebp-dev", "libxml-2.0": "libxml2-dev",
    "libzip": "libzip-dev", "libzstd": "libzstd-dev", "lua5.4": "liblua5.4-dev", "ncurses": "libncurses-dev",
    "ncursesw": "libncurses-dev", "openssl": "libssl-dev", "pam": "libpam0g-dev", "pango": "libpango1.0-dev",
    "pangocairo": "libpango1.0-dev", "pixman-1": "libpixman-1-dev", "popt": "libpopt-dev",
    "readline": "libreadline-dev", "scdoc": "scdoc", "sdl2": "libsdl2-dev", "sqlite3": "libsqlite3-dev",
    "uuid": "uuid-dev", "wayland-client": "libwayland-dev", "wayland-protocols": "wayland-protocols",
    "wayland-server": "libwayland-dev", "x11": "libx11-dev", "xcb": "libxcb1-dev", "xext": "libxext-dev",
    "xkbcommon": "libxkbcommon-dev", "yaml-0.1": "libyaml-dev", "zlib": "zlib1g-dev",
}  # fmt: skip
# By the name CMake's find_package knows.
_BY_PACKAGE = {
    "alsa": "libasound2-dev", "benchmark": "libbenchmark-dev", "bison": "bison", "blas": "libblas-dev",
    "boost": "libboost-all-dev", "bzip2": "libbz2-dev", "catch2": "catch2", "civetweb": "libcivetweb-dev",
    "cpprestsdk": "libcpprest-dev", "curl": "libcurl4-openssl-dev", "curses": "libncurses-dev",
    "doctest": "doctest-dev", "doxygen": "doxygen", "eigen3": "libeigen3-dev", "expat": "libexpat1-dev", "flex": "flex",
    "fmt": "libfmt-dev", "freetype": "libfreetype-dev", "git": "git", "glew": "libglew-dev", "glfw3": "libglfw3-dev",
    "gmock": "libgmock-dev", "grpc": "libgrpc++-dev protobuf-compiler-grpc", "gsl": "libgsl-dev",
    "gtest": "libgtest-dev", "hdf5": "libhdf5-dev", "jpeg": "libjpeg-dev", "jsoncpp": "libjsoncpp-dev",
    "lapack": "liblapack-dev", "libarchive": "libarchive-dev", "liblzma": "liblzma-dev", "libxml2": "libxml2-dev",
    "lua": "liblua5.4-dev", "mpi": "libopenmpi-dev", "nlohmann_json": "nlohmann-json3-dev", "opencv": "libopencv-dev",
    "opengl": "libgl-dev", "openssl": "libssl-dev", "pkgconfig": "pkg-config", "png": "libpng-dev",
    "poco": "libpoco-dev", "postgresql": "libpq-dev", "protobuf": "libprotobuf-dev protobuf-compiler",
    "python3": "python3-dev", "qt5": "qtbase5-dev", "qt6": "qt6-base-dev", "readline": "libreadline-dev",
    "sdl2": "libsdl2-dev", "spdlog": "libspdlog-dev", "sqlite3": "libsqlite3-dev", "tiff": "libtiff-dev",
    "x11": "libx11-dev", "yaml-cpp": "libyaml-cpp-dev", "zlib": "zlib1g-dev", "zstd": "libzstd-dev",
    # Debian's package leaves out what its own configuration looks for.
    "drogon": "libdrogon-dev libjsoncpp-dev uuid-dev zlib1g-dev libssl-dev libpq-dev libsqlite3-dev libbrotli-dev"
    " default-libmysqlclient-dev libhiredis-dev libyaml-cpp-dev",
}  # fmt: skip

# Tests and examples look for the very library that they stand beside.
_OWN = re.compile(r"\bproject\s*\(\s*['\"]?([\w.+-]+)", re.IGNORECASE)
KNOWN_PACKAGES = frozenset(
    package for packages in (*_BY_MODULE.values(), *_BY_PACKAGE.values()) for package in packages.split()
)


def add_libraries(facts: Facts, folder: Folder, files: list[str]) -> None:
    """Add a system package for each library that these build files insist on; what may be missing is left out."""
    own = {name.lower() for file in files for name in _OWN.findall(folder.text(file))}
    for file in files:
        text = re.sub(r"(?m)^[ \t]*#.*$", "", folder.text(file))
        for name, packages in [each for each in _needed(text) if each[0].lower() not in own]:
            where = folder.evidence(file, name)
            for package in packages.split():
                facts.add("system_package", package, f"the build looks for {name}", where, confidence=0.8)


def _needed(text: str) -> Iterator[tuple[str, str]]:
    """Return each library by the name in the text, with its packages, separated by blanks."""
    for name in [*_meson(text), *_pkg_config(text)]:
        if name.lower() in _BY_MODULE:
            yield name, _BY_MODULE[name.lower()]
    for call in re.findall(r"find_package\s*\(([^()]*)\)", text, re.IGNORECASE):
        words = call.split()
        if "REQUIRED" in words and words[0].lower() in _BY_PACKAGE:
            yield words[0], _BY_PACKAGE[words[0].lower()]


def _meson(text: str) -> Iterator[str]:
    """Return what `dependency()` asks for without leave to do without it."""
    for name, rest in re.findall(r"\bdependency\s*\(\s*'([^']+)'([^()]*)(?=\))", text):
        if not re.search(r"required\s*:(?!\s*true)|\bdisabler\b", rest):
            yield name


def _pkg_config(text: str) -> Iterator[str]:
    """Return the modules that CMake and autoconf ask pkg-config for, each a word without its version."""
    called = [
        call for call in re.findall(r"pkg_(?:check|search)_modules?\s*\(([^()]*)\)", text, re.I) if "REQUIRED" in call
    ]
    called += [
        modules
        for modules, rest in re.findall(r"PKG_CHECK_MODULES\(\s*\[?\w+\]?\s*,\s*\[?([^\])]+?)\]?\s*(,|\))", text)
        if rest == ")"
    ]
    for call in called:
        yield from re.findall(r"(?<![<>=.\d])\b[A-Za-z][\w.+-]*", re.sub(r"[<>=]+\s*[\d.]+", " ", call))
