"""What one commit of many actions leaves behind: each sees what those before it did, in whatever order they come."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pygit2
import pytest

from bot.sandbox import git_store

ANN: Any = SimpleNamespace(name="Ann", username="ann")


@pytest.fixture
def git_dir(tmp_path: Path) -> Path:
    pygit2.init_repository(str(tmp_path), bare=True)
    return tmp_path


def commit(git_dir: Path, *actions: tuple[str, str]) -> str:
    made = [{"action": kind, "file_path": path, "content": path} for kind, path in actions]
    start = git_store.head(git_dir, "main")
    return git_store.commit(git_dir, branch="main", start=start, message="m", actions=made, user=ANN)


def paths(git_dir: Path, sha: str) -> set[str]:
    found = pygit2.Index()
    found.read_tree(pygit2.Repository(str(git_dir))[sha].peel(pygit2.Commit).tree)
    return {entry.path for entry in found}


def test_files_come_in_any_order(git_dir: Path) -> None:
    made = [f"{number % 7}/{number}.txt" for number in range(300, 0, -1)]
    assert paths(git_dir, commit(git_dir, *(("create", path) for path in made))) == set(made)


@pytest.mark.parametrize(
    ("actions", "left"),
    [
        ([("create", "new"), ("update", "new")], {"a", "b/c", "new"}),
        ([("create", "new"), ("delete", "new")], {"a", "b/c"}),
        ([("delete", "a"), ("create", "a")], {"a", "b/c"}),
        ([("delete", "a"), ("create", "a/x")], {"a/x", "b/c"}),
        ([("delete", "b/c"), ("create", "b")], {"a", "b"}),
    ],
)
def test_an_action_sees_what_those_before_it_did(git_dir: Path, actions: list[tuple[str, str]], left: set[str]) -> None:
    commit(git_dir, ("create", "b/c"), ("create", "a"))
    assert paths(git_dir, commit(git_dir, *actions)) == left


@pytest.mark.parametrize("actions", [[("create", "a")], [("update", "x")], [("delete", "a"), ("update", "a")]])
def test_one_that_does_not_fit_leaves_everything_as_it_was(git_dir: Path, actions: list[tuple[str, str]]) -> None:
    before = commit(git_dir, ("create", "a"))
    with pytest.raises(git_store.GitError):
        commit(git_dir, ("create", "y"), *actions)
    assert git_store.head(git_dir, "main") == before
