"""The stories that are killed at every boundary: what people do, and what has to come of it before they go on."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from bot.sandbox import acts
from bot.sandbox.state import Job, MergeRequest, Noteable, Outcome, Pipeline
from tests.crash.scene import Scene
from tests.world.scripted_ollama import action
from tests.world.town import PYTHON, Story, Town

_RED = Outcome(
    "\x1b[32;1m$ python -m pytest\x1b[0;m\nsrc/psycopg.c:9:10: fatal error: libpq-fe.h: No such file or directory\n"
    "compilation terminated.\n\x1b[31;1mERROR: Job failed: exit code 1\n\x1b[0;m",
    "script_failure",
)
_GREEN = Outcome("Job succeeded\n")
_TIMEOUT = [{"operation": "set_option", "job": "test", "name": "timeout", "value": "1h"}]
_EDIT = action("edit_pipeline", operations=_TIMEOUT)


class Tale(Story):
    """A story whose bot may be dead at any moment."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        town = Town(scene.sandbox, scene.ollama, cast(Any, None), scene.address, scene.account, itertools.count(1))
        super().__init__(town, PYTHON)

    def until(self, holds: Callable[[], bool], what: str = "what comes next in the story") -> None:  # type: ignore[override]
        self.scene.until(holds, what)

    def _is_quiet(self) -> bool:
        return self.scene.is_quiet()

    def settle(self) -> None:
        self.until(self._is_quiet, "everything comes to rest")

    def asks(self, of: Noteable, words: str, answer: str) -> None:
        """Let the developer write, and wait for the end of the order."""
        count = len(self.answers(of))
        self.comment(of, f"@pipewright {words}")
        self.until(
            lambda: self.ends(of) and any(answer in note.body for note in self.answers(of)[count:]),
            f"“{words}” is answered with “{answer}”",
        )

    def ends(self, of: Noteable) -> bool:
        """Tell whether each order there shows how it ended."""
        asked = [note for note in of.notes if note.author is not self.town.bot and "@pipewright" in note.body]
        return all({award.name for award in note.awards} & {"white_check_mark", "x"} for note in asked)

    def says(self, of: Noteable, words: str) -> None:
        self.until(lambda: any(words in note.body for note in self.answers(of)), f"“{words}” is said")

    def drafts(self) -> MergeRequest:
        """Let the developer ask for a draft, and wait until its pipeline is told."""
        issue = self.issue()
        self.asks(issue, "generate", "Here is the draft")
        self.says(issue, "passed ✅")
        return self.request

    def is_state(self, request: MergeRequest, state: str) -> Callable[[], bool]:
        return lambda: request.state == state


@dataclass(frozen=True)
class Plot:
    """A story by its name: how it goes, what the model says in it, the settings of the bot."""

    name: str
    goes: Callable[[Tale], None]
    script: Mapping[str, list[str]] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


def _merged(tale: Tale) -> None:
    """Generated, red, repaired, green, approved, merged, green."""
    tale.world.play_job = _until_repaired
    request = tale.drafts()
    assert [run.status for run in tale.project.pipelines][-1] == "success"
    tale.react(request)
    tale.until(tale.is_state(request, "merged"), "the draft is merged")
    tale.says(tale.project.issues[0], "on `main` passed")


def _until_repaired(_: Pipeline, job: Job) -> Outcome | None:
    if job.name != "test":
        return None
    return _GREEN if "libpq-dev" in str(job.config.get("before_script")) else _RED


def _armed(tale: Tale) -> MergeRequest:
    """Approved while the pipeline runs, so that the merge waits."""
    issue = tale.issue()
    tale.world.jobs_may_end.clear()
    tale.asks(issue, "generate", "Here is the draft")
    tale.react(tale.request)
    tale.until(lambda: tale.request.auto_merge_by is not None, "the merge is armed")
    tale.says(issue, "by a reaction")
    tale.until(tale.scene.is_done, "what was said is stored too")  # else taking it back comes before it is an approval
    return tale.request


def _withdrawn(tale: Tale) -> None:
    """Approved by a reaction while the pipeline runs, and taken back before it ends."""
    request = _armed(tale)
    tale.unreact(request)
    tale.until(lambda: request.auto_merge_by is None, "the merge is disarmed")
    tale.says(request, "took")
    tale.world.jobs_may_end.set()
    tale.says(tale.project.issues[0], "passed ✅")


def _pushed(tale: Tale) -> None:
    """Approved while the pipeline runs, and pushed to by somebody before it ends."""
    request = _armed(tale)
    tale.push(request.source_branch, "more.txt", "more\n")
    tale.says(request, "pushed")
    tale.world.jobs_may_end.set()


def _closed(tale: Tale) -> None:
    """Closed by a person."""
    request = tale.drafts()
    with tale.world.lock:
        acts.set_state(tale.world, request, tale.maintainer, "close")
    tale.says(tale.project.issues[0], "This draft is rejected")


def _waiting(tale: Tale) -> None:
    """Approved while the pipeline runs; GitLab merges when it has passed."""
    request = _armed(tale)
    tale.world.jobs_may_end.set()
    tale.until(tale.is_state(request, "merged"), "the draft is merged")
    tale.says(tale.project.issues[0], "on `main` passed")


def _changed(tale: Tale) -> None:
    """Talked about with the model's tools, changed by it, and the change taken back."""
    request = tale.drafts()
    tale.asks(request, "which files are there?", "Three files.")
    tale.asks(request, "please give the tests an hour", "An hour it is.")
    tale.until(lambda: "passed ✅" in tale.answer(request), "its pipeline is told")
    tale.asks(request, "undo", "Undid")
    tale.until(lambda: "passed ✅" in tale.answer(request), "its pipeline is told")


def _rejected(tale: Tale) -> None:
    """Asked after, approved by a comment of somebody who may not, rejected."""
    request = tale.drafts()
    tale.asks(request, "status", "passed ✅")
    tale.asks(request, "approve", "I can't do that")
    tale.asks(request, "reject", "Closed")
    assert request.state == "closed"


def _unheard(tale: Tale) -> None:
    """No webhook comes at all: the look around finds the order, the reaction and the ends of pipelines."""
    tale.hook.flags = {}
    issue = tale.issue()
    tale.asks(issue, "generate", "Here is the draft")
    tale.says(issue, "passed ✅")
    request = tale.request
    tale.approve(request)
    tale.until(tale.is_state(request, "merged"), "the draft is merged")
    tale.says(issue, "on `main` passed")


_TALK = {
    "which files are there?": [action("list_files", folder=""), action("final", text="Three files.")],
    "please give the tests an hour": [_EDIT, action("final", text="An hour it is.")],
}

PLOTS = (
    Plot("merged", _merged),
    Plot("withdrawn", _withdrawn),
    Plot("waiting", _waiting),
    Plot("pushed", _pushed),
    Plot("closed", _closed),
    Plot("changed", _changed, script=_TALK),
    Plot("rejected", _rejected),
    Plot("unheard", _unheard, settings={"webhooks": "off"}),
)
