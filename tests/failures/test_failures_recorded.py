"""Logs of jobs that really failed with the tools themselves: each is of the class, and mended, as the table says.

`table.yml` says how each was made: image of the job, script, the repository's files. The logs are as the tools wrote
them, in a runner's frame; only folders of the machine that recorded them were renamed.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.ci.checks import check
from bot.failures.diagnosis import Diagnosis, Fix
from bot.failures.fixing import applied, propose
from bot.failures.gates import weakened
from bot.failures.recognise import recognise
from bot.failures.scene import Scene
from bot.failures.trace import excerpt, read_trace

HERE = Path(__file__).parent
TABLE: list[dict[str, Any]] = yaml.safe_load((HERE / "table.yml").read_text(encoding="utf-8"))
ROWS = [pytest.param(row, id=row["name"]) for row in TABLE]


def diagnosed(row: dict[str, Any]) -> Diagnosis:
    log = (HERE / "traces" / f"{row['name']}.log").read_bytes()
    return recognise(read_trace([log]), job="test", failure_reason="script_failure")


def pipeline(row: dict[str, Any]) -> str:
    return yaml.safe_dump({"test": {"image": row["image"], "script": row["script"]}}, sort_keys=False)


def mended(row: dict[str, Any], found: Diagnosis) -> Fix | None:
    files: dict[str, str] = row.get("files", {})
    return propose(found, Scene(pipeline(row), tuple(files), files.get))


def test_the_table_is_as_large_and_mixed_as_promised() -> None:
    assert len(TABLE) >= 60
    assert len({row["class"] for row in TABLE}) >= 25
    assert sorted(path.stem for path in (HERE / "traces").glob("*.log")) == sorted(row["name"] for row in TABLE)


@pytest.mark.parametrize("row", ROWS)
def test_the_class_is_right(row: dict[str, Any]) -> None:
    found = diagnosed(row)
    assert found.kind == row["class"], found.told
    assert found.title
    assert "{" not in found.why.replace("{'", "") or "`" in found.why
    assert "``" not in found.why + found.advice


@pytest.mark.parametrize("row", ROWS)
def test_the_fix_is_right_where_there_is_one_and_none_is_made_up_elsewhere(row: dict[str, Any]) -> None:
    fix, text = mended(row, diagnosed(row)), pipeline(row)
    if row.get("fix") is None:
        assert fix is None
        return
    assert fix is not None
    after = applied(text, fix)
    assert row["fix"] in after
    assert row["fix"] not in text
    assert weakened(text, after) is None
    before = {finding.message for finding in check(text) if finding.is_error}
    assert [finding.message for finding in check(after) if finding.is_error and finding.message not in before] == []


@pytest.mark.parametrize("row", ROWS)
def test_the_line_that_tells_is_shown(row: dict[str, Any]) -> None:
    found = diagnosed(row)
    assert found.told in found.excerpt
    assert len(found.excerpt) < 12_000


def test_different_failures_have_different_fingerprints() -> None:
    prints = Counter((found.kind, found.fingerprint) for found in map(diagnosed, TABLE))
    kinds = Counter(row["class"] for row in TABLE)
    same = {kind for (kind, _), count in prints.items() if count > 1}
    # Failures that name nothing of their own look alike, and that only makes the bot more careful.
    assert all(kinds[kind] > 1 for kind in same)
    assert len(prints) > len(TABLE) * 0.8


def test_the_same_failure_has_the_same_fingerprint_in_another_run() -> None:
    log = (HERE / "traces" / "pytest_real_failure.log").read_text(encoding="utf-8")
    again = log.replace("in 0.", "in 7.")
    first, second = (recognise(read_trace([text.encode()]), job="test 1/3") for text in (log, again))
    assert first.fingerprint == second.fingerprint
    assert excerpt(read_trace([log.encode()]))
