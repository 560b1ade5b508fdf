"""Releases on the index that pip is set to, read and unpacked; nothing of what they hold is run.

pip itself runs a source distribution's code as soon as it downloads one, so this asks the index where the file lies.
"""

import hashlib
import io
import os
import re
import sys
import tarfile
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import msgspec
from msgspec import Struct

from bench.ci_local import MissingError
from bench.programs import run

_LIMIT = 60.0
_MOST_BYTES = 200_000_000


class File(Struct, frozen=True):
    """A file of a release, as the index lists it."""

    filename: str
    url: str
    hashes: dict[str, str] = {}


class _Page(Struct, frozen=True):
    files: list[File]


class BadReleaseError(Exception):
    """There is no such release, or none that can be taken; the message says which and why."""


def read(address: str) -> bytes:
    """Get a page or a file; what the index does not have is a release that is not there."""
    request = urllib.request.Request(address, headers={"Accept": "application/vnd.pypi.simple.v1+json, */*;q=0.1"})
    try:
        with urllib.request.urlopen(request, timeout=_LIMIT) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        if error.code in {403, 404, 410}:
            raise BadReleaseError(f"the index answers {error.code}") from error
        raise MissingError(f"the index fails: {error}") from error
    except OSError as error:
        raise MissingError(f"the index cannot be reached: {error}") from error


class Index(Struct, frozen=True, kw_only=True):
    """An index of packages and the way to read what lies at an address."""

    address: str
    read: Callable[[str], bytes] = read

    def has(self, name: str, version: str) -> bool:
        """Whether there is a release of exactly this version, of whatever kind of file."""
        return any(_is_of(each.filename, name, version) for each in self._files(name))

    def unpack(self, name: str, version: str, folder: Path) -> Path:
        """Unpack the source distribution of exactly this version into a folder; return its top."""
        files = [each for each in self._files(name) if each.filename.endswith(".tar.gz")]
        chosen = next((each for each in files if _is_of(each.filename, name, version)), None)
        if chosen is None:
            raise BadReleaseError(f"PyPI has no source distribution {version} of {name}")
        data = self.read(urljoin(self._page(name), chosen.url))
        if hashlib.sha256(data).hexdigest() != chosen.hashes.get("sha256"):
            raise BadReleaseError(f"{chosen.filename} is not what the index says it is")
        return _unpacked(data, folder, chosen.filename)

    def _files(self, name: str) -> list[File]:
        try:
            return msgspec.json.decode(self.read(self._page(name)), type=_Page).files
        except BadReleaseError as error:
            raise BadReleaseError(f"PyPI has no {name}: {error}") from error
        except msgspec.MsgspecError as error:
            raise MissingError(f"the index does not answer in JSON: {error}") from error

    def _page(self, name: str) -> str:
        return f"{self.address.rstrip('/')}/{_plain(name)}/"


def index_of_pip() -> Index:
    """Return the index that pip would ask; its own help names it after reading settings and environment."""
    wide = {**os.environ, "COLUMNS": "2000"}
    said = run([sys.executable, "-m", "pip", "download", "--help"], limit=_LIMIT, environment=wide).output
    found = re.search(r"--index-url\s.*?\(default:? (\S+?)\)", said)
    if found is None:
        raise MissingError("pip does not tell which index it asks; `pip download --help` should")
    return Index(address=found[1])


def _unpacked(data: bytes, folder: Path, filename: str) -> Path:
    """A release is one folder; what would land outside of it, or fill the disk, is not taken."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            if sum(each.size for each in archive) > _MOST_BYTES:
                raise BadReleaseError(f"{filename} is too big")
            for each in archive:
                _lay(archive, each, folder)
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise BadReleaseError(f"{filename} cannot be unpacked: {error}") from error
    tops = list(folder.iterdir())
    if len(tops) != 1 or not tops[0].is_dir():
        raise BadReleaseError(f"{filename} is not one folder")
    return tops[0]


def _lay(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write a file or make a folder below another; links are left out. Python 3.11.2 has no filter that would do it."""
    target = (folder / member.name).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise tarfile.TarError(f"{member.name!r} would be extracted to {target}")
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(member) if member.isfile() else None
    if content is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.read())
        target.chmod(0o755 if member.mode & 0o100 else 0o644)


def _is_of(filename: str, name: str, version: str) -> bool:
    """A wheel is NAME-VERSION-… and a source distribution NAME-VERSION.tar.gz, with any spelling of the name."""
    if filename.endswith(".whl"):
        found, _, rest = filename.partition("-")
        return _plain(found) == _plain(name) and rest.partition("-")[0] == version
    found, _, last = filename.removesuffix(".tar.gz").rpartition("-")
    return _plain(found) == _plain(name) and last == version


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
