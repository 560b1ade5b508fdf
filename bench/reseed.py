"""`python -m bench.reseed CHECKOUT…`: level 9 on real repositories: their green pipelines broken, and mended by rule.

Each proposed pipeline is broken in every way that fits it; what the bot would commit is run again in the same rooms.
Runs other people's code on this machine, as you.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import msgspec
from msgspec import Struct, structs

from bench.answers import CI_FILE, ask
from bench.ci_local import PATIENT_LIMIT, open_ci_local
from bench.jobs import JobRun, Machine
from bench.nodejs import node_dist
from bench.rooms import Rooms, can_make_rooms
from bot.failures.diagnosis import Diagnosis
from bot.failures.mending import mend
from bot.failures.recognise import recognise
from bot.failures.scene import Scene
from bot.failures.trace import read_trace

MOST_ROUNDS = 3
# npm, for one, explains itself at length after it said what is wrong.
MOST_LINES = 500
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
# A way to break a pipeline: what it is called, which line is meant, and what stands there then; "" takes it away.
_WAYS = (
    ("the system packages are not installed", r"^ +- apt-get update -q && apt-get install [^\n]*\n", ""),
    ("the runner of the tests is not installed", r"^ +- pip install (?:tox|nox|hatch|pytest|pre-commit)\b[^\n]*\n", ""),
    ("npm ci without a lock file", r"^( +- )npm install\b[^\n]*\n", r"\1npm ci\n"),
    ("a script of package.json under another name", r"^( +- )((?:npm|yarn) run )([\w:-]+)\n", r"\1\2\3s\n"),
    ("a target of the Makefile under another name", r"^( +- )make test\n", r"\1make tests\n"),
)


class Outcome(Struct, frozen=True, kw_only=True):
    """How one broken pipeline ended. `trouble` says why it proves nothing."""

    repo: str
    way: str
    kinds: tuple[str, ...] = ()
    rounds: tuple[str, ...] = ()
    is_green: bool = False
    trouble: str = ""


def broken_ways(text: str, *, has_lock: bool) -> Iterator[tuple[str, str]]:
    """Yield each way to break a pipeline that fits it, with the broken text."""
    for name, pattern, instead in _WAYS:
        if name.startswith("npm ci") and has_lock:
            continue
        broken = re.sub(pattern, instead, text, count=1, flags=re.MULTILINE)
        broken = re.sub(r"^ +before_script:\n(?! +- )", "", broken, flags=re.MULTILINE)
        if broken != text:
            yield name, broken


def as_trace(log: str) -> bytes:
    """Return the log of gitlab-ci-local as a runner of GitLab would write it."""
    lines = [re.sub(r"^\S+ +(?:> ?|(?=\$ ))", "", line) for line in log.splitlines()]
    return "\n".join([*lines, "ERROR: Job failed: exit code 1", ""]).encode()


def rounds_of(machine: Machine, checkout: Path, files: Mapping[str, str], scratch: Path, way: str) -> Outcome:
    """Run a broken pipeline, mend it by rule and run it again, at most three times."""
    outcome = Outcome(repo=checkout.name, way=way)
    texts = dict(files)
    for _ in range(MOST_ROUNDS + 1):
        runs = machine.run_all(checkout, texts, scratch)
        reds = [run for run in runs if run.verdict.startswith("red")]
        if not reds:
            trouble = "" if outcome.rounds else "does not fail"
            return structs.replace(outcome, is_green=bool(outcome.rounds), trouble=trouble)
        mended = mend(_diagnoses(reds), _scene(checkout, texts))
        if mended is None or mended.weaker or len(outcome.rounds) == MOST_ROUNDS:
            return structs.replace(outcome, kinds=(*outcome.kinds, *_kinds(reds)))
        texts |= mended.after
        kinds = (*outcome.kinds, *(each.kind for each in mended.mends))
        outcome = structs.replace(outcome, kinds=kinds, rounds=(*outcome.rounds, *mended.titles))
    return outcome


def _diagnoses(reds: Sequence[JobRun]) -> Iterator[Diagnosis]:
    return (recognise(read_trace([as_trace(run.tail)]), job=run.name) for run in reds)


def _kinds(reds: Sequence[JobRun]) -> list[str]:
    return [recognise(read_trace([as_trace(run.tail)]), job=run.name).kind for run in reds]


def _scene(checkout: Path, texts: Mapping[str, str]) -> Scene:
    paths = [
        str(path.relative_to(checkout)) for path in checkout.rglob("*") if path.is_file() and ".git" not in path.parts
    ]

    def read(path: str) -> str | None:
        file = checkout / path
        return texts.get(path) or (file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None)

    return Scene(texts[CI_FILE], (*paths, *texts), read)


@click.command()
@click.argument("checkouts", nargs=-1, type=FOLDER)
@click.option("--cache", type=click.Path(path_type=Path), default=Path.home() / ".cache/pipewright-bench")
@click.option("--mirror", type=FOLDER, help="Bare repositories OWNER+NAME/repo that stand for github.com's in jobs.")
@click.option("--limit", default=300.0, show_default=True, help="Seconds for one job.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("dist/bench/reseed"), show_default=True)
def main(*, checkouts: tuple[Path, ...], cache: Path, mirror: Path | None, limit: float, out: Path) -> None:
    """Break and mend the pipeline proposed for each CHECKOUT."""
    if not can_make_rooms():
        raise click.ClickException("this takes root and debootstrap")
    cache = cache.resolve()
    tool = structs.replace(open_ci_local(cache), limit=PATIENT_LIMIT)
    rooms = Rooms(cache=cache / "rooms", mirror=mirror, dist=node_dist(cache) if mirror else None)
    machine = Machine(ci_local=tool, cache=cache, limit=limit, rooms=rooms, is_nearest=True, tail=MOST_LINES)
    found: list[Outcome] = []
    for checkout in checkouts:
        files = {**ask(checkout, is_hidden=True).files}
        has_lock = (checkout / "package-lock.json").exists()
        for way, text in broken_ways(files.get(CI_FILE, ""), has_lock=has_lock):
            scratch = out.resolve() / checkout.name
            found.append(rounds_of(machine, checkout, {**files, CI_FILE: text}, scratch, way))
            click.echo(_line(found[-1]))
    judged = [each for each in found if not each.trouble]
    click.echo(f"L9 on real repositories: {sum(each.is_green for each in judged)} of {len(judged)} mended")
    out.mkdir(parents=True, exist_ok=True)
    (out / "outcomes.json").write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    sys.exit(0 if all(each.is_green for each in judged) else 1)


def _line(each: Outcome) -> str:
    done = each.trouble or "; ".join(each.rounds) or f"nothing changed ({', '.join(each.kinds)})"
    return f"{'✓' if each.is_green else '–' if each.trouble else '✗'} {each.repo}: {each.way}: {done}"


if __name__ == "__main__":
    main()
