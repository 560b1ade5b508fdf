"""One row of the table: one repository, one author of a pipeline, other CI hidden or not, and every level reached."""

import functools
import tempfile
from pathlib import Path
from typing import Literal

from msgspec import Struct, structs

from bench.answers import CI_FILE, Answer, ask
from bench.baselines import NAMES, baseline
from bench.ci_local import CiLocal, RefusedError
from bench.expand import read_runners
from bench.facts import Match, compare
from bench.jobs import JobRun, Machine, commit, copied
from bench.ladder import Climb, climb
from bench.memory import Kept, Memory
from bench.mutation import mutate
from bench.own import own_pipeline
from bench.programs import run
from bench.truth import Truth

Side = Literal["hidden", "visible"]


class Row(Struct, frozen=True, kw_only=True):
    """What was measured; `noticed` says whether a test job went red for a broken assertion, None when not asked."""

    repo: str
    by: str
    side: Side
    climb: Climb
    complaint: str = ""
    ecosystems: list[str] = []
    matches: list[Match] = []
    runs: list[JobRun] = []
    noticed: bool | None = None
    mutation: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0

    @property
    def has_crashed(self) -> bool:
        """Whether there was neither a pipeline nor a refusal with its reason."""
        return self.complaint.startswith("crash")

    @property
    def is_late(self) -> bool:
        """Whether Pipewright or gitlab-ci-local gave no answer in time."""
        return self.climb.is_late or self.complaint.startswith("crash: no answer")

    @property
    def ran(self) -> list[JobRun]:
        """The jobs that this machine could run at all."""
        return [each for each in self.runs if each.verdict != "not run"]

    @property
    def is_green(self) -> bool | None:
        """Whether every job that was run is green; None when none was."""
        return all(each.verdict == "green" for each in self.ran) if self.ran else None

    @property
    def is_green_where_own_is(self) -> bool | None:
        """Whether every job is green; None where each red one is red by hand too: this machine cannot make it green."""
        reds = [each for each in self.ran if each.verdict != "green"]
        return None if reds and all(each.is_red_by_hand for each in reds) else self.is_green

    @property
    def is_fair(self) -> bool | None:
        """Whether no job is red because of us; None when nothing green or ours is left to judge by."""
        judged = [each for each in self.ran if each.verdict != "red: project or machine"]
        return all(each.verdict == "green" for each in judged) if judged else None

    @property
    def has_tested(self) -> bool | None:
        """Whether some green job ran tests; None when no job names tests or none could run."""
        named = [each for each in self.ran if each.name.rpartition(":")[2].startswith("test")]
        return any(each.tests and each.verdict == "green" for each in named) if named else None


class Bench(Struct, frozen=True, kw_only=True):
    """What to measure with: None leaves a level out. With a `memory` equal pipelines run once."""

    ci_local: CiLocal | None = None
    machine: Machine | None = None
    scratch: Path = Path()
    is_mutating: bool = False
    memory: Memory | None = None

    def rows(self, checkout: Path, side: Side, truth: Truth | None) -> list[Row]:
        """Measure one repository on one side; the baselines read nothing, so they stand on the hidden side only."""
        given = ask(checkout, is_hidden=side == "hidden")
        ours = _row(given, climb(given, checkout, self.ci_local), checkout, side, truth)
        ours = self._run(ours, given, checkout, truth)
        if side == "visible" or truth is None or not truth.ecosystems:
            return [ours]
        others = [(baseline(name, truth.ecosystems[0]), name) for name in NAMES]
        climbs = [_baseline_climb(name, truth.ecosystems[0], self.ci_local) for _, name in others]
        return [
            ours,
            *(_row(other, found, checkout, side, truth) for (other, _), found in zip(others, climbs, strict=True)),
        ]

    def _run(self, row: Row, given: Answer, checkout: Path, truth: Truth | None) -> Row:
        if self.machine is None or not given.text:
            return row
        kept = self.memory.recall(checkout.name, given.files) if self.memory else None
        try:
            kept = kept or self._keep(given, checkout, self._went(self.machine, given, checkout, truth))
        except RefusedError:  # level 3 says so already
            return row
        if self.is_mutating and not kept.mutation:
            kept = self._keep(given, checkout, self._mutated(self.machine, kept, given, checkout))
        return structs.replace(row, runs=kept.runs, noticed=kept.noticed, mutation=kept.mutation)

    def _keep(self, given: Answer, checkout: Path, kept: Kept) -> Kept:
        if self.memory is not None:
            self.memory.keep(checkout.name, given.files, kept)
        return kept

    def _went(self, machine: Machine, given: Answer, checkout: Path, truth: Truth | None) -> Kept:
        runs = machine.run_all(checkout, given.files, self.scratch / checkout.name)
        return Kept(runs=self._by_hand(machine, runs, checkout, truth))

    def _by_hand(self, machine: Machine, runs: list[JobRun], checkout: Path, truth: Truth | None) -> list[JobRun]:
        """Run the project's own commands where a job is red."""
        text = own_pipeline(runs, truth) if truth else ""
        if not text:
            return runs
        own = {each.name: each for each in machine.run_all(checkout, {CI_FILE: text}, self.scratch / checkout.name)}
        return [structs.replace(run, own=_told(own[run.name])) if run.name in own else run for run in runs]

    def _mutated(self, machine: Machine, kept: Kept, given: Answer, checkout: Path) -> Kept:
        """Break an assertion and run the job that ran tests and was green."""
        name = next((each.name for each in kept.runs if each.verdict == "green" and each.tests), "")
        place = self.scratch / checkout.name
        usable, _ = machine.usable(given.files)
        copy = copied(checkout, usable, place)
        listed = run(["git", "-C", str(copy), "ls-files"], limit=30).output.splitlines()
        broken = mutate(copy, listed) if name else None
        if broken is None:
            said = "no green job that ran tests" if not name else "no assertion found"
            return structs.replace(kept, mutation=said)
        commit(copy, "Break an assertion")
        job = next(each for each in machine.jobs(copy, usable) if each.label == name)
        again = machine.run_one(copy, job, place)
        said = f"{broken.path}:{broken.line}: {broken.before} → {broken.after}"
        return structs.replace(kept, noticed=again.verdict != "green", mutation=said)


def _told(own: JobRun) -> str:
    """Tell how the project's own commands went; only a cause outside of them, found in the log, speaks for us."""
    if own.verdict == "red: project or machine":
        return f"red here too: {own.cause}"
    return own.verdict if own.verdict == "green" else f"not green, look why: {own.tail.strip().rpartition(chr(10))[2]}"


def _row(given: Answer, found: Climb, checkout: Path, side: Side, truth: Truth | None) -> Row:
    return Row(
        repo=checkout.name,
        by=given.by,
        side=side,
        climb=found,
        complaint=given.complaint,
        ecosystems=given.ecosystems,
        matches=compare(given, truth, read_runners(checkout)) if truth else [],
        seconds=given.seconds,
        peak_mb=given.peak_mb,
    )


@functools.cache
def _baseline_climb(name: str, ecosystem: str, ci_local: CiLocal | None) -> Climb:
    """A ready-made file is the same everywhere, so it climbs once, in an empty checkout."""
    with tempfile.TemporaryDirectory(prefix="pipewright-bench-") as folder:
        return climb(baseline(name, ecosystem), Path(folder), ci_local)
