"""Merge requests: drafts, approvals and the merge itself."""

import re
import time
from collections.abc import Callable
from typing import Any

from msgspec import structs

from bot.domain import CannotError, SafeText, UnreachableError
from bot.gitlab import read
from bot.gitlab.answers import RefusedError
from bot.gitlab.merge_status import may_not_merge, not_now, why_not_mergeable
from bot.gitlab.transport import Transport
from bot.gitlab.values import Given, MergeRequest

_ROUTE = "/projects/{project}/merge_requests/{iid}"
_DRAFT = re.compile(r"^\s*(?:draft:|\[draft\]|\(draft\))\s*", re.IGNORECASE)
_MOST_PAGES = 20  # two thousand pushes
_TRANSIENT = frozenset({"unchecked", "checking", "preparing", "approvals_syncing"})


class MergeRequests:
    """Opens, reads, changes and merges merge requests."""

    transport: Transport
    sleep: Callable[[float], None]

    def merge_request(self, project_id: int, iid: int) -> MergeRequest:
        """Return a merge request; a pipeline of merged results counts as one of the head."""
        json = self.transport.read_json(_ROUTE, project=project_id, iid=iid)
        found, result = read.merge_request(json), read.merged_result(json)
        if result is None or not self.is_merge_of(project_id, result.sha, found.sha):
            return found
        return structs.replace(found, pipeline=structs.replace(result, sha=found.sha))

    def is_merge_of(self, project_id: int, sha: str, head: str) -> bool:
        """Tell whether a commit is the merge of `head` into another one, as pipelines of merged results run on it."""
        route = "/projects/{project}/repository/commits/{sha}"
        try:
            parents = self.transport.read_json(route, project=project_id, sha=sha).get("parent_ids") or ()
        except RefusedError as refused:
            if refused.status != 404:
                raise
            return False
        return list(parents[1:]) == [head]

    def settled_merge_request(
        self, project_id: int, iid: int, *, patience_seconds: float, pipeline_seconds: float = 0.0
    ) -> MergeRequest:
        """Return a merge request once GitLab knows whether it can be merged, or as it is when patience ends.

        GitLab works that out in the background after a creation, a push and each reading. The pipeline of a new head
        comes a moment after it, too: where there is none yet, it is waited for so long.
        """
        began = time.monotonic()
        wait = 0.1
        while True:
            found = self.merge_request(project_id, iid)
            is_known = found.detailed_merge_status not in _TRANSIENT
            if found.state != "opened" or (is_known and found.pipeline is not None):
                return found
            if time.monotonic() + wait > began + (pipeline_seconds if is_known else patience_seconds):
                return found
            self.sleep(wait)
            wait = min(wait * 1.7, 2.0)

    def find_open_merge_request(self, project_id: int, source_branch: str) -> MergeRequest | None:
        """Return the open merge request of a branch."""
        rows = self.transport.read_json(
            "/projects/{project}/merge_requests",
            {"source_branch": source_branch, "state": "opened"},
            project=project_id,
        )
        # A fork may have a branch of that name, too.
        own = [row for row in rows if row.get("source_project_id", project_id) == project_id]
        return read.merge_request(own[0]) if own else None

    def open_draft(
        self, project_id: int, *, source_branch: str, target_branch: str, title: str, description: SafeText
    ) -> MergeRequest:
        """Open a draft; when the branch has an open merge request already (409, or a lost answer), return that."""
        body = {
            "source_branch": source_branch,
            "target_branch": target_branch,
            "title": title,
            "description": description.markdown,
            "remove_source_branch": True,
        }
        try:
            json = self.transport.write("post", "/projects/{project}/merge_requests", body, project=project_id)
        except (UnreachableError, RefusedError) as error:
            if isinstance(error, RefusedError) and error.status != 409:
                raise
            found = self.find_open_merge_request(project_id, source_branch)
            if found is None:
                raise
            return found
        return read.merge_request(json)

    def update_merge_request(
        self,
        project_id: int,
        iid: int,
        *,
        title: str | None = None,
        description: SafeText | None = None,
        state_event: str | None = None,
    ) -> MergeRequest:
        """Change a merge request; the same change twice changes nothing, so a lost answer is asked for again."""
        body: dict[str, Any] = {
            key: value
            for key, value in (
                ("title", title),
                ("description", description.markdown if description else None),
                ("state_event", state_event),
            )
            if value is not None
        }
        try:
            json = self.transport.write("put", _ROUTE, body, project=project_id, iid=iid)
        except UnreachableError:
            json = self.transport.write("put", _ROUTE, body, project=project_id, iid=iid)
        return read.merge_request(json)

    def mark_ready(self, project_id: int, iid: int) -> MergeRequest:
        """Take the draft mark off the title; there is no other way through the API."""
        found = self.merge_request(project_id, iid)
        return self.update_merge_request(project_id, iid, title=_DRAFT.sub("", found.title))

    def approvals_given(self, project_id: int, iid: int) -> tuple[Given, ...]:
        """Return the approvals that stand now, with their times."""
        json = self.transport.read_json(_ROUTE + "/approvals", project=project_id, iid=iid)
        return tuple(read.given(row) for row in json.get("approved_by", ()))

    def heads(self, project_id: int, iid: int) -> frozenset[str]:
        """Return every commit at which a merge request has stood."""
        rows = self.transport.read_rows(_ROUTE + "/versions", most_pages=_MOST_PAGES, project=project_id, iid=iid)
        return frozenset(str(row["head_commit_sha"]) for row in rows)

    def merge(self, project_id: int, iid: int, *, sha: str, when_pipeline_succeeds: bool) -> MergeRequest:
        """Merge exactly `sha`, now or when its pipeline passes; raise CannotError with GitLab's reason.

        Whether it is merged is read from the state, never from a status code.
        """
        body: dict[str, Any] = {"sha": sha}
        if when_pipeline_succeeds:  # the name changed in 17.11; servers ignore the one they don't know
            body |= {"auto_merge": True, "merge_when_pipeline_succeeds": True}
        try:
            return read.merge_request(self.transport.write("put", _ROUTE + "/merge", body, project=project_id, iid=iid))
        except (UnreachableError, RefusedError) as error:
            now = self.merge_request(project_id, iid)
            if now.state == "merged" and now.sha == sha:
                return now
            if isinstance(error, RefusedError):
                raise CannotError(_why_not_merged(error, now, sha)) from error
            raise

    def cancel_auto_merge(self, project_id: int, iid: int) -> bool:
        """Disarm a merge that waits for its pipeline; False when it is merged already.

        Raises what GitLab answered while the merge still waits: nobody may be told that it does not. That there is
        nothing to disarm, as after the merge, GitLab says with a good status (app/services/auto_merge_service.rb).
        """
        try:
            told = self.transport.write(
                "post", _ROUTE + "/cancel_merge_when_pipeline_succeeds", {}, project=project_id, iid=iid
            )
        except (RefusedError, UnreachableError):
            now = self.merge_request(project_id, iid)
            if now.state != "merged" and now.is_armed:
                raise
            return now.state != "merged"
        return told.get("status") != "error" or self.merge_request(project_id, iid).state != "merged"


def _why_not_merged(refused: RefusedError, now: MergeRequest, sha: str) -> str:
    match refused.status:
        case 401:
            return may_not_merge(now.target_branch)
        case 405 | 406:
            return not_now(now.detailed_merge_status)
        case 409:
            return f"the head moved: `{sha[:8]}` was approved, now it is `{now.sha[:8]}`. Nothing is merged."
        case 422:
            return f"GitLab could not merge the branch: {why_not_mergeable(now.detailed_merge_status)}"
        case _:
            return str(refused)
