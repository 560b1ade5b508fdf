"""Kills the bot at every boundary of every story and compares how it ends; `python -m tests.crash` runs all of it."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bot.store.embedded import EmbeddedPostgres
from bot.store.migrate import migrate
from bot.tasks import queue_schema
from tests.crash.boundaries import Boundary
from tests.crash.ending import ending
from tests.crash.scene import Ground, Scene
from tests.crash.stories import Plot, Tale
from tests.crash.zygote import Zygote
from tests.secrets.leaks import leaks, on_pages
from tests.world.ending import Ending, differences

# What comes by the clock comes differently often in each run; a few of each are enough.
_BY_THE_CLOCK = ("update_heartbeat", "counters", "procrastinate_fetch_job", "prune_stalled", "sweeps", "swept_at")
_MOST_BY_THE_CLOCK = 2
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}


@dataclass
class Run:
    """How one run went: the boundaries it reached, how it ended, what was wrong."""

    reached: list[Boundary]
    was_hit: bool
    ending: Ending
    wrongs: list[str] = field(default_factory=list)
    seconds: float = 0.0


@contextmanager
def ground(folder: Path, chroma_url: str) -> Iterator[Ground]:
    """Start what all runs share."""
    server, zygote = EmbeddedPostgres(folder, settings=_FAST), Zygote(folder)
    conninfo = server.start()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("create database template")
    migrate(conninfo.replace("dbname=postgres", "dbname=template"), queue_schema())
    try:
        yield Ground(conninfo, chroma_url, folder, zygote)
    finally:
        zygote.stop()
        server.stop()


def undisturbed(shared: Ground, plot: Plot) -> Run:
    """Run a story without a kill."""
    return _run(shared, plot, None, None)


def killed(shared: Ground, plot: Plot, target: Boundary, wanted: Ending) -> Run:
    """Run a story with a kill at `target`; how it ends has to be as `wanted`."""
    return _run(shared, plot, target, wanted)


def _run(shared: Ground, plot: Plot, target: Boundary | None, wanted: Ending | None) -> Run:
    started = time.monotonic()
    with Scene(shared, target, script=plot.script, **plot.settings) as scene:
        wrongs: list[str] = []
        try:
            plot.goes(Tale(scene))
            scene.until(scene.is_quiet, "everything comes to rest")
            if wanted is None:  # pages are served alike whoever was killed before, so nobody is killed there
                before = len(scene.boundaries.reached)
                wrongs += leaks(on_pages(scene.address, scene.sandbox.world, scene.database), scene.secrets)
                del scene.boundaries.reached[before:]
                scene.bot.stop()
            else:
                _stop_as(scene, wanted)
        except AssertionError as error:
            wrongs.append(str(error))
        wrongs += leaks(scene.left_behind(), scene.secrets)
        found = ending(scene)
        if wanted is not None:
            wrongs += differences(wanted, found)
        if wrongs:
            wrongs += [f"log of the {name}:\n{one.tail()}" for name, one in scene.bot.processes.items()]
        return Run(scene.boundaries.reached, scene.boundaries.was_hit, found, wrongs, time.monotonic() - started)


def _stop_as(scene: Scene, wanted: Ending) -> None:
    """Stop once it has ended as wanted. One killed while it stops leaves the rest to the next: so there is a next."""
    for _ in range(2):
        _until_as(scene, wanted)
        scene.bot.stop()
        if not differences(wanted, ending(scene)):
            return
        for name in scene.bot.names:
            scene.bot.start(name)


def _until_as(scene: Scene, wanted: Ending) -> None:
    scene.until(lambda: not differences(wanted, ending(scene)), "it ends as without a kill", seconds=60)


def points(runs: Sequence[Run]) -> tuple[list[Boundary], list[Boundary]]:
    """Return where to kill: what every undisturbed run reached, and what only some did.

    A look around that happens to come before a hook, or a hook that comes between two others, makes an order more.
    """
    reached = [set(_not_by_the_clock(run.reached)) for run in runs]
    always, ever = set.intersection(*reached), set.union(*reached)
    return sorted(always), sorted(ever - always)


def _not_by_the_clock(found: Sequence[Boundary]) -> Iterator[Boundary]:
    """Leave out all but a few of what comes by the clock."""
    for one in found:
        if not any(word in one.label for word in _BY_THE_CLOCK) or (
            one.number <= _MOST_BY_THE_CLOCK and " + " not in one.label
        ):
            yield one
