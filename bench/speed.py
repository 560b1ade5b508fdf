"""`python -m bench.speed`: how long a proposal takes, and how much memory, on small and large repositories.

Seconds differ from machine to machine, so each is also given as a multiple of a bare start of Python, measured in
the same run.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
from msgspec import Struct

from bench.answers import ask
from bench.programs import run
from bench.synthetic import make

SIZES = (1_000, 50_000)


class Figure(Struct, frozen=True, kw_only=True):
    """One measurement, and the most it should be."""

    name: str
    value: float
    unit: str
    goal: float

    def line(self, unit_of_work: float) -> str:
        """Return it as a line of the table."""
        ratio = f"{self.value / unit_of_work:.1f} x" if self.unit == "s" else "-"
        verdict = "yes" if self.value <= self.goal else "NO"
        return f"| {self.name} | {self.value:.3f} {self.unit} | {ratio} | {self.goal:g} {self.unit} | {verdict} |"


@click.command()
@click.option("--times", default=3, show_default=True, type=click.IntRange(1, 50), help="Take the median of so many.")
@click.option("--strict", is_flag=True, help="Exit 1 when a goal is missed.")
def main(*, times: int, strict: bool) -> None:
    """Measure survey, composition and checks together, and the start of `pipewright generate`."""
    start = _median(times, lambda: _seconds([sys.executable, "-c", "pass"]))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="pipewright-speed-") as folder:
        for size in SIZES:
            repository = Path(folder) / str(size)
            make(repository, size)
            figures += _sized(repository, size, times)
        small = Path(folder) / str(SIZES[0])
        figures.append(Figure(name="start of generate", value=_cold(small, times), unit="s", goal=1.0))
    click.echo("| what | measured | x a bare Python start | goal | kept |\n| --- | --- | --- | --- | --- |")
    for figure in figures:
        click.echo(figure.line(start))
    click.echo(f"\nA bare Python start took {start:.3f} s here.")
    missed = [figure for figure in figures if figure.value > figure.goal]
    sys.exit(1 if strict and missed else 0)


def _sized(repository: Path, size: int, times: int) -> list[Figure]:
    answers = [ask(repository, is_hidden=False) for _ in range(times)]
    complaint = next((answer.complaint for answer in answers if answer.complaint), "")
    if complaint:
        raise click.ClickException(complaint)
    seconds = statistics.median(answer.seconds for answer in answers)
    peak = max(answer.peak_mb for answer in answers)
    return [
        Figure(name=f"proposal for {size} files, warm", value=seconds, unit="s", goal=0.5 if size < 10_000 else 2.0),
        Figure(name=f"peak memory for {size} files", value=peak, unit="MB", goal=200),
    ]


def _cold(repository: Path, times: int) -> float:
    """Time the whole command, first byte to last."""
    return _median(times, lambda: _seconds([sys.executable, "-m", "bot", "generate", str(repository)]))


def _median(times: int, measure: Callable[[], float]) -> float:
    return statistics.median(measure() for _ in range(times))


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    ran = run(command, limit=120)
    if ran.code != 0:
        raise click.ClickException(f"{' '.join(command)} failed: {ran.tail(5)}")
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
