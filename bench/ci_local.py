"""gitlab-ci-local: brought from npm into a cache folder by the bench itself, asked under a time limit."""

import base64
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from msgspec import Struct

from bench.programs import Ran, run

VERSION = "4.75.1"
NODE = "24"
LIMIT = 20.0
# For a second try with nothing beside it.
PATIENT_LIMIT = 180.0


class MissingError(Exception):
    """A program the bench needs is not on this machine; the message says which and what to do."""


class RefusedError(Exception):
    """A checkout cannot be copied, or gitlab-ci-local does not take its pipeline: none of its jobs can run."""


class LateError(RefusedError):
    """There was no answer in time, which on a busy machine says nothing yet."""


class CiLocal(Struct, frozen=True, kw_only=True):
    """An installed gitlab-ci-local, the Node that runs it, and the seconds that a question may take."""

    node: Path
    script: Path
    limit: float = LIMIT

    def ask(
        self,
        arguments: Sequence[str],
        cwd: Path,
        *,
        limit: float = 0.0,
        environment: Mapping[str, str] | None = None,
    ) -> Ran:
        """Run it in a checkout. It hangs for ever on a cycle of `needs`, so a late answer is an answer too."""
        command = [str(self.node), str(self.script), *arguments]
        return run(command, limit=limit or self.limit, cwd=cwd, environment=environment)

    def jobs(self, cwd: Path, file: str = "") -> dict[str, dict[str, object]]:
        """Return every job with what it inherits, as `--preview` prints them, in order; refusals are raised.

        `file` is another pipeline than the main one: a child.
        """
        other = as_child(file) if file else []
        listed, preview = self._asked("--list-json", cwd, *other), self._asked("--preview", cwd, *other)
        try:
            known = yaml.safe_load(preview) or {}
        except yaml.YAMLError as error:
            raise RefusedError(f"--preview prints no YAML: {error}") from error
        return {row["name"]: {**known.get(row["name"], {}), "when": row["when"]} for row in json.loads(listed)}

    def validate(self, cwd: Path) -> None:
        """Raise when a job needs one that the rules leave out."""
        self._asked("--validate-dependency-chain", cwd)

    def _asked(self, flag: str, cwd: Path, *more: str) -> str:
        ran = self.ask([flag, *more], cwd)
        if ran.is_late:
            raise LateError(f"{flag} gave no answer in {self.limit:.0f} s")
        if ran.code != 0:
            raise RefusedError(f"{flag}: {ran.tail(4)}")
        return ran.output


def as_child(file: str) -> list[str]:
    """Return what makes gitlab-ci-local take a file for a pipeline that the main one started."""
    # Of a variable of GitLab's that is set by hand it warns amid its answer.
    source = ["--variable", "CI_PIPELINE_SOURCE=parent_pipeline", "--ignore-predefined-vars", "CI_PIPELINE_SOURCE"]
    return ["--file", file, *source]


def build_folder(name: str) -> str:
    """Return the name of the folder in which gitlab-ci-local runs a job, as it writes it."""
    return re.sub(r"[^\w-]+", lambda found: base64.urlsafe_b64encode(found[0].encode()).decode().rstrip("="), name)


def open_ci_local(cache: Path) -> CiLocal:
    """Install gitlab-ci-local and a Node that can run it, once for each cache folder."""
    packages = install_npm(cache / "gitlab-ci-local", f"gitlab-ci-local@{VERSION}", f"node@{NODE}")
    return CiLocal(node=packages / "node/bin/node", script=packages / "gitlab-ci-local/dist/index.js")


def install_npm(folder: Path, *packages: str) -> Path:
    """Install npm packages into a folder unless they are there; return its node_modules."""
    modules = folder / "node_modules"
    stamp = folder / ".done"
    if stamp.is_file():
        return modules
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError("npm is not on the path; install Node.js with npm, or leave out what needs it (--no-local)")
    folder.mkdir(parents=True, exist_ok=True)
    ran = run([npm, "install", "--prefix", str(folder), *packages], limit=600, environment=os.environ)
    if ran.code != 0:
        raise MissingError(f"npm could not install {' '.join(packages)}: {ran.tail(5)}")
    stamp.touch()
    return modules
