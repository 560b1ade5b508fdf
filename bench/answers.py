"""What is proposed for one checkout: the files, and the facts they rest on."""

import resource
import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from bench.programs import run

CI_FILE = ".gitlab-ci.yml"
HOME = Path(__file__).resolve().parents[1]
COMMAND_FACTS = ("install", "test", "lint", "build")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One proposal; `facts` maps a fact class to its values, `complaint` tells why there is none.

    `files` has every proposed file; without `.gitlab-ci.yml` in it nothing had to be changed. `seconds` is a second,
    warm run in the same process, `peak_mb` the most memory of that process.
    """

    by: str
    files: dict[str, str] = {}
    facts: dict[str, list[str]] = {}
    ecosystems: list[str] = []
    existing: str | None = None
    complaint: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0

    @property
    def text(self) -> str:
        """The pipeline after the proposal: the proposed one, else the one that was there."""
        return self.files.get(CI_FILE) or self.existing or ""


def ask(checkout: Path, *, is_hidden: bool, limit: float = 120) -> Answer:
    """Ask Pipewright in a process of its own, so that a crash or an endless loop is one row and not the end."""
    flags = ["--hidden"] if is_hidden else []
    ran = run([sys.executable, "-m", "bench.answers", str(checkout.resolve()), *flags], limit=limit, cwd=HOME)
    if ran.code == 0:
        return msgspec.json.decode(ran.output, type=Answer)
    reason = f"no answer in {limit:.0f} s" if ran.is_late else ran.tail(6)
    return Answer(by="pipewright", complaint=f"crash: {reason}")


def answer(checkout: Path, *, is_hidden: bool) -> Answer:
    """Survey, compose and check one checkout in this process, twice; the second time counts."""
    _proposal(checkout, is_hidden)
    started = time.perf_counter()
    found, composition, existing = _proposal(checkout, is_hidden)
    return Answer(
        by="pipewright",
        files=composition.files,
        facts=_facts(found.units),
        ecosystems=[unit.ecosystem for unit in found.units],
        existing=existing,
        seconds=round(time.perf_counter() - started, 3),
        peak_mb=_peak_mb(),
    )


def _peak_mb() -> float:
    """Return the most memory this process had; rusage would tell that of whoever started it, if that was more."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else ()
    found = next((line for line in lines if line.startswith("VmHWM:")), "")
    kilobytes = int(found.split()[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kilobytes / 1024, 1)


def _proposal(checkout: Path, is_hidden: bool) -> tuple[Any, Any, str | None]:
    from bot.checkout import read_checkout
    from bot.ci.assignment import Assignment
    from bot.ci.catalog import default_templates_dir, load_catalog
    from bot.ci.compose import compose
    from bot.survey.report import survey
    from bot.survey.wanted import wanted_paths

    snapshot = read_checkout(checkout, lambda paths: wanted_paths(paths, ignore_existing_ci=is_hidden))
    found = survey(snapshot, ignore_existing_ci=is_hidden)
    existing = None if is_hidden else snapshot.read(CI_FILE)
    catalog = load_catalog(default_templates_dir())
    given = Assignment(survey=found, existing=existing, paths=snapshot.paths, texts=snapshot.texts)
    made = compose(given, catalog)
    return found, made, existing


def _facts(units: Any) -> dict[str, list[str]]:
    """Commands of every unit in order; the rest of the first unit, which is the one that matters most."""
    names = dict.fromkeys(fact.name for unit in units for fact in unit.facts)
    return {name: list(dict.fromkeys(value for unit in units for value in unit.all(name))) for name in names}


@click.command()
@click.argument("checkout", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--hidden", "is_hidden", is_flag=True, help="Act as if there were no other CI.")
def main(checkout: Path, is_hidden: bool) -> None:
    """Print the answer for CHECKOUT as JSON."""
    from bot.domain import CannotError

    try:
        given = answer(checkout, is_hidden=is_hidden)
    except CannotError as error:
        given = Answer(by="pipewright", complaint=f"refused: {error}")
    click.echo(msgspec.json.encode(given).decode())


if __name__ == "__main__":
    main()
