"""What GitLab answers, reduced to what the bot needs."""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from bot.domain import Included, Noteable, Person, ProjectRef


class Account(Struct, frozen=True, kw_only=True):
    """The account a token belongs to. `instance_url` is the address under which people know this GitLab.

    `is_admin` is told to administrators only, and says nothing of what the token may; see `acts_as_administrator`.
    """

    id: int
    username: str
    is_bot: bool = False
    is_admin: bool = False
    instance_url: str = ""


class Release(Struct, frozen=True, kw_only=True):
    """What runs at the address; `ahead_seconds` is by how much its clock is before ours, None where it is silent."""

    version: str
    ahead_seconds: float | None = None


class Project(Struct, frozen=True, kw_only=True):
    """A project; `default_branch` is None while it is empty. `tier` is the paid one it shows, empty for none.

    `ci_path` is where GitLab reads its pipeline from, empty for the usual file.
    """

    id: int
    path: str
    default_branch: str | None
    web_url: str
    is_empty: bool
    visibility: str
    is_archived: bool
    own_level: int | None = None
    tier: str = ""
    has_merge_train: bool = False
    ci_path: str = ""
    has_ci: bool = True
    has_merge_requests: bool = True


class NoteableDetails(Struct, frozen=True, kw_only=True):
    """An issue or merge request."""

    title: str
    description: str
    state: str
    is_confidential: bool
    web_url: str
    author: Person


class AwardEmoji(Struct, frozen=True, kw_only=True):
    """A reaction, by the emoji's name without colons."""

    id: int
    name: str
    author: Person
    created_at: datetime | None = None


class Given(Struct, frozen=True, kw_only=True):
    """An approval of a merge request; older GitLabs do not say when it was given."""

    person: Person
    at: datetime | None


class Todo(Struct, frozen=True, kw_only=True):
    """A mention on the account's to-do list; `is_of_description` when no note carries it.

    `author` wrote the mention, perhaps into what another had written.
    """

    id: int
    author: Person
    project: ProjectRef
    noteable: Noteable
    noteable_id: int
    noteable_created_at: str
    noteable_author: Person
    title: str
    description: str
    is_confidential: bool
    is_of_description: bool


class Note(Struct, frozen=True, kw_only=True):
    """A comment; `is_touched` when it was edited, reacted to or answered since it was written."""

    id: int
    author: Person
    body: str
    is_system: bool
    is_internal: bool
    created_at: str = ""
    is_touched: bool = False


class Pipeline(Struct, frozen=True, kw_only=True):
    """One run of a CI configuration; that of a merge request from a fork belongs to the fork's project."""

    id: int
    status: str
    ref: str
    sha: str
    web_url: str
    project_id: int | None = None
    yaml_errors: str | None = None
    created_at: datetime | None = None
    started_at: datetime | None = None


class Job(Struct, frozen=True, kw_only=True):
    """One unit of a pipeline; that of a child pipeline is named behind the job that started it, as in `api:test`.

    `has_trace` is false for a job that only starts another pipeline. `seconds` is how long it ran, by GitLab.
    """

    id: int
    name: str
    stage: str
    status: str
    web_url: str
    failure_reason: str | None = None
    may_fail: bool = False
    pipeline_id: int | None = None
    has_trace: bool = True
    tags: tuple[str, ...] = ()
    seconds: float = 0.0


class MergeRequest(Struct, frozen=True, kw_only=True):
    """A merge request; `sha` is its head, `merged_sha` the commit it became on the target branch.

    `may_merge` is about the account that asks. `is_armed` when it is to be merged as soon as its pipeline passes.
    """

    iid: int
    title: str
    state: str
    is_draft: bool
    sha: str
    source_branch: str
    target_branch: str
    detailed_merge_status: str
    web_url: str
    author: Person
    pipeline: Pipeline | None = None
    merged_sha: str | None = None
    may_merge: bool = True
    is_armed: bool = False


class Commit(Struct, frozen=True, kw_only=True):
    """A commit on a branch, and what it stands on."""

    sha: str
    parents: tuple[str, ...]


class LintResult(Struct, frozen=True, kw_only=True):
    """GitLab's own verdict on a CI configuration: of `content`, with what it became and the files that took part."""

    is_valid: bool
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    is_simulated: bool = False
    content: str = ""
    merged_yaml: str | None = None
    includes: tuple[Included, ...] = ()


HookPlace = Literal["projects", "groups"]


class Group(Struct, frozen=True, kw_only=True):
    """A group of projects; `path` is the full one."""

    id: int
    path: str


WARN_DAYS = 14


class OwnToken(Struct, frozen=True, kw_only=True):
    """What the token in use may be for, and its last day; None where it has none, or GitLab does not say."""

    scopes: tuple[str, ...] = ()
    expires_on: date | None = None

    def warning(self, today: date) -> str:
        """Say that it ends soon and what to do; nothing while there is time. GitLab takes it until that day begins."""
        if self.expires_on is None or (self.expires_on - today).days > WARN_DAYS:
            return ""
        return (
            f"the token expires on {self.expires_on}: make a new one (or rotate it), set PIPEWRIGHT_GITLAB_TOKEN, and "
            "start me again"
        )


class Hook(Struct, frozen=True, kw_only=True):
    """A configured webhook."""

    id: int
    url: str
    alert_status: str
    events: tuple[str, ...]
    has_signing_token: bool


class HookEvent(Struct, frozen=True, kw_only=True):
    """One delivery of a webhook: `status` is what was answered, or `internal error` when nobody was."""

    status: str
    at: datetime | None = None
