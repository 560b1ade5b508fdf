"""The table of `make bench`: what is kept of a run is whole, and says which machine it comes from."""

from pathlib import Path

import msgspec
import pytest

from bench.machine import Machine, processor_seconds, this_machine
from bench.table import RESULTS, Line, Results, markdown

KEPT = RESULTS / "bench.json"


def test_the_machine_is_told_without_names_and_paths() -> None:
    machine = this_machine("18.4")
    assert machine.processors > 0
    assert machine.memory_gb > 0
    assert "/" not in machine.system + machine.python + machine.postgresql
    assert set(machine.packages) >= {"litestar", "psycopg"}


def test_what_the_host_keeps_of_the_processors_time_is_told(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 800 10 0 5 35 0 0\ncpu0 1 2 3\n")
    before = processor_seconds(stat)
    stat.write_text("cpu  200 0 100 1500 20 0 10 170 7 7\ncpu0 1 2 3\n")
    assert processor_seconds(stat).stolen_since(before) == pytest.approx(135 / 1000)


def test_where_nobody_tells_the_host_keeps_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "stat"
    assert processor_seconds(nowhere).stolen_since(processor_seconds(nowhere)) == 0.0


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        (Line(part="a", what="b", value=1.0, unit="s"), None),
        (Line(part="a", what="b", value=1.0, unit="s", at_most=1), True),
        (Line(part="a", what="b", value=1.1, unit="s", at_most=1), False),
        (Line(part="a", what="b", value=0.6, unit="", at_least=0.65), False),
        (Line(part="a", what="b", value=0.0, unit="calls", at_most=0), True),
    ],
)
def test_a_goal_is_kept_or_missed_or_not_there(line: Line, kept: bool | None) -> None:
    assert line.is_kept is kept


def test_what_is_missed_is_said_in_capitals() -> None:
    machine = Machine(
        processor="x", processors=2, memory_gb=4, system="s", python="3", postgresql="18", packages={}, at="t", busy=0
    )
    text = markdown(Results(machine=machine, lines=[Line(part="a", what="b", value=9.0, unit="s", at_most=1)]))
    assert "| a | b | 9.00 s |  | ≤ 1 | NO |" in text


@pytest.mark.skipif(not KEPT.exists(), reason="no run was kept")
def test_the_kept_run_is_whole_and_its_table_is_the_same_figures() -> None:
    results = msgspec.json.decode(KEPT.read_bytes(), type=Results, strict=True)
    parts = {line.part for line in results.lines}
    assert parts >= {"floor", "webhook", "order", "calls", "workers", "survey", "retrieval", "pages", "memory", "start"}
    assert all(line.value >= 0 for line in results.lines)
    assert (RESULTS / "bench.md").read_text(encoding="utf-8") == markdown(results)
    counted = {line.what: line for line in results.lines if line.part == "calls" and line.at_most is not None}
    assert {what for what, line in counted.items() if not line.is_kept} == set()
    assert len(counted) == 4
