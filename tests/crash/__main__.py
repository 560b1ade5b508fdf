"""`make crash`: every kill point of every story, with the number of points and of failures at the end."""

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click

from tests.crash.boundaries import Boundary
from tests.crash.matrix import Run, ground, killed, points, undisturbed
from tests.crash.scene import Ground
from tests.crash.stories import PLOTS, Plot
from tests.world.chroma_server import started


@click.command()
@click.option("--jobs", default=4, show_default=True, help="Runs at the same time.")
@click.option("--story", "names", multiple=True, type=click.Choice([one.name for one in PLOTS]), help="Only these.")
@click.option("--every", default=1, show_default=True, help="Take every n-th point only.")
@click.option("--only", default="", help="Only points whose description has these words.")
@click.option("--verbose", is_flag=True, help="Name each point.")
def main(*, jobs: int, names: tuple[str, ...], every: int, only: str, verbose: bool) -> None:
    """Kill the bot at every boundary between two effects, in each story, and compare how it ends."""
    failures, total, missed = 0, 0, 0
    with _shared() as shared, ThreadPoolExecutor(jobs) as pool:
        for plot in PLOTS:
            if names and plot.name not in names:
                continue
            calm = undisturbed(shared, plot)
            if calm.wrongs:
                raise click.ClickException(f"{plot.name} fails without any kill: {calm.wrongs}")
            targets = [one for one in points(calm) if only in str(one)][::every]
            runs = list(pool.map(lambda one: _killed(shared, plot, one, calm, verbose=verbose), targets))  # noqa: B023
            total, failures = total + len(runs), failures + sum(bool(run.wrongs) for run in runs)
            missed += sum(not run.was_hit for run in runs)
            click.echo(_line(plot, runs))
    click.echo(f"{total} kill points, {failures} failures, {missed} not reached in their run")
    sys.exit(bool(failures))


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
    if run.wrongs or verbose:
        words = "FAILED" if run.wrongs else "ok" if run.was_hit else "not reached"
        click.echo(f"{words:12}{plot.name}, {target} ({run.seconds:.1f} s)")
    for wrong in run.wrongs:
        click.echo("    " + wrong.replace("\n", "\n    "))
    return run


def _line(plot: Plot, runs: list[Run]) -> str:
    failed = sum(bool(run.wrongs) for run in runs)
    return f"{plot.name:12} {len(runs):4} kill points, {failed} failures, {sum(run.seconds for run in runs):.0f} s"


main()
