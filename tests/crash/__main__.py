"""`make crash`: every kill point of every story, with the number of points and of failures at the end."""

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from tests.crash.boundaries import Boundary
from tests.crash.matrix import Run, ground, killed, points, undisturbed
from tests.crash.scene import Ground
from tests.crash.stories import PLOTS, Plot
from tests.world.chroma_server import started

# Hooks, looks around and workers meet differently in each run: one run may not come to a point of another.
CALM_RUNS, TRIES = 3, 6


@dataclass
class Count:
    """What became of the kill points of a story, or of all."""

    points: int = 0
    failures: int = 0
    not_reached: int = 0
    by_chance: int = 0
    by_chance_not_reached: int = 0

    def add(self, other: "Count") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def __str__(self) -> str:
        return (
            f"{self.points} kill points, {self.failures} failures, {self.not_reached} not reached; {self.by_chance} of "
            f"them came in some of {CALM_RUNS} undisturbed runs only, {self.by_chance_not_reached} of these not again"
        )


@click.command()
@click.option("--jobs", default=4, show_default=True, help="Runs at the same time.")
@click.option("--story", "names", multiple=True, type=click.Choice([one.name for one in PLOTS]), help="Only these.")
@click.option("--every", default=1, show_default=True, help="Take every n-th point only.")
@click.option("--only", default="", help="Only points whose description has these words.")
@click.option("--verbose", is_flag=True, help="Name each point.")
def main(*, jobs: int, names: tuple[str, ...], every: int, only: str, verbose: bool) -> None:
    """Kill the bot at every boundary between two effects, in each story, and compare how it ends.

    Exit 1 when an ending differs, or when a point that every undisturbed run came to is never reached.
    """
    total = Count()
    with _shared() as shared, ThreadPoolExecutor(jobs) as pool:
        for plot in PLOTS:
            if names and plot.name not in names:
                continue
            calm = [undisturbed(shared, plot) for _ in range(CALM_RUNS)]
            if wrongs := [wrong for run in calm for wrong in run.wrongs]:
                raise click.ClickException(f"{plot.name} fails without any kill: {wrongs}")
            always, some = ([one for one in found if only in str(one)][::every] for found in points(calm))
            tasks = [pool.submit(_killed, shared, plot, one, calm[0], verbose=verbose) for one in (*always, *some)]
            count = _counted([task.result() for task in tasks], len(always))
            click.echo(f"{plot.name:12} {count}")
            total.add(count)
    click.echo(f"{'all':12} {total}")
    sys.exit(bool(total.failures or total.not_reached))


def _counted(runs: list[Run], firm: int) -> Count:
    missed = [not run.was_hit for run in runs]
    return Count(
        points=len(runs),
        failures=sum(bool(run.wrongs) for run in runs),
        not_reached=sum(missed[:firm]),
        by_chance=len(runs) - firm,
        by_chance_not_reached=sum(missed[firm:]),
    )


@contextmanager
def _shared() -> Iterator[Ground]:
    with tempfile.TemporaryDirectory(prefix="pw-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "chroma").mkdir()
        chroma = started(folder / "chroma")
        try:
            with ground(folder, chroma.url) as shared:
                yield shared
        finally:
            chroma.stop()


def _killed(shared: Ground, plot: Plot, target: Boundary, calm: Run, *, verbose: bool) -> Run:
    run = killed(shared, plot, target, calm.ending)
    for _ in range(TRIES - 1):
        if run.was_hit or run.wrongs:
            break
        run = killed(shared, plot, target, calm.ending)
    if run.wrongs or verbose or not run.was_hit:
        words = "FAILED" if run.wrongs else "ok" if run.was_hit else "not reached"
        click.echo(f"{words:12}{plot.name}, {target} ({run.seconds:.1f} s)")
    for wrong in run.wrongs:
        click.echo("    " + wrong.replace("\n", "\n    "))
    return run


main()
