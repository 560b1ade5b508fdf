"""The editor of `.env`."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import settings
from bot.cli import env_file
from bot.domain import CannotError


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        pytest.param("", {"A": "1"}, "PIPEWRIGHT_A=1\n", id="new file"),
        pytest.param("PIPEWRIGHT_A=0\n# why\nB=2\n", {"A": "1"}, "PIPEWRIGHT_A=1\n# why\nB=2\n", id="in its place"),
        pytest.param("# PIPEWRIGHT_A=example\nx=1\n", {"A": "1"}, "PIPEWRIGHT_A=1\nx=1\n", id="over its example"),
        pytest.param("PIPEWRIGHT_AB=0\n", {"A": "1"}, "PIPEWRIGHT_AB=0\nPIPEWRIGHT_A=1\n", id="longer name stays"),
        pytest.param("PIPEWRIGHT_A=0\nPIPEWRIGHT_A=2\n", {"A": "1"}, "PIPEWRIGHT_A=1\n", id="set twice"),
        pytest.param("PIPEWRIGHT_A=0\nB=1\n", {"A": None}, "B=1\n", id="taken out"),
        pytest.param("B=1", {"A": None}, "B=1\n", id="nothing to take out"),
    ],
)
def test_lines_change_and_all_others_stay(
    tmp_path: Path, before: str, changes: dict[str, str | None], after: str
) -> None:
    path = tmp_path / ".env"
    path.write_text(before)
    env_file.change(path, changes)
    assert path.read_text() == after
    assert path.stat().st_mode & 0o777 == 0o600


@given(value=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=40))
def test_every_value_is_read_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    path = tmp_path_factory.mktemp("env") / ".env"
    env_file.change(path, {"A": value, "B": "x"})
    assert env_file.values_of(path) == {"A": value, "B": "x"}


def test_a_value_of_several_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotError, match="one line"):
        env_file.change(tmp_path / ".env", {"A": "x\ny"})


def test_a_link_to_the_file_stays_one(tmp_path: Path) -> None:
    """Else the bot, which reads the file itself, would not hear of a new secret."""
    (tmp_path / "real").write_text("PIPEWRIGHT_A=0\n")
    (tmp_path / ".env").symlink_to("real")
    env_file.change(tmp_path / ".env", {"A": "1"})
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "real").read_text() == "PIPEWRIGHT_A=1\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_leaves_the_file_to_its_owner(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.touch()
    os.chown(path, 12345, 12346)
    env_file.change(path, {"A": "1"})
    assert (path.stat().st_uid, path.stat().st_gid) == (12345, 12346)


@pytest.mark.parametrize(
    "written", ["PIPEWRIGHT_A=1\n".encode("utf-16"), b"# gr\xfcn\nPIPEWRIGHT_A=1\n"], ids=["UTF-16", "Latin-1"]
)
def test_a_file_in_another_encoding_is_named(tmp_path: Path, written: bytes) -> None:
    """So PowerShell and older editors save it."""
    path = tmp_path / ".env"
    path.write_bytes(written)
    with pytest.raises(CannotError, match=r"\.env is no UTF-8 text"):
        env_file.values_of(path)
    with pytest.raises(CannotError, match=r"\.env is no UTF-8 text"):
        settings.read_settings({}, path)


def test_the_mark_at_the_start_of_a_file_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("PIPEWRIGHT_A=0\nB=1\n", encoding="utf-8-sig")
    env_file.change(path, {"A": None})
    assert path.read_text() == "B=1\n"


def test_the_names_are_those_of_the_settings() -> None:
    assert env_file.PREFIX == settings.PREFIX
