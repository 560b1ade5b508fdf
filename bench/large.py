"""A repository of fifty thousand files, from the mention to its draft: calls to GitLab, seconds, memory of the worker.

`python -m bench.large` plays it with processes as in production.
"""

import time

import click
import psycopg
from msgspec import Struct

from bench.place import Place, place
from bench.processes import memory
from bench.synthetic import texts_of
from bot.sandbox import acts, seed
from bot.sandbox.state import Issue

FILES = 50_000
MOST_CALLS = 12  # eleven to the open draft, and its commit
_SECRET = "a-secret-for-measuring"
_PATIENCE_SECONDS = 300.0


class Drafted(Struct, frozen=True, kw_only=True):
    """What a draft took: the calls up to its commit, seconds from comment to answer, the worker's peak memory."""

    files: int
    calls: int
    seconds: float
    idle_megabytes: float
    peak_megabytes: float


def files_of(number: int) -> dict[str, str]:
    """Return a Python project of so many files, with hundreds of manifests among them; all sources read alike."""
    manifests = {f"libs/lib{each}/package.json": f'{{"name": "lib{each}"}}\n' for each in range(number // 100)}
    made = texts_of(number - len(manifests)) | manifests
    return {path: "NUMBER = 1\n" if path.startswith("src/") else text for path, text in made.items()}


def draft(opened: Place, number: int) -> Drafted:
    """Let a person ask for CI in a project of so many files, and watch the one worker there is."""
    with opened.web(WEBHOOK_SECRET=_SECRET) as (_, port):
        issue = _issue(opened, number, f"http://127.0.0.1:{port}/webhooks/gitlab")
        folder = str(opened.folder / "worker")
        with opened.process(["bot", "worker"], opened.environment(DATA_DIR=folder)) as worker:
            _until(opened, "select count(*) from procrastinate_workers")
            idle, before, began = memory(worker, "VmHWM"), len(opened.sandbox.calls), time.monotonic()
            with opened.sandbox.world.lock:
                acts.comment(opened.sandbox.world, issue, issue.author, "@pipewright generate")
            _until(opened, "select count(*) from orders where kind = 'mention' and finished_at is not null")
            seconds = time.monotonic() - began
            made = opened.sandbox.calls[before:]
            if not issue.project.merge_requests:
                raise click.ClickException(f"no draft came of it: {[note.body for note in issue.notes]}")
            calls = next(each for each, call in enumerate(made, 1) if call.endswith("/repository/commits"))
            return Drafted(
                files=number, calls=calls, seconds=seconds, idle_megabytes=idle, peak_megabytes=memory(worker, "VmHWM")
            )


def _issue(opened: Place, number: int, hook: str) -> Issue:
    world = opened.sandbox.world
    with world.lock:
        person = seed.add_user(world, f"person{number}")
        project = seed.add_project(world, f"large/app{number}", files_of(number), {person: 40, opened.bot: 40})
        seed.add_hook(world, project, hook, token=_SECRET)
        return acts.open_issue(world, project, person, "We need CI", "")


def _until(opened: Place, sql: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with psycopg.connect(opened.conninfo, autocommit=True) as connection:
        while (row := connection.execute(sql.encode()).fetchone()) is None or not row[0]:
            if time.monotonic() > deadline:
                raise click.ClickException(f"this did not come true: {sql}")
            time.sleep(0.02)


@click.command()
@click.option("--files", default=FILES, show_default=True)
def main(files: int) -> None:
    """Play it once and print the figures; fail when it took more calls than any other project."""
    with place() as opened:
        found = draft(opened, files)
    click.echo(f"{found.files} files: {found.calls} calls to the draft's commit (at most {MOST_CALLS}), ", nl=False)
    click.echo(f"{found.seconds:.1f} s from comment to answer, ", nl=False)
    click.echo(f"peak memory of the worker {found.peak_megabytes:.0f} MB (at rest {found.idle_megabytes:.0f} MB)")
    if found.calls > MOST_CALLS:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
