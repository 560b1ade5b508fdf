"""`python -m bench.pipelines CORPUS`: the ladder of every checkout in a folder, other CI hidden and visible."""

import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import msgspec
from msgspec import structs

from bench.ci_local import LIMIT, PATIENT_LIMIT, MissingError, open_ci_local
from bench.jobs import Machine
from bench.memory import Memory
from bench.nodejs import node_dist
from bench.releases import read_made
from bench.repair import measured, read_cases
from bench.report import report
from bench.rooms import Rooms, can_make_rooms
from bench.rows import Bench, Row, Side
from bench.truth import Truth, read_truths

SIDES: tuple[Side, ...] = ("hidden", "visible")
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("corpus", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--facts", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="What is right, as TSV.")
@click.option("--out", type=FOLDER, default=Path("dist/bench"), show_default=True, help="Where the report goes.")
@click.option("--cache", type=FOLDER, default=Path.home() / ".cache/pipewright-bench", show_default=True)
@click.option("--only", multiple=True, help="A checkout's folder name; may be repeated.")
@click.option("--side", "sides", multiple=True, type=click.Choice(SIDES), default=SIDES, help="Other CI hidden or not.")
@click.option("--run", "is_running", is_flag=True, help="Run the jobs: other people's code, on this machine, as you.")
@click.option("--mutate", "is_mutating", is_flag=True, help="With --run: break an assertion and run the tests again.")
@click.option("--runnable", is_flag=True, help="Only those that the facts mark as runnable.")
@click.option("--limit", default=300.0, show_default=True, help="Seconds for one job.")
@click.option("--answer-limit", default=LIMIT, show_default=True, help="Seconds for one answer of gitlab-ci-local.")
@click.option("--mirror", type=FOLDER, help="Bare repositories OWNER+NAME/repo that stand for github.com's in jobs.")
@click.option("--gems", type=FOLDER, help="A server of gems in a folder that stands for every other one in jobs.")
@click.option("--nearest", "is_nearest", is_flag=True, help="Run a Python the machine lacks with the nearest it has.")
@click.option("--repair", "is_repairing", is_flag=True, help="Level 9 too: mend seeded failures; runs code here.")
@click.option("--resume", "is_resuming", is_flag=True, help="Keep how pipelines went that ran into --out before.")
@click.option("--no-local", is_flag=True, help="Leave gitlab-ci-local out; nothing is installed then.")
def main(
    *,
    corpus: Path,
    facts: Path | None,
    out: Path,
    cache: Path,
    only: tuple[str, ...],
    sides: tuple[Side, ...],
    is_running: bool,
    is_mutating: bool,
    runnable: bool,
    limit: float,
    answer_limit: float,
    mirror: Path | None,
    gems: Path | None,
    is_nearest: bool,
    is_repairing: bool,
    is_resuming: bool,
    no_local: bool,
) -> None:
    """Measure every checkout in CORPUS, a folder of folders; write report.md and rows.json."""
    truths = read_truths(facts) if facts else {}
    checkouts = _checkouts(corpus.resolve(), only, {name for name, row in truths.items() if row.run == "yes"}, runnable)
    try:
        ci_local = None if no_local else structs.replace(open_ci_local(cache.resolve()), limit=answer_limit)
    except MissingError as error:
        raise click.ClickException(str(error)) from error
    patient = structs.replace(ci_local, limit=PATIENT_LIMIT) if ci_local else None
    rooms = _rooms(cache.resolve(), mirror, gems) if is_running else None
    machine = (
        Machine(ci_local=patient, cache=cache.resolve(), limit=limit, rooms=rooms, is_nearest=is_nearest)
        if is_running and patient
        else None
    )
    memory = Memory(folder=out.resolve() / "kept")
    if not is_resuming:
        memory.clear()
    scratch = out.resolve() / "work"
    bench = Bench(ci_local=ci_local, machine=machine, scratch=scratch, is_mutating=is_mutating, memory=memory)
    rows = _measured(bench, checkouts, sides, truths, 1 if is_running else 2)
    out.mkdir(parents=True, exist_ok=True)
    repairs = [measured(case) for case in read_cases()] if is_repairing else []
    text = report(rows, repairs, read_made(mirror) if mirror else ())
    (out / "report.md").write_text(text, encoding="utf-8")
    (out / "rows.json").write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1))
    click.echo(text.partition("## What stands")[0])
    click.echo(f"The whole report is in {out / 'report.md'}.")
    sys.exit(0 if all(not row.has_crashed for row in rows) else 1)


def _rooms(cache: Path, mirror: Path | None, gems: Path | None) -> Rooms | None:
    """With a mirror for github.com there is a stand-in for nodejs.org too."""
    if not can_make_rooms():
        return None
    dist = node_dist(cache) if mirror else None
    return Rooms(cache=cache / "rooms", mirror=mirror, dist=dist, gems=gems.resolve() if gems else None)


def _checkouts(corpus: Path, only: Sequence[str], running: set[str], runnable: bool) -> list[Path]:
    found = sorted(path for path in corpus.iterdir() if path.is_dir())
    chosen = [path for path in found if not only or path.name in only]
    return [path for path in chosen if not runnable or path.name in running]


def _measured(
    bench: Bench, checkouts: Sequence[Path], sides: Sequence[Side], truths: dict[str, Truth], workers: int
) -> list[Row]:
    """Measure in a fixed order of results; jobs run one at a time, since they share the machine's ports."""
    tasks = [(checkout, side) for side in sides for checkout in checkouts]

    def measure(task: tuple[Path, Side]) -> list[Row]:
        checkout, side = task
        rows = bench.rows(checkout, side, truths.get(checkout.name))
        click.echo(f"{side:8}{checkout.name}", err=True)
        return rows

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(measure, tasks))
    return [row for task, rows in zip(tasks, found, strict=True) for row in _in_time(rows, bench, task, truths)]


def _in_time(rows: list[Row], bench: Bench, task: tuple[Path, Side], truths: dict[str, Truth]) -> list[Row]:
    """Ask once more, alone and with patience, where there was no answer in time: a slow machine is no verdict."""
    checkout, side = task
    if bench.ci_local is None or not any(row.is_late for row in rows):
        return rows
    click.echo(f"{side:8}{checkout.name}, once more", err=True)
    patient = structs.replace(bench, ci_local=structs.replace(bench.ci_local, limit=PATIENT_LIMIT))
    return patient.rows(checkout, side, truths.get(checkout.name))


if __name__ == "__main__":
    main()
