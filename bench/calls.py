"""Counts the calls to GitLab that orders of each kind take: every one that reaches the stand-in is counted."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from bot.sandbox import acts, seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Issue, Job, Note, Outcome, Pipeline, Project, User

_FILES = {
    "pyproject.toml": '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.12"\n'
    '[project.optional-dependencies]\ntest = ["pytest", "psycopg2"]\n',
    "x/__init__.py": "",
    "tests/test_x.py": "def test_one():\n    assert True\n",
}
_MISSING = Outcome("src/psycopg.c:9:10: fatal error: libpq-fe.h: No such file or directory\n", "script_failure")
_OPENED, _COMMITTED = "/merge_requests", "/repository/commits"


class Calls(Struct, frozen=True, kw_only=True):
    """The calls that one kind of order took, as method and path; `most` is the bound that was promised, if any."""

    kind: str
    made: list[str]
    most: int | None = None


@dataclass(frozen=True)
class Scene:
    """A stand-in with a running bot beside it. `settle` waits until hooks, pipelines and orders have come to an end."""

    sandbox: Sandbox
    bot: User
    hook_address: str
    hook_token: str
    settle: Callable[[], None]

    def during(self, act: Callable[[], object]) -> list[str]:
        """Return the calls between an act and the end of all that follows from it."""
        before = len(self.sandbox.calls)
        with self.sandbox.world.lock:
            act()
        self.settle()
        return self.sandbox.calls[before:]


class _People:
    def __init__(self, scene: Scene, name: str) -> None:
        world = scene.sandbox.world
        with world.lock:
            self.developer, self.maintainer = seed.add_user(world, f"dora-{name}"), seed.add_user(world, f"mark-{name}")
            members = {self.developer: 30, self.maintainer: 40, scene.bot: 40}
            self.project: Project = seed.add_project(world, f"counted-{name}/app", _FILES, members)
            seed.add_hook(world, self.project, scene.hook_address, token=scene.hook_token)
            self.issue: Issue = acts.open_issue(world, self.project, self.developer, "We need CI", "")


def count(scene: Scene) -> list[Calls]:
    """Let people give one order of each kind in a new project; return what each took."""
    who = _People(scene, "orders")
    world = scene.sandbox.world

    def say(text: str, by: User) -> list[str]:
        return scene.during(lambda: _said(acts.comment(world, who.issue, by, text)))

    talk = say("I think that this is fine.", who.developer)
    helped = say("@pipewright help", who.developer)
    whole = say("@pipewright generate", who.developer)
    status = say("@pipewright status", who.developer)
    request = who.project.merge_requests[0]
    approved = scene.during(lambda: acts.react(world, request, None, who.maintainer, "thumbsup"))
    assert request.state == "merged", "the approval merged nothing, so its calls would mean nothing"
    return [
        Calls(kind="a comment that is no order", made=talk, most=0),
        Calls(kind="help", made=helped),
        Calls(kind="status", made=status, most=6),
        Calls(kind="from the mention to the open draft", made=_until(whole, _OPENED), most=12),
        Calls(kind="from the mention to the draft's commit", made=_until(whole, _COMMITTED), most=12),
        Calls(kind="from the mention to the answer about the green pipeline", made=whole),
        Calls(kind="from the approval to the answer about the merge", made=approved),
        Calls(kind="from the mention over a red pipeline and its repair to green", made=_repair(scene)),
    ]


def _until(made: list[str], last: str) -> list[str]:
    number = next(number for number, call in enumerate(made, 1) if call.startswith("POST ") and call.endswith(last))
    return made[:number]


def _repair(scene: Scene) -> list[str]:
    who, world = _People(scene, "repair"), scene.sandbox.world

    def played(pipeline: Pipeline, job: Job) -> Outcome | None:
        is_mended = any("libpq-dev" in str(line) for line in job.config.get("before_script") or [])
        return _MISSING if pipeline.project is who.project and job.name == "test" and not is_mended else None

    world.play_job = played
    try:
        made = scene.during(lambda: _said(acts.comment(world, who.issue, who.developer, "@pipewright generate")))
    finally:
        world.play_job = lambda _pipeline, _job: None
    assert [run.status for run in who.project.pipelines] == ["failed", "success"], "there was nothing to repair"
    return made


def _said(note: object) -> None:
    assert isinstance(note, Note)  # none of the words is a quick action
