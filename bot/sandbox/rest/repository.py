"""Trees, files, branches, commits, and the GraphQL query for many files at once."""

import base64
import hashlib
from typing import Any

from bot.sandbox import acts, git_store, rights
from bot.sandbox.ci import engine
from bot.sandbox.rest import runners, shapes, shown
from bot.sandbox.rest.call import Answer, Call, keyset, paged
from bot.sandbox.rights import ApiError, message
from bot.sandbox.state import Project

_BATCH_LIMIT = 20 * 1024 * 1024
_MOST_COMPLEX = 250


def _ref(call: Call, project: Project) -> str:
    return call.text("ref") or project.default_branch or "HEAD"


def tree(call: Call) -> Answer:
    """List a tree; `pagination=none` gives all of it, and only together with `recursive`."""
    project, recursive = call.code, call.flag("recursive")
    rows = git_store.tree(project.git_dir, _ref(call, project), path=call.text("path") or "", recursive=recursive)
    if rows is None:
        raise message(404, "404 Tree Not Found")
    if call.text("pagination") == "keyset":
        return keyset(call, rows)
    if call.text("pagination") != "none":
        return paged(call, rows, lambda row: row)
    if not recursive:
        raise message(400, "400 Bad request - pagination=none is only allowed with recursive=true")
    return Answer(200, rows)


def raw_file(call: Call) -> Answer:
    """Show a file's bytes."""
    content = git_store.read(call.code.git_dir, _ref(call, call.project), call.ids["path"])
    if content is None:
        raise message(404, "404 File Not Found")
    return Answer(200, content, {"Content-Type": "text/plain; charset=utf-8"})


def file(call: Call) -> Answer:
    """Show a file with its content in base64; the ref must be named."""
    call.require("ref")
    project, ref = call.code, _ref(call, call.project)
    content, sha = git_store.read(project.git_dir, ref, call.ids["path"]), git_store.resolve(project.git_dir, ref)
    if content is None or sha is None:
        raise message(404, "404 File Not Found")
    path = call.ids["path"]
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    body = {
        "file_name": path.rsplit("/", 1)[-1],
        "file_path": path,
        "size": len(content),
        "encoding": "base64",
        "content": base64.b64encode(content).decode(),
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": ref,
        "blob_id": blob,
        "commit_id": sha,
        "last_commit_id": git_store.last_commit_for(project.git_dir, sha, path),
        "execute_filemode": False,
    }
    return Answer(200, body)


def branch(call: Call) -> Answer:
    """Show a branch."""
    project, name = call.code, call.ids["branch"]
    if not git_store.is_branch_name(name):
        raise message(400, "The branch refname is invalid")
    sha = git_store.head(project.git_dir, name)
    if sha is None:
        raise message(404, "404 Branch Not Found")
    return Answer(200, shapes.branch(call.world, project, name, sha, call.user))


def create_branch(call: Call) -> Answer:
    """Make a branch; GitLab treats that as a push."""
    call.require("branch", "ref")
    project, name = call.project, str(call.params["branch"])
    if not rights.may_push(project, call.user, name) or rights.level(project, call.user) < 30:
        raise message(403, "403 Forbidden")
    if git_store.head(project.git_dir, name) is not None:
        raise message(400, "Branch already exists")
    sha = git_store.resolve(project.git_dir, str(call.params["ref"]))
    if sha is None:
        raise message(400, f"Invalid reference name: {call.params['ref']}")
    git_store.create_branch(project.git_dir, name, sha)
    engine.on_push(call.world, project, name, sha, call.user)
    return Answer(201, shapes.branch(call.world, project, name, sha, call.user))


def delete_branch(call: Call) -> Answer:
    """Delete a branch."""
    project, name = call.project, call.ids["branch"]
    if git_store.head(project.git_dir, name) is None:
        raise message(404, "404 Branch Not Found")
    if name in project.protected or name == project.default_branch or not rights.may_push(project, call.user, name):
        raise message(403, "403 Forbidden")
    git_store.delete_branch(project.git_dir, name)
    return Answer(204)


def show_commit(call: Call) -> Answer:
    """Show a commit, of a branch or not."""
    sha = git_store.resolve(call.code.git_dir, call.ids["sha"])
    if sha is None:
        raise message(404, "404 Commit Not Found")
    return Answer(200, {**shapes.commit(call.world, call.project, sha), "project_id": call.project.id})


def commit(call: Call) -> Answer:
    """Commit many files at once; the right to push is looked at first, as in lib/api/commits.rb."""
    call.require("branch", "commit_message", "actions")
    project, name = call.project, str(call.params["branch"])
    if not isinstance(call.params["actions"], list) or not all(isinstance(one, dict) for one in call.params["actions"]):
        raise ApiError(400, {"error": "actions is invalid"})
    if project.is_archived or not rights.may_push(project, call.user, name):
        raise message(403, "403 Forbidden - You are not allowed to push into this branch")
    start = _start(call, project, name)
    try:
        sha = acts.push(
            call.world,
            project,
            call.user,
            name,
            call.params["actions"],
            str(call.params["commit_message"]),
            start=start,
        )
    except git_store.GitError as error:
        raise message(400, str(error)) from error
    row = {**shapes.commit(call.world, project, sha), "status": None, "project_id": project.id}
    return Answer(201, {**row, "stats": {"additions": 1, "deletions": 0, "total": 1}, "last_pipeline": None})


def _start(call: Call, project: Project, name: str) -> str | None:
    asked = call.text("start_sha") or call.text("start_branch")
    head = git_store.head(project.git_dir, name)
    if asked and asked != name and head is not None:
        text = f"A branch called '{name}' already exists. Switch to that branch in order to make changes"
        raise message(400, text)
    if asked:
        start = git_store.resolve(project.git_dir, asked)
        if start is None:
            raise message(400, "Invalid reference name: " + asked)
        return start
    if head is None and git_store.branches(project.git_dir):
        raise message(400, "You can only create or edit files when you are on a branch")
    return head


def graphql(call: Call) -> Answer:
    """Answer the queries for blobs, projects and runners; errors come with 200, what is missing is simply left out."""
    query, variables = call.text("query") or "", call.params.get("variables") or {}
    if "projects(ids:" in query:
        return _projects(call, [str(each) for each in variables.get("ids") or ()])
    if "lastEditedAt" in query:
        return shown.edited(call, str(variables.get("i")))
    if shown.PATTERN.search(query):
        return shown.answer(call, query, variables)
    if "runners(" not in query and "blobs(" not in query:
        call.world.unknown_routes.append(f"GraphQL {query[:80]}")
        return Answer(200, {"errors": [{"message": "The stand-in knows only project.repository.blobs"}]})
    if "runners(" not in query:
        return _files(call, variables)
    about = runners.surroundings(call, str(variables.get("p")))
    return _together(about, _files(call, variables)) if "blobs(" in query else about


def _together(about: Answer, files: Answer) -> Answer:
    """Two parts of one query: what one lacks is missing alone, but a query that is too complex has no answer."""
    if "data" not in files.body:
        return files
    errors = [*about.body.get("errors", ()), *files.body.get("errors", ())]
    found, held = about.body["data"]["project"], files.body["data"]["project"]
    project = None if found is None or held is None else {**found, **held}
    data = {**about.body["data"], "project": project}
    return Answer(200, {"data": data, **({"errors": errors} if errors else {})})


def _files(call: Call, variables: dict[str, Any]) -> Answer:
    paths = [str(path) for path in variables.get("paths", [])]
    if len(paths) + 10 > _MOST_COMPLEX:
        text = f"Query has complexity of {len(paths) + 10}, which exceeds max complexity of {_MOST_COMPLEX}"
        return Answer(200, {"errors": [{"message": text}]})
    project = call.world.project_at(str(variables.get("p")))
    if project is None or not rights.may_see(project, call.user):
        return Answer(200, {"data": {"project": None}})
    if not rights.may_read_code(project, call.user):
        return Answer(200, {"data": {"project": {"repository": None}}})
    return _blobs(project, variables.get("ref") or project.default_branch or "HEAD", paths)


def _projects(call: Call, wanted: list[str]) -> Answer:
    """List the projects with these ids that one may see; the others are left out without a word."""
    nodes = [
        {"id": f"gid://gitlab/Project/{one.id}", "fullPath": one.path, "visibility": one.visibility}
        for one in call.world.projects.values()
        if f"gid://gitlab/Project/{one.id}" in wanted and rights.may_see(one, call.user)
    ]
    return Answer(200, {"data": {"projects": {"nodes": nodes[:100]}}})


def _blobs(project: Project, ref: str, paths: list[str]) -> Answer:
    found = {path: git_store.read(project.git_dir, ref, path) for path in paths}
    total = sum(len(content) for content in found.values() if content)
    if len(paths) > 1 and total > _BATCH_LIMIT:
        text = f"Max blobs size limit exceeded ({total / 2**20:.2f} / 20 MiB)."
        error = {"message": text, "path": ["project", "repository", "blobs"]}
        return Answer(200, {"data": {"project": {"repository": {"blobs": None}}}, "errors": [error]})
    nodes = [_node(path, content) for path, content in found.items() if content is not None]
    return Answer(200, {"data": {"project": {"repository": {"blobs": {"nodes": nodes}}}}})


def _node(path: str, content: bytes) -> dict[str, Any]:
    text = content.decode("utf-8", "replace")
    is_binary = b"\0" in content[:8000]
    return {"path": path, "rawTextBlob": None if is_binary else text, "size": str(len(content))}


def lint(call: Call) -> Answer:
    """Check a configuration; Developers and above."""
    from bot.sandbox.ci.lint import lint as check  # the name is taken here
    from bot.sandbox.ci.lint import no_right_to_run, refused

    call.need_level(30)
    call.require("content")
    project, is_dry = call.project, call.flag("dry_run")
    ref = _ref(call, project)
    if is_dry and git_store.resolve(project.git_dir, ref) is None:
        return Answer(200, refused("Reference not found"))
    paths = [row["path"] for row in git_store.tree(project.git_dir, ref, recursive=True) or []]

    def read(path: str) -> str | None:
        content = git_store.read(project.git_dir, ref, path)
        return content.decode("utf-8", "replace") if content is not None else None

    may_run = rights.may_run(call.project, call.user, ref)
    body = check(
        str(call.params["content"]),
        read_file=read,
        elsewhere=engine.elsewhere(call.world, call.user),
        dry_run=is_dry,
        ref=ref,
        paths=paths,
    )
    return Answer(200, body if may_run or not is_dry else no_right_to_run(ref))
