"""The simulation of the queue: the same figures for the same seed, fair, and near what the flood showed."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec import structs

from bench.simulation import FLOOD, Setup, main, simulate

TOP = Path(__file__).parents[2]

QUIET = Setup(projects=50, orders_per_second=0.5, seconds=600, places=4, hosts=1, talking=0.3, turn_seconds=2.0)


def test_the_same_seed_gives_the_same_figures_and_another_seed_others() -> None:
    assert simulate(QUIET, 3) == simulate(QUIET, 3)
    assert simulate(QUIET, 3) != simulate(QUIET, 4)


def test_every_order_ends_after_it_came() -> None:
    found = simulate(QUIET, 1)
    waits = [wait for of_project in found.waits.values() for wait in of_project]
    assert (len(waits), min(waits) > 0) == (found.orders, True)
    assert 0 < found.places_busy <= 1
    assert 0 < found.hosts_busy <= 1


def test_a_flood_in_one_project_keeps_the_others_waiting_less_than_itself() -> None:
    found = simulate(structs.replace(QUIET, orders_per_second=4.0, from_one=0.5, talking=0.0, is_even=True), 1)
    flooding = sorted(found.waits[0])[len(found.waits[0]) // 2]
    assert max(found.medians(besides=0)) < flooding


def test_a_second_host_shortens_talk_where_one_is_the_narrow_place() -> None:
    talk = structs.replace(QUIET, talking=1.0, places=8, orders_per_second=0.2)
    one, two = (simulate(structs.replace(talk, hosts=hosts), 1) for hosts in (1, 2))
    assert one.hosts_busy > 0.9
    assert two.talks[0] < one.talks[0] / 2


def test_the_flood_that_was_measured_comes_out_within_a_third() -> None:
    """Measured: drained 219 s after the last delivery; the flooding project's last order waited 212 s."""
    found = simulate(FLOOD, 1)
    assert abs((found.last - FLOOD.seconds) / 219 - 1) < 1 / 3
    assert abs(max(found.waits[0]) / 212 - 1) < 1 / 3
    assert abs(max(found.medians(besides=0)) / 95 - 1) < 1 / 3


def test_the_plan_is_what_the_simulation_says() -> None:
    """The page rounds."""
    page = (TOP / "docs" / "scaling.md").read_text(encoding="utf-8")
    planned = dict(re.findall(r"^\| simulated: ([^|]+?) \| (.+?) \|$", page, re.MULTILINE))
    said = CliRunner().invoke(main).stdout.split("\n\n")[0].splitlines()[2:]
    rows = [line.strip("|").split("|") for line in said]
    for name, column in (("a command, p50 and p95", 4), ("free words, p50 and p95", 5), ("hosts busy", 7)):
        simulated = _numbers(" ".join(row[column] for row in rows))
        assert _numbers(planned[name]) == pytest.approx(simulated, rel=0.1), name


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"[\d.]+", text)]


def test_it_is_part_of_the_bench() -> None:
    recipe = (TOP / "Makefile").read_text(encoding="utf-8").split("\nbench:")[1].split("\n\n")[0]
    assert "-m bench.simulation" in recipe
