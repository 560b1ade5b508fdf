"""What the stand-in knows: plain records under one lock."""

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from bot.sandbox.faults import Faults

NoteableKind = Literal["issue", "merge_request"]

# app/models/concerns/web_hooks/auto_disabling.rb
_FAILURES_ALLOWED = 3
_PERMANENT_FAILURES = 40


def now() -> datetime:
    """Return the time, to the millisecond, in UTC."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(eq=False)
class User:
    """An account."""

    id: int
    username: str
    name: str
    is_bot: bool = False
    state: str = "active"
    is_admin: bool = False
    is_external: bool = False


@dataclass
class Token:
    """An access token of a user."""

    value: str
    user: User
    scopes: tuple[str, ...]
    created_at: datetime = field(default_factory=now)
    expires_at: datetime | None = None
    is_revoked: bool = False
    is_oauth: bool = False


@dataclass
class Award:
    """A reaction."""

    id: int
    name: str
    user: User
    created_at: datetime = field(default_factory=now)


@dataclass
class Note:
    """A comment; `discussion_id` is shared by the notes of a thread."""

    id: int
    author: User
    body: str
    discussion_id: str
    kind: str | None = None
    is_system: bool = False
    is_internal: bool = False
    awards: list[Award] = field(default_factory=list)
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    edited_at: datetime | None = None

    def __post_init__(self) -> None:
        """Nothing has happened to it since."""
        self.updated_at = self.created_at


@dataclass
class Noteable:
    """What issues and merge requests share."""

    id: int
    iid: int
    project: "Project"
    author: User
    title: str
    description: str
    state: str = "opened"
    is_confidential: bool = False
    notes: list[Note] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)

    kind: NoteableKind = field(default="issue", init=False)


@dataclass
class Issue(Noteable):
    """An issue."""


@dataclass
class MergeRequest(Noteable):
    """A merge request; `unsettled_reads` counts how often it still answers that it is being checked.

    `fork` is the project its branch lies in when that is another one; what comes from there is never merged here.
    `versions` are the heads it has had since it was opened, oldest first.
    """

    source_branch: str = ""
    target_branch: str = ""
    approvals: list[tuple[User, datetime]] = field(default_factory=list)
    unsettled_reads: int = 2
    auto_merge_by: User | None = None
    merged_by: User | None = None
    merge_commit_sha: str | None = None
    merged_onto: str | None = None
    last_sha: str = ""
    versions: list[tuple[str, datetime]] = field(default_factory=list)
    remove_source_branch: bool = False
    fork: "Project | None" = None

    def __post_init__(self) -> None:
        """Say what it is."""
        self.kind = "merge_request"

    def stands_at(self, sha: str) -> None:
        """Take a new head."""
        self.last_sha, self.updated_at = sha, now()
        self.versions.append((sha, self.updated_at))


@dataclass
class Todo:
    """Something on an account's to-do list; `note` is None for a mention in a description."""

    id: int
    user: User
    author: User
    target: Noteable
    note: Note | None
    action: str = "mentioned"
    state: str = "pending"
    created_at: datetime = field(default_factory=now)


@dataclass
class Job:
    """A unit of a pipeline."""

    id: int
    name: str
    stage: str
    config: dict[str, Any]
    status: str = "created"
    when: str = "on_success"
    allow_failure: bool = False
    needs: list[str] | None = None
    failure_reason: str | None = None
    trace: str = ""
    created_at: datetime = field(default_factory=now)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    child: "Pipeline | None" = None


@dataclass(frozen=True)
class Outcome:
    """How a job ended: well without a `failure_reason`."""

    trace: str = ""
    failure_reason: str | None = None


@dataclass
class Pipeline:
    """One run of a CI configuration; `source_sha` is the head whose merge it runs on, for one of merged results."""

    id: int
    iid: int
    project: "Project"
    user: User
    ref: str
    sha: str
    source: str
    status: str = "created"
    source_sha: str | None = None
    merge_request: MergeRequest | None = None
    jobs: list[Job] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)
    yaml_errors: str | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    finished_at: datetime | None = None


@dataclass
class Delivery:
    """One POST of a webhook."""

    event: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    created_at: datetime = field(default_factory=now)


@dataclass
class Hook:
    """A webhook of a project; `flags` are its `…_events`."""

    id: int
    url: str
    token: str | None = None
    signing_token: str | None = None
    flags: dict[str, bool] = field(default_factory=dict)
    verifies_tls: bool = True
    failures: int = 0
    disabled_until: datetime | None = None
    deliveries: list[Delivery] = field(default_factory=list)
    overtaken: list[Delivery] = field(default_factory=list)
    created_at: datetime = field(default_factory=now)

    @property
    def alert_status(self) -> str:
        """Whether GitLab still calls it."""
        if self.failures >= _PERMANENT_FAILURES:
            return "disabled"
        is_waiting = self.disabled_until is not None and self.disabled_until > now()
        return "temporarily_disabled" if is_waiting else "executable"

    def count(self, *, succeeded: bool) -> None:
        """Count how a call ended: the fourth failure in a row disables for a minute, each more for twice as long."""
        self.failures = 0 if succeeded else self.failures + 1
        over = self.failures - _FAILURES_ALLOWED
        self.disabled_until = now() + min(timedelta(minutes=2 ** (over - 1)), timedelta(days=1)) if over > 0 else None


def _covers(name: str, branch: str) -> bool:
    return re.fullmatch(re.escape(name).replace(r"\*", ".*"), branch) is not None


@dataclass
class Protection:
    """The rule of a protected branch: the lowest role that may push and merge (0: no one), and single people."""

    push: int = 40
    merge: int = 40
    mergers: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Runner:
    """A runner that a project may use. `executor` is what it said of itself last, None before it ever did.

    One with `has_any_tag` takes whatever jobs there are, which keeps stories about other things going.
    """

    scope: str = "instance"
    tags: tuple[str, ...] = ()
    takes_untagged: bool = True
    executor: str | None = "docker"
    status: str = "ONLINE"
    is_paused: bool = False
    has_any_tag: bool = False

    def takes(self, tags: set[str]) -> bool:
        """Tell whether it works now on jobs with these tags."""
        if self.status != "ONLINE" or self.is_paused:
            return False
        return self.has_any_tag or (tags <= set(self.tags) if tags else self.takes_untagged)


def _one_runner() -> list[Runner]:
    return [Runner(has_any_tag=True)]


@dataclass
class Project:
    """A project with its bare repository. `memberships` has the `expires_at` or `membership_state` of some members.

    Of paid plans: `has_merged_results` lets pipelines of merge requests, drafts too, run on the merge into the target;
    `message_rule` is a pattern for commit messages (a push rule), `approvals_needed` by how many people a merge request
    has to be approved in GitLab, `has_merge_train` whether armed merges wait in line; `trains` counts those that did.
    """

    id: int
    path: str
    git_dir: Path
    visibility: str = "private"
    default_branch: str | None = "main"
    is_archived: bool = False
    ci_config_path: str = ""
    off: tuple[Literal["builds", "merge_requests"], ...] = ()
    only_merge_when_green: bool = False
    merge_method: Literal["merge", "ff"] = "merge"
    message_rule: str | None = None
    approvals_needed: int = 0
    has_merge_train: bool = False
    has_merged_results: bool = False
    trains: int = 0
    members: dict[int, int] = field(default_factory=dict)
    memberships: dict[int, dict[str, str]] = field(default_factory=dict)
    protected: dict[str, Protection] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    merge_requests: list[MergeRequest] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    hooks: list[Hook] = field(default_factory=list)
    runners: list[Runner] = field(default_factory=_one_runner)
    created_at: datetime = field(default_factory=now)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    def rules_for(self, branch: str) -> list[Protection]:
        """Return every rule that covers a branch, by its name or by a wildcard."""
        return [rule for name, rule in self.protected.items() if _covers(name, branch)]

    def noteables(self, kind: NoteableKind) -> list[Noteable]:
        """Return the issues or the merge requests."""
        return [*(self.issues if kind == "issue" else self.merge_requests)]

    def noteable(self, kind: NoteableKind, iid: int) -> Noteable | None:
        """Return one issue or merge request."""
        return next((one for one in self.noteables(kind) if one.iid == iid), None)


@dataclass
class Group:
    """A group; projects and subgroups are its own by their paths. Webhooks of groups are a paid feature."""

    id: int
    path: str
    members: dict[int, int] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)

    def holds(self, project: Project) -> bool:
        """Tell whether a project lies in the group or below it."""
        return project.path.lower().startswith(self.path.lower() + "/")


def _open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate


@dataclass
class World:
    """Everything there is. Whoever reads or changes it holds `lock`. For the faults see `faults.Plan`.

    Simulated jobs do not end while `jobs_may_end` is clear; `play_job` may say how one ends. Each of `before_call`
    hears of a call to the API, method and path, just before it is answered: whoever races with the bot acts there.
    `tier` is None for the Community Edition. `allows_local_hooks` is the administrator's word on webhooks into local
    networks. `clock_ahead` is by how much its clock is wrong. While `makes_pipelines` is false, none is made yet, as
    when GitLab's background jobs lag behind.
    `remote_files` is all that other servers hold, by address.
    """

    data_dir: Path
    base_url: str = ""
    version: str = "19.0.0"
    tier: str | None = "free"
    run_jobs: bool = False
    job_seconds: float = 0.05
    users: dict[int, User] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    projects: dict[int, Project] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    has_paid_plan: bool = False
    remote_files: dict[str, str] = field(default_factory=dict)
    todos: list[Todo] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    unsettled_reads: int = 2
    hooks_switch_off: bool = True
    allows_local_hooks: bool = True
    clock_ahead: timedelta = timedelta(0)
    makes_pipelines: bool = True
    oauth: object = None
    unknown_routes: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(100))
    busy: int = 0
    play_job: Callable[[Pipeline, Job], "Outcome | None"] = lambda _pipeline, _job: None
    jobs_may_end: threading.Event = field(default_factory=_open_gate)
    in_background: Callable[[Callable[[], None]], None] = lambda work: work()
    before_call: list[Callable[[str, str], None]] = field(default_factory=list)
    after_pipeline: list[Callable[[Pipeline], None]] = field(default_factory=list)

    @property
    def knows_signing(self) -> bool:
        """Whether this version signs webhooks; older ones ignore the signing token without a word."""
        return self.is_since(19, 0)

    def is_since(self, major: int, minor: int) -> bool:
        """Tell whether this version is that one or a newer one."""
        numbers = self.version.split("-")[0].split(".")
        return (int(numbers[0]), int(numbers[1])) >= (major, minor)

    def next_id(self) -> int:
        """Return an id nobody has."""
        return next(self.counter)

    def user_named(self, username: str) -> User | None:
        """Return an account by its name; case does not matter."""
        return next((user for user in self.users.values() if user.username.lower() == username.lower()), None)

    def project_at(self, path_or_id: str) -> Project | None:
        """Return a project by its path or id."""
        if path_or_id.isdigit():
            return self.projects.get(int(path_or_id))
        return next((one for one in self.projects.values() if one.path.lower() == path_or_id.lower()), None)

    def group_at(self, path_or_id: str) -> Group | None:
        """Return a group by its path or id."""
        if path_or_id.isdigit():
            return self.groups.get(int(path_or_id))
        return next((one for one in self.groups.values() if one.path.lower() == path_or_id.lower()), None)

    def hooks_of(self, project: Project) -> list[Hook]:
        """Return every webhook that hears of a project: its own and those of the groups it lies in."""
        return [
            *project.hooks,
            *(hook for group in self.groups.values() if group.holds(project) for hook in group.hooks),
        ]
