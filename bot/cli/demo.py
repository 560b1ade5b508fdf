"""Plays the whole story on loopback: a comment, a draft, its pipeline, an approval, the merge, the status."""

import json
import logging
import secrets
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from bot import logs
from bot.domain import CannotError
from bot.main import listen, running
from bot.parts import open_parts
from bot.sandbox import acts, sample, seed
from bot.sandbox.oauth.records import add_application
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Issue, MergeRequest, Note, Pipeline, Project, User
from bot.settings import Settings, read_settings

_PATIENCE_SECONDS = 60.0
_COMMITS_SINCE_TAG = 25  # more than the twenty that a runner fetches
_ORDER = "@pipewright please set up CI for this project"


@dataclass
class Timeline:
    """What happened, with the seconds since the last step and since the comment."""

    console: Console
    steps: list[dict[str, object]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    def restart(self) -> None:
        """Let the clock of the story begin now."""
        self.began = self.last = time.monotonic()

    def tell(self, name: str, words: str) -> None:
        """Note one step and show it."""
        moment = time.monotonic()
        took, total = moment - self.last, moment - self.began
        self.last = moment
        self.steps.append({"step": name, "seconds": round(took, 3), "at": round(total, 3), "detail": words})
        line = f"[green]✓[/] [dim]{total:6.2f} s[/]  {escape(words)}"
        self.console.print(line, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class Scene:
    """Who and what the story is about."""

    sandbox: Sandbox
    project: Project
    issue: Issue
    asker: User
    maintainer: User
    bot: User


def demo(once: bool, json_file: Path | None, *, run_jobs: bool = False) -> None:
    """Play the story; with `once` end after it. Raises CannotError unless it ended merged and green.

    With `run_jobs` it is the story of a project whose first pipeline fails for a reason that only running shows.
    """
    if run_jobs:
        _require_tools()
    logs.configure("console", level=logging.ERROR)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # either way everything is closed and cleared away
    console = Console()
    timeline = Timeline(console)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pipewright-demo-")))
        with console.status("Starting PostgreSQL, Chroma, the GitLab stand-in and the bot …"):
            scene, address = _start(stack, folder, run_jobs=run_jobs)
        timeline.tell("started", "PostgreSQL, Chroma, the GitLab stand-in and the bot run on loopback")
        try:
            _play(scene, timeline, console, run_jobs=run_jobs)
        finally:
            if json_file is not None:
                json_file.write_text(json.dumps(timeline.steps, indent=2) + "\n", encoding="utf-8")
        if not once:
            _stay(console, scene, address)


def _require_tools() -> None:
    missing = [tool for tool in ("git", "make", "cc") if shutil.which(tool) is None]
    if missing:
        raise CannotError(f"to run jobs this machine needs {', '.join(missing)}; the plain demo simulates them.")


def _start(stack: ExitStack, folder: Path, *, run_jobs: bool) -> tuple[Scene, str]:
    sandbox = Sandbox(folder / "gitlab", run_jobs=run_jobs)
    stack.callback(sandbox.stop)
    sandbox.start()
    world = sandbox.world
    mia, max_ = seed.add_user(world, "mia", "Mia Developer"), seed.add_user(world, "max", "Max Maintainer")
    guest, bot = seed.add_user(world, "gina", "Gina Guest"), seed.add_user(world, "pipewright", is_bot=True)
    token = seed.add_token(world, bot)
    roles = {max_: 40, mia: 30, guest: 10, bot: 40}
    path, files = ("demo/stopwatch", sample.STOPWATCH) if run_jobs else ("demo/teatimer", sample.FILES)
    project = seed.add_project(world, path, files, roles)
    if run_jobs:
        seed.add_history(project, max_, tag="v1.2", commits=_COMMITS_SINCE_TAG)
    secret = secrets.token_urlsafe(24)
    listening = stack.enter_context(listen("127.0.0.1", 0))
    own_address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    application = add_application(world, f"{own_address}/sign-in/callback", "read_api")
    signing_in = {
        "PUBLIC_URL": own_address,
        "OAUTH_CLIENT_ID": application.uid,
        "OAUTH_CLIENT_SECRET": application.secret,
    }
    parts = stack.enter_context(open_parts(_settings(sandbox.url, token.value, secret, folder, signing_in)))
    address = stack.enter_context(running(parts, listening=listening))
    seed.add_hook(world, project, f"{address}/webhooks/gitlab", token=secret)
    with world.lock:
        issue = acts.open_issue(world, project, mia, "We have no CI", "Every merge is a leap of faith.")
    return Scene(sandbox, project, issue, mia, max_, bot), address


def _settings(gitlab_url: str, token: str, secret: str, folder: Path, more: dict[str, str]) -> Settings:
    """The environment of whoever runs the demonstration must not reach into it."""
    values = {"GITLAB_URL": gitlab_url, "GITLAB_TOKEN": token, "WEBHOOK_SECRET": secret, "DATA_DIR": str(folder)}
    values |= {"OLLAMA_URL": "http://127.0.0.1:9", **more}
    return read_settings({f"PIPEWRIGHT_{name}": value for name, value in values.items()}, env_file=None)


def _play(scene: Scene, timeline: Timeline, console: Console, *, run_jobs: bool) -> None:
    order = _ask(scene, timeline)
    _watch_reply(scene, order, timeline)
    request = _draft(scene, timeline)
    if run_jobs:
        _repaired(scene, timeline)
    _told_green(scene, timeline)
    _approve(scene, request, timeline)
    _ask_status(scene, timeline)
    seconds = next(step["at"] for step in timeline.steps if step["step"] == "merged")
    how = "ran on this machine" if run_jobs else "were simulated"
    console.print(f"\nFrom the comment to the merge: [bold]{seconds} s[/] (the jobs {how}).", highlight=False)


def _ask(scene: Scene, timeline: Timeline) -> Note:
    timeline.restart()
    order = _comment(scene, _ORDER)
    timeline.tell("asked", f"{scene.asker.username} comments on issue #{scene.issue.iid}: “{_ORDER}”")
    hook = scene.project.hooks[0]
    _until(scene, "the webhook to be answered", lambda: bool(hook.deliveries and hook.deliveries[-1].status))
    timeline.tell("webhook", f"the webhook is answered with {hook.deliveries[-1].status}")
    _until(scene, "👀 on the comment", lambda: any(award.name == "eyes" for award in order.awards))
    timeline.tell("seen", "👀 on the comment")
    return order


def _comment(scene: Scene, words: str) -> Note:
    world = scene.sandbox.world
    with world.lock:
        note = acts.comment(world, scene.issue, scene.asker, words)
    assert isinstance(note, Note)  # these words are no quick action
    return note


def _answers(scene: Scene) -> list[Note]:
    return [note for note in scene.issue.notes if note.author is scene.bot]


def _watch_reply(scene: Scene, order: Note, timeline: Timeline) -> None:
    """Tell each stage of the one reply until it shows the draft."""
    shown = ""
    while "Here is the draft" not in shown:
        known = shown
        _until(scene, "the next stage of the reply", lambda: _body(scene) not in ("", known))  # noqa: B023
        shown = _body(scene)
        timeline.tell("reply", "the reply says: " + shown.split("\n", 1)[0][:110])


def _body(scene: Scene) -> str:
    answers = _answers(scene)
    return answers[0].body if answers else ""


def _draft(scene: Scene, timeline: Timeline) -> MergeRequest:
    request = scene.project.merge_requests[-1]
    with scene.sandbox.world.lock:
        files = sorted(scene.sandbox.changed_files(request))
    timeline.tell("draft", f"draft merge request !{request.iid} with {', '.join(files)}")
    runs = scene.project.pipelines
    _until(scene, "the draft's pipeline", lambda: bool(runs and runs[0].finished_at))
    timeline.tell("pipeline", f"its pipeline is {_jobs(runs[0])}")
    return request


def _jobs(run: Pipeline) -> str:
    return f"{run.status}: " + ", ".join(f"{job.name} {job.status}" for job in run.jobs)


def _repaired(scene: Scene, timeline: Timeline) -> None:
    """Tell how the red pipeline is explained and mended before anybody looks."""
    runs = scene.project.pipelines
    if runs[0].status != "failed":
        raise CannotError("the story stopped: the first pipeline should have failed, for its tags are not fetched.")
    _until(scene, "the repair", lambda: "I changed" in _body(scene))
    lines = _body(scene).split("\n")
    found = next(line for line in lines if line.startswith("**"))
    timeline.tell("explained", "the reply explains: " + found.replace("*", "").replace("`", ""))
    changed = next(line for line in lines if "I changed" in line)
    timeline.tell("repaired", "and mends it: " + changed.replace("`", ""))
    _until(scene, "the second pipeline", lambda: len(runs) > 1 and runs[1].finished_at is not None)
    timeline.tell("pipeline", f"the pipeline of the repaired draft is {_jobs(runs[1])}")


def _told_green(scene: Scene, timeline: Timeline) -> None:
    _until(scene, "the reply to tell of the pipeline", lambda: "pipeline" in _body(scene) and "✅" in _body(scene))
    timeline.tell("told", "the reply tells of it")


def _approve(scene: Scene, request: MergeRequest, timeline: Timeline) -> None:
    world = scene.sandbox.world
    with world.lock:
        acts.react(world, request, None, scene.maintainer, "thumbsup")
    timeline.tell("approved", f"{scene.maintainer.username}, a maintainer, reacts with 👍 to !{request.iid}")
    _until(scene, "the merge", lambda: request.state == "merged")
    timeline.tell("merged", f"merged as {str(request.merge_commit_sha)[:8]}")
    runs = scene.project.pipelines
    _until(scene, "the pipeline of main", lambda: runs[-1].ref == "main" and runs[-1].finished_at is not None)
    if runs[-1].status != "success":
        raise CannotError(f"the story ended with a pipeline that is {runs[-1].status}.")
    timeline.tell("green", "the pipeline of main is success")


def _ask_status(scene: Scene, timeline: Timeline) -> None:
    _comment(scene, "@pipewright status")
    _until(scene, "the status", lambda: len(_answers(scene)) > 1 and "Merged" in _answers(scene)[-1].body)
    words = " ".join(_answers(scene)[-1].body.split("<!--")[0].split())
    timeline.tell("status", f"“@pipewright status” is answered: {words[:200]}")


def _until(scene: Scene, what: str, holds: Callable[[], bool]) -> None:
    if not scene.sandbox.wait_until(holds, _PATIENCE_SECONDS):
        last = _body(scene).split("<!--")[0].strip()
        raise CannotError(f"the story stopped: waited {_PATIENCE_SECONDS:.0f} s for {what}. The reply says: {last!r}")


def _stay(console: Console, scene: Scene, address: str) -> None:
    url, path = scene.sandbox.url, scene.project.path
    console.print(
        "\nEverything stays up; open these and play (choose who you are at the top of the page, and when you sign in):"
    )
    console.print(f"  the issue          {url}/{path}/-/issues/{scene.issue.iid}", highlight=False)
    console.print(f"  the merge request  {url}/{path}/-/merge_requests/1", highlight=False)
    console.print(f"  the bot's history  {address}/", highlight=False)
    console.print("Ctrl+C ends it.")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
