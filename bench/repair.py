"""`python -m bench.repair`: failures seeded into green pipelines, and how many are mended without a weaker gate.

Every job really runs, in the stand-in's shell; each round is what the bot does: read the log, name the class, propose
typed edits, check them. Cases without a green pipeline must stay red and untouched. Runs code on this machine, as you.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
import yaml
from msgspec import Struct

from bot.ci.checks import check
from bot.failures.fixing import applied, propose
from bot.failures.gates import weakened
from bot.failures.recognise import recognise
from bot.failures.scene import Scene
from bot.failures.trace import read_trace
from bot.sandbox import acts, git_store, seed
from bot.sandbox.server import Sandbox
from bot.sandbox.state import Pipeline, Project, User

CASES = Path(__file__).parent / "data" / "repairs.yml"
CI_FILE = ".gitlab-ci.yml"
MOST_ROUNDS = 3
PATIENCE_SECONDS = 600.0


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pipeline with a seeded failure. Without `green` no change of the pipeline is right."""

    name: str
    files: dict[str, str]
    seeded: dict[str, Any]
    green: dict[str, Any] | None = None
    image: str = "debian:trixie"
    history: bool = False


class Result(Struct, frozen=True, kw_only=True):
    """How a case went. `rounds` counts the changes made; `trouble` says why the case itself proves nothing."""

    name: str
    is_mendable: bool
    is_green: bool
    rounds: tuple[str, ...]
    kind: str = ""
    trouble: str = ""

    @property
    def is_right(self) -> bool:
        """Mended where that is right, left alone where not."""
        return not self.trouble and (self.is_green if self.is_mendable else not self.rounds)


@click.command()
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the results to this file.")
def main(*, json_file: Path | None) -> None:
    """Measure L9 of the ladder."""
    results = []
    for case in read_cases():
        result = measured(case)
        results.append(result)
        rounds = ", ".join(result.rounds) or "nothing changed"
        click.echo(f"{'✓' if result.is_right else '✗'} {case.name}: {result.kind or '-'}; {result.trouble or rounds}")
    mendable = [result for result in results if result.is_mendable]
    left = [result for result in results if not result.is_mendable]
    click.echo(f"\nL9 mended without a weaker gate: {sum(each.is_right for each in mendable)} of {len(mendable)}")
    click.echo(f"L9 rightly left alone: {sum(each.is_right for each in left)} of {len(left)}")
    if json_file:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    sys.exit(0 if all(result.is_right for result in results) else 1)


def read_cases() -> list[Case]:
    """Return the seeded failures."""
    return msgspec.convert(yaml.safe_load(CASES.read_text(encoding="utf-8")), list[Case])


def measured(case: Case) -> Result:
    """Run a case from the green pipeline over the seeded one to the mended one."""
    with tempfile.TemporaryDirectory(prefix="bench-repair-") as folder:
        sandbox = Sandbox(Path(folder) / "gitlab", run_jobs=True).start()
        try:
            return _rounds(case, _Place(sandbox, case, Path(folder)))
        finally:
            sandbox.stop()


def _rounds(case: Case, place: "_Place") -> Result:
    is_mendable = case.green is not None
    if case.green is not None and place.run(_text(case, case.green)).status != "success":
        return Result(name=case.name, is_mendable=True, is_green=False, rounds=(), trouble="is not green to begin with")
    seeded = text = _text(case, case.seeded)
    run, kind = place.run(text), ""
    rounds: list[str] = []
    if run.status != "failed":
        return Result(name=case.name, is_mendable=is_mendable, is_green=True, rounds=(), trouble="does not fail")
    while run.status == "failed" and len(rounds) < MOST_ROUNDS:
        trace = read_trace([run.jobs[0].trace.encode()])
        found = recognise(trace, job="test", failure_reason=run.jobs[0].failure_reason)
        kind = kind or found.kind
        fix = propose(found, Scene(text, tuple(case.files), case.files.get))
        if fix is None:
            break
        text = applied(text, fix)
        rounds.append(fix.title)
        if weakened(seeded, text) or any(finding.is_error for finding in check(text)):
            return Result(name=case.name, is_mendable=is_mendable, is_green=False, rounds=tuple(rounds), kind=kind)
        run = place.run(text)
    is_green = run.status == "success"
    return Result(name=case.name, is_mendable=is_mendable, is_green=is_green, rounds=tuple(rounds), kind=kind)


def _text(case: Case, job: Mapping[str, Any]) -> str:
    return yaml.safe_dump({"test": {"image": case.image, **job}}, sort_keys=False)


class _Place:
    """A project in the stand-in whose pipelines are pushed one after the other."""

    def __init__(self, sandbox: Sandbox, case: Case, folder: Path) -> None:
        self._sandbox = sandbox
        self._case, self._folder = case, folder
        self._runs = 0
        world = sandbox.world
        with world.lock:
            self._user: User = seed.add_user(world, "max")
            self._project: Project = seed.add_project(world, "group/app", case.files, {self._user: 40})
            if case.history:
                seed.add_history(self._project, self._user, tag="v1.2", commits=25)

    def run(self, text: str) -> Pipeline:
        """Push a pipeline's text to the default branch and wait until its pipeline has ended."""
        self._runs += 1
        with _tools(self._case, self._folder / f"tools-{self._runs}"):
            return self._run(text)

    def _run(self, text: str) -> Pipeline:
        world, project = self._sandbox.world, self._project
        with world.lock:
            known = git_store.read(project.git_dir, "main", CI_FILE) is not None
            change = {"action": "update" if known else "create", "file_path": CI_FILE, "content": text}
            acts.push(world, project, self._user, "main", [change], "Change the pipeline")
            run = project.pipelines[-1]
        self._sandbox.wait_until(lambda: run.finished_at is not None, PATIENCE_SECONDS)
        return run


@contextmanager
def _tools(case: Case, folder: Path) -> Iterator[None]:
    """Give each job in Python's image an environment of its own: nothing of an earlier run is in it."""
    before = os.environ["PATH"]
    if case.image.startswith("python"):
        subprocess.run([sys.executable, "-m", "venv", str(folder / "python")], check=True, timeout=300)
        os.environ["PATH"] = f"{folder / 'python' / 'bin'}:{os.defpath}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


if __name__ == "__main__":
    main()
