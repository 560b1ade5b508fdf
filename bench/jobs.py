"""Level 7: the jobs really run, on the shell executor, one after another, each with the tools of its image."""

import os
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, structs

from bench.answers import CI_FILE
from bench.ci_local import CiLocal, as_child, build_folder
from bench.images import image_of
from bench.nearest import with_nearest
from bench.programs import run
from bench.rooms import Rooms
from bench.toolchains import SYSTEM_PATH, Toolchain, toolchain
from bench.verdicts import Verdict, outside_cause, plain, tests_run
from bot.ci.children import is_pipeline

# What a package client may need to reach its registry; everything else of this process's environment stays here.
_PASSED_ON = (
    "PIP_",
    "NPM_CONFIG_",
    "npm_config_",
    "UV_",
    "GO",
    "CARGO_",
    "RUSTUP_",
    "SSL_",
    "NODE_EXTRA",
    "LANG",
    "TZ",
)
_HOME_FILES = {"NPM_CONFIG_USERCONFIG": ".npmrc", "RUSTUP_HOME": ".rustup", "PIP_CONFIG_FILE": ".config/pip/pip.conf"}
TAIL = 25


class JobRun(Struct, frozen=True, kw_only=True):
    """How one job went. `tests` counts the tests that its log tells of.

    Of a red job `own` says how the project's own commands for the same thing went here, "" when they were not asked.
    """

    name: str
    image: str
    verdict: Verdict
    seconds: float = 0.0
    tests: int = 0
    cause: str = ""
    tail: str = ""
    own: str = ""

    @property
    def is_red_by_hand(self) -> bool:
        """Whether the machine cannot make the project's own commands green either."""
        return self.own.startswith("red here too")


class Job(Struct, frozen=True, kw_only=True):
    """A job as gitlab-ci-local knows it, with the file of its pipeline where that is a child."""

    name: str
    body: Mapping[str, object]
    child: str = ""

    @property
    def label(self) -> str:
        """The one name that no other job of the proposal has."""
        return f"{self.child}:{self.name}" if self.child else self.name


class _Place(Struct, frozen=True, kw_only=True):
    """What a job is given of this machine."""

    environment: dict[str, str] = {}
    differs: str = ""
    is_missing: bool = False


class Machine(Struct, frozen=True, kw_only=True):
    """Where jobs run: the tool, a cache that stays and a time limit for each job.

    With `rooms` each job has a system of its own like its image; without, it runs in this one with the image's tools.
    """

    ci_local: CiLocal
    cache: Path
    limit: float
    rooms: Rooms | None = None
    is_nearest: bool = False
    tail: int = TAIL

    def run_all(self, checkout: Path, files: Mapping[str, str], scratch: Path) -> list[JobRun]:
        """Run every job of a pipeline and of its children that needs no hand, in order, in a copy of the checkout."""
        usable, note = self.usable(files)
        copy = copied(checkout, usable, scratch)
        runs = [self.run_one(copy, job, scratch) for job in self.jobs(copy, usable)]
        return [structs.replace(run, cause=run.cause or note) for run in runs]

    def jobs(self, copy: Path, files: Mapping[str, str]) -> list[Job]:
        """Return the jobs that run by themselves; those that only start a child stand for the child's."""
        children = [path for path in files if is_pipeline(path) and path != CI_FILE]
        found = [Job(name=name, body=body) for name, body in self.ci_local.jobs(copy).items() if "trigger" not in body]
        for child in children:
            own = self.ci_local.jobs(copy, child)
            found += [Job(name=name, body=body, child=child) for name, body in own.items()]
        return [job for job in found if job.body.get("when") not in {"manual", "never"}]

    def usable(self, files: Mapping[str, str]) -> tuple[dict[str, str], str]:
        """Return the files for this machine's toolchains, if that was asked for, and what was changed."""
        text, note = with_nearest(files.get(CI_FILE, "")) if self.is_nearest else ("", "")
        return ({**files, CI_FILE: text} if note else dict(files)), note

    def run_one(self, copy: Path, job: Job, scratch: Path) -> JobRun:
        """Run one job of a copy."""
        image = _image(job.body)
        place = self._furnished(image, scratch, job.label)
        if place.is_missing:
            return JobRun(name=job.label, image=image, verdict="not run", cause=place.differs)
        # Without a remote the tool says /builds/…; what is written there would be shared between repositories.
        folder = f"CI_PROJECT_DIR={scratch / 'state/builds' / build_folder(job.name)}"
        how = ["--force-shell-executor", "--shell-isolation", "--state-dir", "../state", "--variable", folder]
        how += as_child(job.child) if job.child else []
        started = time.monotonic()
        ran = self.ci_local.ask([job.name, *how], copy, limit=self.limit, environment=place.environment)
        seconds = round(time.monotonic() - started, 1)
        verdict, cause = _verdict(ran.code, ran.said, place.differs, is_late=ran.is_late)
        return JobRun(
            name=job.label,
            image=image,
            verdict=verdict,
            seconds=seconds,
            tests=tests_run(ran.said),
            cause=cause,
            tail="" if verdict == "green" else plain(ran.tail(self.tail)),
        )

    def _furnished(self, image: str, scratch: Path, name: str) -> _Place:
        own = scratch / "tools" / re.sub(r"[^\w.-]", "_", name)
        if self.rooms is None:
            tools = toolchain(image, self.cache, own)
            environ = {} if tools.is_missing else environment(tools, self.cache, scratch)
            return _Place(environment=environ, differs=tools.differs, is_missing=tools.is_missing)
        furnished = image_of(image, self.cache)
        if furnished.is_missing:
            return _Place(differs=furnished.differs, is_missing=True)
        shell = self.rooms.shell(furnished, own, scratch)
        path = os.pathsep.join([str(shell), *SYSTEM_PATH])
        return _Place(environment={"PATH": path, "HOME": "/root", "CI": "true"}, differs=furnished.differs)


def copied(checkout: Path, files: Mapping[str, str], scratch: Path) -> Path:
    """Copy a checkout, with its tags, and commit the proposed files into the copy."""
    shutil.rmtree(scratch, ignore_errors=True)
    copy = scratch / "repository"
    if not _cloned(checkout, copy):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(checkout, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        run(["git", "init", "-q", "-b", "main", str(copy)], limit=60)
    for path, text in files.items():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        (copy / path).write_text(text, encoding="utf-8")
    commit(copy, "Propose a pipeline")
    return copy


def _cloned(checkout: Path, copy: Path) -> bool:
    """Clone; a plain folder cannot be cloned, nor can a partial or shallow history that lacks objects."""
    if not (checkout / ".git").exists():
        return False
    if run(["git", "clone", "-q", "--no-local", str(checkout), str(copy)], limit=120).code != 0:
        return False
    git = ["git", "-C", str(copy)]
    if run([*git, "symbolic-ref", "-q", "HEAD"], limit=30).code != 0:
        # A checkout of a bare commit has no branch, which gitlab-ci-local asks for what a change touches.
        run([*git, "checkout", "-q", "-B", "main"], limit=30)
        run([*git, "update-ref", "refs/remotes/origin/main", "HEAD"], limit=30)
    return True


def commit(copy: Path, message: str) -> None:
    """Commit everything: gitlab-ci-local hands only tracked files to a job."""
    run(["git", "-C", str(copy), "add", "-A", "-f", "."], limit=60)
    person = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    run(["git", "-C", str(copy), *person, "commit", "-q", "--allow-empty", "-m", message], limit=60)


def environment(tools: Toolchain, cache: Path, scratch: Path) -> dict[str, str]:
    """Return what a job may know of this machine: a home of its own and the way to the registries."""
    home = scratch / "home"
    home.mkdir(parents=True, exist_ok=True)
    known = {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}
    known |= {name: str(Path.home() / file) for name, file in _HOME_FILES.items() if (Path.home() / file).exists()}
    path = [*(str(folder) for folder in tools.path), *SYSTEM_PATH]
    return known | {
        "PATH": os.pathsep.join(path),
        "HOME": str(home),
        "CI": "true",
        "DEBIAN_FRONTEND": "noninteractive",
        "GOTOOLCHAIN": "local",
        "GOPATH": str(cache / "gopath"),
        "NPM_CONFIG_PREFIX": str(tools.path[0].parent) if tools.path else str(home),
        "npm_config_manage_package_manager_versions": "false",
        "COREPACK_INTEGRITY_KEYS": "0",
    }


def _image(body: Mapping[str, object]) -> str:
    image = body.get("image", "")
    return str(image.get("name", "")) if isinstance(image, dict) else str(image)


def _verdict(code: int, log: str, differs: str, *, is_late: bool) -> tuple[Verdict, str]:
    if is_late:
        return "red: project or machine", "not done in time"
    if code == 0:
        return "green", differs
    cause = outside_cause(log, differs)
    return ("red: project or machine", cause) if cause else ("red: us", "")
