"""Projects and their repositories: the whole tree in one call, all manifests in one, all files in one commit."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from bot.domain import CannotError, UnreachableError
from bot.gitlab import read
from bot.gitlab.answers import RefusedError
from bot.gitlab.transport import Transport
from bot.gitlab.values import Commit, LintResult, Project

MOST_PATHS = 100
BLOBS = "repository{blobs(ref:$ref,paths:$paths){nodes{path rawTextBlob size:rawSize}}}"
_MOST_BYTES = 1_000_000
_MAY_NOT_RUN = "sufficient permission to run a pipeline"  # lib/gitlab/ci/pipeline/chain/validate/abilities.rb
_QUERY = "query($p:ID!,$ref:String,$paths:[String!]!){project(fullPath:$p){" + BLOBS + "}}"


class Repository:
    """A project's files, branches and commits."""

    transport: Transport

    def project(self, project_id: int) -> Project:
        """Return a project by its id."""
        return self.find_project(str(project_id))

    def find_project(self, path: str) -> Project:
        """Return a project by its path or id."""
        try:
            return read.project(self.transport.read_json("/projects/{project}", project=path))
        except RefusedError as refused:
            if refused.status == 404:
                raise CannotError("I can't see this project. Is my account a member of it?") from refused
            raise

    def tree(self, project_id: int, ref: str) -> tuple[str, ...]:
        """Return the paths of all files at a ref, sorted."""
        query: dict[str, Any] = {"ref": ref, "recursive": True, "pagination": "none", "per_page": 100}
        try:
            entries = self.transport.read_json("/projects/{project}/repository/tree", query, project=project_id)
        except RefusedError as refused:
            if refused.status == 404:
                return ()
            raise
        return tuple(sorted(entry["path"] for entry in entries if entry["type"] == "blob"))

    def texts(self, project_path: str, ref: str, paths: Sequence[str]) -> dict[str, str]:
        """Return the texts of files by path; binary, missing and too large ones are left out."""
        found: dict[str, str] = {}
        for start in range(0, len(paths), MOST_PATHS):
            found |= self._texts(project_path, ref, list(paths[start : start + MOST_PATHS]))
        return found

    def _texts(self, project_path: str, ref: str, paths: list[str]) -> dict[str, str]:
        url = f"{self.transport.url}/api/graphql"
        variables = {"p": project_path, "ref": ref, "paths": paths}
        answer = self.transport.ask(url, {"query": _QUERY, "variables": variables})
        if answer.get("errors"):
            return self._halves(project_path, ref, paths, str(answer["errors"])[:200])
        return texts_in(answer)

    def _halves(self, project_path: str, ref: str, paths: list[str], error: str) -> dict[str, str]:
        """All texts together may be over the server's limit (20 MiB); a file that is so alone is left out."""
        if "size limit" not in error and "complexity" not in error:
            raise UnreachableError("GitLab", error)
        if len(paths) == 1:
            return {}
        middle = len(paths) // 2
        return self._texts(project_path, ref, paths[:middle]) | self._texts(project_path, ref, paths[middle:])

    def read_file(self, project_id: int, ref: str, path: str) -> str | None:
        """Return the text of one file; None when it is missing or no text."""
        try:
            response = self.transport.read(
                "/projects/{project}/repository/files/{path}/raw", {"ref": ref}, project=project_id, path=path
            )
        except RefusedError as refused:
            if refused.status == 404:
                return None
            raise
        if len(response.content) > _MOST_BYTES:
            return None
        try:
            return response.content.decode()
        except UnicodeDecodeError:
            return None

    def branch_head(self, project_id: int, branch: str) -> str | None:
        """Return the sha at the head of a branch, None when there is no such branch."""
        json = self._branch(project_id, branch)
        return str(json["commit"]["id"]) if json else None

    def _branch(self, project_id: int, branch: str) -> dict[str, Any] | None:
        try:
            json: dict[str, Any] = self.transport.read_json(
                "/projects/{project}/repository/branches/{branch}", project=project_id, branch=branch
            )
        except RefusedError as refused:
            if refused.status in (400, 404):  # 400 where Git would not let a branch be called so
                return None
            raise
        return json

    def create_branch(self, project_id: int, branch: str, sha: str) -> None:
        """Make a branch at a commit; one that stands there already is as good."""
        body = {"branch": branch, "ref": sha}
        try:
            self.transport.write("post", "/projects/{project}/repository/branches", body, project=project_id)
        except (UnreachableError, RefusedError) as error:
            if isinstance(error, RefusedError) and "already exists" not in error.detail:
                raise
            if self.branch_head(project_id, branch) != sha:
                raise

    def commit_by_message(self, project_id: int, branch: str, message: str) -> Commit | None:
        """Return the commit at the head of a branch if it has exactly this message."""
        found = self._branch(project_id, branch)
        return read.commit(found["commit"]) if found is not None and _has_message(found, message) else None

    def commit_files(
        self,
        project_id: int,
        *,
        branch: str,
        message: str,
        files: Mapping[str, str],
        existing: Collection[str],
        removed: Collection[str] = (),
        base: str | None = None,
    ) -> Commit:
        """Commit all files at once on a branch; `removed` are paths to delete.

        `base` is the head as it was looked at: a file that somebody changed since is refused by GitLab, never written
        over. When the answer was lost, the branch's head is read: a commit with our message is the one, for the
        message names the order.
        """
        actions = [
            {"action": "update" if path in existing else "create", "file_path": path, "content": content}
            for path, content in files.items()
        ]
        actions += [{"action": "delete", "file_path": path} for path in removed]
        for action in actions:
            if base is not None and action["action"] != "create":
                action["last_commit_id"] = self._last_commit_id(project_id, base, action["file_path"])
        body = {"branch": branch, "commit_message": message, "actions": actions}
        try:
            json = self.transport.write("post", "/projects/{project}/repository/commits", body, project=project_id)
        except UnreachableError:
            written = self.commit_by_message(project_id, branch, message)
            if written is None:
                raise
            return written
        return read.commit(json)

    def _last_commit_id(self, project_id: int, ref: str, path: str) -> str:
        """Return the newest commit that changed a file."""
        json = self.transport.read_json(
            "/projects/{project}/repository/files/{path}", {"ref": ref}, project=project_id, path=path
        )
        return str(json["last_commit_id"])

    def lint(self, project_id: int, content: str, ref: str | None) -> LintResult:
        """Let GitLab check a configuration, simulating the pipeline it would make on `ref`.

        On a protected branch only whoever may push or merge there may simulate: else it is checked without that.
        """
        body = {"content": content, "dry_run": ref is not None, **({"ref": ref} if ref else {})}
        json = self.transport.ask("/projects/{project}/ci/lint", body, project=project_id)
        if ref is not None and any(_MAY_NOT_RUN in error for error in json.get("errors") or ()):
            return self.lint(project_id, content, None)
        return LintResult(
            is_simulated=ref is not None,
            is_valid=bool(json["valid"]),
            errors=tuple(json.get("errors") or ()),
            warnings=tuple(json.get("warnings") or ()),
            content=content,
            merged_yaml=json.get("merged_yaml") or None,
            includes=tuple(read.included(row) for row in json.get("includes") or ()),
        )


def texts_in(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return the texts that GraphQL answered, by path."""
    project = (answer.get("data") or {}).get("project") or {}
    nodes = ((project.get("repository") or {}).get("blobs") or {}).get("nodes") or ()
    return {node["path"]: node["rawTextBlob"] for node in nodes if _is_readable(node)}


def _has_message(branch: Mapping[str, Any], message: str) -> bool:
    return str(branch["commit"].get("message", "")).strip() == message.strip()


def _is_readable(node: Mapping[str, Any]) -> bool:
    text = node.get("rawTextBlob")
    return isinstance(text, str) and "\x00" not in text and len(text) <= _MOST_BYTES
