"""Reading a checkout from disk."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.checkout import decoded, read_checkout
from bot.domain import CannotError


def everything(paths: Sequence[str]) -> Sequence[str]:
    return paths


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)


def test_git_lists_tracked_and_new_files_but_nothing_ignored(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "x").write_text("x")
    (tmp_path / "gone").write_text("x")
    (tmp_path / "sub dir").mkdir()
    (tmp_path / "sub dir" / "ä.txt").write_text("ä")
    git(tmp_path, "add", ".")
    (tmp_path / "gone").unlink()
    (tmp_path / "new.py").write_text("print()")
    found = read_checkout(tmp_path, everything)
    assert found.paths == (".gitignore", "new.py", "sub dir/ä.txt")
    assert found.texts["sub dir/ä.txt"] == "ä"


def test_a_folder_without_git_is_walked(tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "x.js").write_text("x")
    (tmp_path / "a.py").write_text("x")
    assert read_checkout(tmp_path, everything).paths == ("a.py",)


def test_only_chosen_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    assert read_checkout(tmp_path, lambda paths: ["b", "missing"]).texts == {"b": "b"}


def test_large_binary_and_leaving_files_have_no_text(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("secret")
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "large").write_bytes(b"x" * 1_000_001)
    (folder / "binary").write_bytes(b"a\0b")
    (folder / "inside").write_text("fine")
    (folder / "leaving").symlink_to(outside)
    (folder / "loop").symlink_to("loop")
    (folder / "alias").symlink_to("inside")
    os.mkfifo(folder / "pipe")
    found = read_checkout(folder, everything)
    assert {"large", "binary", "leaving", "loop"} <= set(found.paths)
    assert found.texts == {"inside": "fine", "alias": "fine"}


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotError, match="no folder"):
        read_checkout(tmp_path / "nowhere", everything)


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """Root may read everything."""
    before = os.geteuid()
    os.seteuid(before or 65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.mark.parametrize("has_git", [False, True])
def test_a_folder_that_may_not_be_read_is_not_called_empty(has_git: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "closed"
        folder.mkdir()
        if has_git:
            git(folder, "init", "-q")
        folder.chmod(0o311)
        with as_ordinary_user(), pytest.raises(PermissionError, match="closed"):
            read_checkout(folder, everything)
        folder.chmod(0o755)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"\xef\xbb\xbfa", "a", id="a mark in front"),
        pytest.param("ä".encode("utf-16"), "ä", id="UTF-16"),
        pytest.param(b"caf\xe9", "café", id="Latin-1"),
        pytest.param(b"\0", None, id="binary"),
        pytest.param(b"", "", id="empty"),
    ],
)
def test_encodings(data: bytes, text: str | None) -> None:
    assert decoded(data) == text
