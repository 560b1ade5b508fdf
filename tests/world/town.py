"""The place stories happen in: the stand-in, the scripted model and the real bot, all over HTTP on loopback."""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.parts import Parts
from bot.sandbox import acts, git_store, seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Hook, Issue, MergeRequest, Note, Noteable, Project, User
from bot.store import orders
from tests.world.scripted_ollama import ScriptedOllama

PATIENCE_SECONDS = 90.0
SECRET = "a-webhook-secret-for-tests"

PYTHON = {
    "pyproject.toml": '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n'
    '[project.optional-dependencies]\ntest = ["pytest"]\n',
    "x/__init__.py": "",
    "tests/test_x.py": "def test_one():\n    assert True\n",
}


@dataclass
class Town:
    """One running bot and its surroundings; each story has a project of its own in it."""

    sandbox: Sandbox
    ollama: ScriptedOllama
    parts: Parts
    address: str
    bot: User
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def story(self, files: Mapping[str, str] = PYTHON, **options: object) -> "Story":
        """Begin a story in a new project with these files."""
        return Story(self, files, **options)


class Story:
    """A project with people, and the means to act as them and to see what GitLab holds afterwards."""

    def __init__(
        self,
        town: Town,
        files: Mapping[str, str],
        *,
        bot_level: int = 40,
        visibility: str = "private",
        path: str | None = None,
    ) -> None:
        number = next(town.numbers)
        self.town, self.sandbox, self.world = town, town.sandbox, town.sandbox.world
        with self.world.lock:
            self.maintainer = seed.add_user(self.world, f"max{number}")
            self.developer = seed.add_user(self.world, f"mia{number}")
            self.reporter = seed.add_user(self.world, f"rob{number}")
            self.guest = seed.add_user(self.world, f"gina{number}")
            self.stranger = seed.add_user(self.world, f"sam{number}")
            roles = {self.maintainer: 40, self.developer: 30, self.reporter: 20, self.guest: 10, town.bot: bot_level}
            self.project: Project = seed.add_project(
                self.world, path or f"group{number}/app", files, roles, visibility=visibility
            )
            self.hook: Hook = seed.add_hook(self.world, self.project, town.address + "/webhooks/gitlab", token=SECRET)

    # acts

    def issue(self, title: str = "We need CI", description: str = "", **options: bool) -> Issue:
        with self.world.lock:
            return acts.open_issue(self.world, self.project, self.developer, title, description, **options)

    def comment(self, of: Noteable, body: str, *, by: User | None = None, **options: bool) -> Note:
        with self.world.lock:
            note = acts.comment(self.world, of, by or self.developer, body, **options)
        assert isinstance(note, Note)
        return note

    def ask(self, body: str, *, by: User | None = None, of: Noteable | None = None) -> str:
        """Comment on a new issue (or `of`), wait until the bot has finished, and return its last answer."""
        place = of or self.issue()
        self.comment(place, body, by=by)
        self.settle()
        return self.answer(place)

    def react(self, of: Noteable, name: str = "thumbsup", *, by: User | None = None, note: Note | None = None) -> None:
        with self.world.lock:
            acts.react(self.world, of, note, by or self.maintainer, name)

    def unreact(self, of: Noteable, name: str = "thumbsup", *, by: User | None = None) -> None:
        who = by or self.maintainer
        with self.world.lock:
            award = next(one for one in of.awards if one.user is who and one.name == name)
            acts.unreact(self.world, of, None, award)

    def approve(self, request: MergeRequest, *, by: User | None = None) -> None:
        with self.world.lock:
            acts.approve(self.world, request, by or self.maintainer)

    def push(self, branch: str, path: str, text: str, *, by: User | None = None) -> str:
        with self.world.lock:
            known = git_store.read(self.project.git_dir, branch, path) is not None
            change = {"action": "update" if known else "create", "file_path": path, "content": text}
            return acts.push(self.world, self.project, by or self.developer, branch, [change], "By hand")

    # waiting

    def settle(self) -> None:
        """Wait until webhooks, pipelines and orders have all come to an end."""
        if not self.sandbox.wait_until(self._is_quiet, PATIENCE_SECONDS):
            raise AssertionError("the bot did not come to rest: " + repr([note.body for note in self._bodies()]))

    def _is_quiet(self) -> bool:
        if self.world.busy:
            return False
        with self.town.parts.services.pool.connection() as connection:
            return orders.waiting(connection)[0] == 0 and self.world.busy == 0

    def _bodies(self) -> list[Note]:
        return [note for of in (*self.project.issues, *self.project.merge_requests) for note in of.notes]

    def until(self, holds: Callable[[], bool]) -> None:
        assert self.sandbox.wait_until(holds, PATIENCE_SECONDS), "it did not come true in time"

    @contextmanager
    def jobs_held(self) -> Iterator[None]:
        """Let no job of a pipeline end meanwhile."""
        self.world.jobs_may_end.clear()
        try:
            yield
        finally:
            self.world.jobs_may_end.set()

    def request_while_running(self) -> MergeRequest:
        """Ask for a draft and wait until it is told, while its pipeline runs."""
        issue = self.issue()
        self.comment(issue, "@pipewright generate")
        self.until(lambda: bool(self.project.pipelines) and "Here is the draft" in self.answer(issue))
        return self.request

    def approved_while_running(self) -> MergeRequest:
        """Ask for a draft, approve it while its pipeline runs, and wait until the merge is armed and that is told."""
        self.react(self.request_while_running())
        told = "GitLab merges when it"
        self.until(lambda: self.request.auto_merge_by is not None and told in self.answer(self.project.issues[0]))
        assert self.request.state == "opened"
        return self.request

    # seeing

    def answers(self, of: Noteable) -> list[Note]:
        return [note for note in of.notes if note.author is self.town.bot and not note.is_system]

    def answer(self, of: Noteable) -> str:
        """Return the bot's last words there, without the hidden mark and the link to the conversation."""
        answers = self.answers(of)
        return re.sub(r"\s*<!--.*?-->|\s*\[Open the conversation\]\([^)]*\)", "", answers[-1].body) if answers else ""

    @property
    def request(self) -> MergeRequest:
        """The only merge request."""
        assert len(self.project.merge_requests) == 1, [one.title for one in self.project.merge_requests]
        return self.project.merge_requests[0]

    def file(self, path: str, ref: str | None = None) -> str:
        content = git_store.read(self.project.git_dir, ref or self.request.source_branch, path)
        assert content is not None, f"{path} is not there"
        return content.decode()

    def head(self, branch: str) -> str:
        return git_store.head(self.project.git_dir, branch) or ""

    def drafted(self, words: str = "@pipewright generate") -> MergeRequest:
        """Let the developer ask for a draft and wait until its pipeline has run."""
        self.ask(words)
        return self.request
