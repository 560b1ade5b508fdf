"""Reading a checkout on disk into a `Snapshot`: git's own list of files, or a walk where there is no git."""

import os
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from bot.domain import CannotError, Snapshot

MAX_BYTES = 1_000_000
_GIT_SECONDS = 60
_SKIPPED_FOLDERS = frozenset({".git", ".hg", ".svn", "node_modules", ".venv", ".tox", "__pycache__"})


def read_checkout(path: Path, choose: Callable[[Sequence[str]], Sequence[str]]) -> Snapshot:
    """Return the paths of a checkout, and the texts of those that `choose` picks.

    Files over 1 MB, binary files and links that leave the folder have a path but no text. Raises CannotError when there
    is no folder, and OSError when it may not be read.
    """
    if not path.is_dir():
        raise CannotError(f"there is no folder `{path}`")
    paths = tuple(sorted(set(_listed(path))))
    if not paths:
        next(path.iterdir(), None)  # raises where the folder is not empty but may not be read
    return Snapshot(paths=paths, texts=dict(_texts(path.resolve(), choose(paths))))


def _listed(path: Path) -> Iterable[str]:
    from_git = _listed_by_git(path)
    return _walked(path) if from_git is None else from_git


def _listed_by_git(path: Path) -> list[str] | None:
    """Return tracked and new files that are not ignored, relative to `path`; None when git cannot say."""
    command = ["git", "-C", str(path), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    names = [name.decode(errors="surrogateescape") for name in done.stdout.split(b"\0") if name]
    # A file deleted in the work tree is still in git's index; a submodule is a folder here.
    return [_readable(name) for name in names if _is_file_or_link(f"{path}/{name}")]


def _is_file_or_link(path: str) -> bool:
    """Ask once for each file, by its text: there may be very many, and building paths would take most of the time."""
    try:
        return not stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _walked(path: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(set(folders) - _SKIPPED_FOLDERS)
        start = Path(folder).relative_to(path)
        yield from (_readable(str(PurePosixPath(start / name))) for name in names)


def _readable(name: str) -> str:
    """Return a name that can be printed: bytes that are no UTF-8 become question marks."""
    return name.encode(errors="surrogateescape").decode(errors="replace")


def _texts(root: Path, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        text = _text(root, root / name)
        if text is not None:
            yield name, text


def _text(root: Path, path: Path) -> str | None:
    """Return the text of a small text file inside the folder, None otherwise."""
    try:
        real = path.resolve()
        if not real.is_relative_to(root) or not real.is_file() or real.stat().st_size > MAX_BYTES:
            return None
        data = real.read_bytes()
    except (OSError, ValueError, RuntimeError):  # RuntimeError: a loop of links
        return None
    return decoded(data)


def decoded(data: bytes) -> str | None:
    """Return text, None for binary data; UTF-16 with its mark is understood, other bytes are taken as Latin-1."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")
