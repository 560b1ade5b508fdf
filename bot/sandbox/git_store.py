"""Real commits in real bare repositories, through pygit2."""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pygit2
from pygit2.enums import FileMode, ObjectType

from bot.sandbox.state import User

_ACTIONS = ("create", "update", "delete")  # the real one also moves and changes modes


class GitError(Exception):
    """The repository refuses; the message is GitLab's."""


def create(folder: Path) -> None:
    """Make an empty bare repository."""
    pygit2.init_repository(str(folder), bare=True, initial_head="main")


def head(git_dir: Path, branch: str) -> str | None:
    """Return the sha at the head of a branch."""
    found = pygit2.Repository(str(git_dir)).branches.local.get(branch)
    return str(found.target) if found is not None else None


def branches(git_dir: Path) -> list[str]:
    """Return the names of all branches."""
    return list(pygit2.Repository(str(git_dir)).branches.local)


def resolve(git_dir: Path, ref: str) -> str | None:
    """Return the sha of a branch, a tag or a sha."""
    repository = pygit2.Repository(str(git_dir))
    if ref == "HEAD" and repository.head_is_unborn:
        return None
    try:
        found, _ = repository.resolve_refish(ref)
    except (KeyError, ValueError, pygit2.GitError):
        return None
    return str(found.id)


def read(git_dir: Path, ref: str, path: str) -> bytes | None:
    """Return a file's content at a ref."""
    repository = pygit2.Repository(str(git_dir))
    sha = resolve(git_dir, ref)
    if sha is None:
        return None
    try:
        entry = repository[sha].peel(pygit2.Commit).tree[path]
    except KeyError:
        return None
    return bytes(entry.data) if isinstance(entry, pygit2.Blob) else None


def tree(git_dir: Path, ref: str, *, path: str = "", recursive: bool = False) -> list[dict[str, str]] | None:
    """Return tree entries as GitLab shows them; None when the ref or path is not there."""
    sha = resolve(git_dir, ref)
    if sha is None:
        return None
    repository = pygit2.Repository(str(git_dir))
    top: Any = repository[sha].peel(pygit2.Commit).tree
    if path:
        if path not in top or not isinstance(top[path], pygit2.Tree):
            return None
        top = top[path]
    return list(_entries(top, f"{path}/" if path else "", recursive=recursive))


def _entries(folder: Any, prefix: str, *, recursive: bool) -> Sequence[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for entry in folder:
        is_tree = entry.type == ObjectType.TREE
        kind = "tree" if is_tree else ("commit" if entry.type == ObjectType.COMMIT else "blob")
        mode = f"{entry.filemode:06o}"
        rows.append({"id": str(entry.id), "name": entry.name, "type": kind, "path": prefix + entry.name, "mode": mode})
        if is_tree and recursive:
            rows += _entries(entry, f"{prefix}{entry.name}/", recursive=True)
    return rows


def commit(
    git_dir: Path,
    *,
    branch: str,
    start: str | None,
    message: str,
    actions: Sequence[Mapping[str, Any]],
    user: User,
) -> str:
    """Commit actions (create, update, delete) on a branch, made from `start` when it is new; return the sha."""
    repository = pygit2.Repository(str(git_dir))
    index = pygit2.Index()
    for action in actions:
        _require_unchanged(git_dir, start, action)
    if start is not None:
        index.read_tree(repository[start].peel(pygit2.Commit).tree)
    _apply_all(repository, index, actions)
    written = index.write_tree(repository)
    return _save(repository, branch, message, user, written, [start] if start else [])


def _require_unchanged(git_dir: Path, start: str | None, action: Mapping[str, Any]) -> None:
    """The optimistic lock of the commits API: a file must stand as its `last_commit_id` left it."""
    known = action.get("last_commit_id")
    if not known or start is None or action.get("action") not in ("update", "delete"):
        return
    now = last_commit_for(git_dir, start, str(action.get("file_path") or ""))
    if now is not None and now != known:
        raise GitError("You are attempting to update a file that has changed since you started editing it.")


def last_commit_for(git_dir: Path, ref: str, path: str) -> str | None:
    """Return the newest commit that changed a file; None when it is not there."""
    repository, sha = pygit2.Repository(str(git_dir)), resolve(git_dir, ref)
    if sha is None or read(git_dir, sha, path) is None:
        return None
    for commit in repository.walk(repository[sha].peel(pygit2.Commit).id, pygit2.enums.SortMode.TOPOLOGICAL):
        blob = _blob_at(commit, path)
        if blob is not None and all(_blob_at(parent, path) != blob for parent in commit.parents):
            return str(commit.id)
    return None


def _blob_at(commit: Any, path: str) -> str | None:
    return str(commit.tree[path].id) if path in commit.tree else None


def _apply_all(repository: Any, index: Any, actions: Sequence[Mapping[str, Any]]) -> None:
    """Apply actions one after another; the index is asked and changed once, for it sorts itself anew each time."""
    modes = {entry.path: entry.mode for entry in index}
    before = set(modes)
    changed: dict[str, Any] = {}
    for action in actions:
        path, entry = _apply(repository, modes, action)
        changed[path] = entry
    for path in before & {path for path, entry in changed.items() if entry is None}:
        index.remove(path)
    for _, entry in sorted(changed.items()):
        if entry is not None:
            index.add(entry)


def _apply(repository: Any, modes: dict[str, Any], action: Mapping[str, Any]) -> tuple[str, Any]:
    """Return a path and its new entry, None when it is deleted; `modes` are those of the files that are there."""
    path, kind = str(action.get("file_path") or ""), str(action.get("action"))
    if kind not in _ACTIONS:
        raise GitError("actions[0][action] does not have a valid value")
    if not path or path.startswith("/") or ".." in path.split("/"):
        raise GitError("You must provide a file path" if not path else "Path cannot include directory traversal")
    there = path in modes
    if kind == "create" and there:
        raise GitError("A file with this name already exists")
    if kind in ("update", "delete") and not there:
        raise GitError("A file with this name doesn't exist")
    if kind == "delete":
        del modes[path]
        return path, None
    mode = modes.setdefault(path, FileMode.BLOB)
    return path, pygit2.IndexEntry(path, repository.create_blob(_content(action)), mode)


def _content(action: Mapping[str, Any]) -> bytes:
    text = str(action.get("content") or "")
    return base64.b64decode(text) if action.get("encoding") == "base64" else text.encode()


def _save(repository: Any, branch: str, message: str, user: User, tree_id: Any, parents: list[str]) -> str:
    person = pygit2.Signature(user.name, f"{user.username}@example.com")
    sha = repository.create_commit(None, person, person, message, tree_id, parents)
    repository.references.create(f"refs/heads/{branch}", sha, force=True)
    return str(sha)


def merge(git_dir: Path, *, source: str, target: str, message: str, user: User) -> str:
    """Merge a branch into another with a merge commit; raises GitError on conflicts."""
    repository = pygit2.Repository(str(git_dir))
    ours, theirs = head(git_dir, target), head(git_dir, source)
    if ours is None or theirs is None:
        raise GitError("Branch cannot be merged")
    index = repository.merge_commits(ours, theirs)
    if index.conflicts:
        raise GitError("Branch cannot be merged")
    return _save(repository, target, message, user, index.write_tree(repository), [ours, theirs])


def merge_to_ref(git_dir: Path, head: str, target: str, ref: str, user: User) -> str | None:
    """Merge a commit into a branch under a ref that is no branch; None where that conflicts (merge_to_ref_service)."""
    repository = pygit2.Repository(str(git_dir))
    ours = repository.branches.local[target].target
    index = repository.merge_commits(ours, head)
    if index.conflicts:
        return None
    person = pygit2.Signature(user.name, f"{user.username}@example.com")
    text = f"Merge {head} into {ours}"
    sha = repository.create_commit(None, person, person, text, index.write_tree(repository), [ours, head])
    repository.references.create(ref, sha, force=True)
    return str(sha)


def has_conflicts(git_dir: Path, source: str, target: str) -> bool:
    """Tell whether merging would conflict."""
    repository = pygit2.Repository(str(git_dir))
    ours, theirs = head(git_dir, target), head(git_dir, source)
    if ours is None or theirs is None:
        return True
    return bool(repository.merge_commits(ours, theirs).conflicts)


def is_ahead(git_dir: Path, source: str, target: str) -> bool:
    """Tell whether a branch holds a commit that the target lacks."""
    ours, theirs = head(git_dir, target), head(git_dir, source)
    if ours is None or theirs is None:
        return False
    base = pygit2.Repository(str(git_dir)).merge_base(ours, theirs)
    return base is None or str(base) != theirs


def is_on_top(git_dir: Path, source: str, target: str) -> bool:
    """Tell whether a branch holds all of another one, so that this can be moved on to it."""
    ours, theirs = head(git_dir, target), head(git_dir, source)
    if ours is None or theirs is None:
        return False
    return str(pygit2.Repository(str(git_dir)).merge_base(ours, theirs)) == ours


def move_branch(git_dir: Path, branch: str, sha: str) -> None:
    """Let a branch stand at another commit."""
    pygit2.Repository(str(git_dir)).references.create(f"refs/heads/{branch}", sha, force=True)


def fetch(git_dir: Path, fork: Path, branch: str, ref: str) -> None:
    """Fetch a branch of another repository under a ref that is no branch, as GitLab does for a fork's merge request."""
    repository = pygit2.Repository(str(git_dir))
    repository.remotes.create_anonymous(str(fork)).fetch([f"+refs/heads/{branch}:{ref}"])


def is_branch_name(name: str) -> bool:
    """Tell whether Git lets a branch be called so (git check-ref-format)."""
    return pygit2.reference_is_valid_name(f"refs/heads/{name}") and not name.startswith("-")


def create_branch(git_dir: Path, branch: str, sha: str) -> None:
    """Make a branch at a commit."""
    repository = pygit2.Repository(str(git_dir))
    repository.branches.local.create(branch, repository[sha].peel(pygit2.Commit))


def create_tag(git_dir: Path, name: str, sha: str, user: User) -> None:
    """Make an annotated tag at a commit."""
    repository = pygit2.Repository(str(git_dir))
    person = pygit2.Signature(user.name, f"{user.username}@example.com")
    repository.create_tag(name, repository[sha].peel(pygit2.Commit).id, pygit2.enums.ObjectType.COMMIT, person, name)


def delete_branch(git_dir: Path, branch: str) -> None:
    """Delete a branch."""
    pygit2.Repository(str(git_dir)).branches.local.delete(branch)


def diff(git_dir: Path, target: str, source: str) -> str:
    """Return the changes of a branch since it left the target, as text."""
    repository = pygit2.Repository(str(git_dir))
    ours, theirs = resolve(git_dir, target), resolve(git_dir, source)
    if ours is None or theirs is None:
        return ""
    base = repository.merge_base(ours, theirs) or ours
    return str(repository.diff(str(base), theirs).patch or "")


def changed_files(git_dir: Path, target: str, source: str) -> list[str]:
    """Return the paths that a branch changes since it left the target."""
    repository = pygit2.Repository(str(git_dir))
    ours, theirs = resolve(git_dir, target), resolve(git_dir, source)
    if ours is None or theirs is None:
        return []
    base = repository.merge_base(ours, theirs) or ours
    return [delta.new_file.path for delta in repository.diff(str(base), theirs).deltas]


def commit_info(git_dir: Path, sha: str) -> dict[str, Any]:
    """Return a commit's message and author."""
    found = pygit2.Repository(str(git_dir))[sha].peel(pygit2.Commit)
    return {
        "id": str(found.id),
        "message": found.message,
        "author": found.author.name,
        "email": found.author.email,
        "date": datetime.fromtimestamp(found.commit_time, UTC),
        "parents": [str(parent) for parent in found.parent_ids],
    }
