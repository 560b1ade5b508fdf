"""What stands in for what the machine lacks, the project's own commands by hand, and that a report can be repeated."""

import json
import tarfile
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from msgspec import structs

from bench import nearest
from bench.jobs import JobRun
from bench.ladder import Climb
from bench.nodejs import node_dist, nodeenv_settings
from bench.own import own_pipeline
from bench.pipelines import main
from bench.repair import Result
from bench.report import report
from bench.rows import Row
from bench.synthetic import make
from bench.truth import Truth

TRUTH = Truth(
    repo="a/b",
    run="yes",
    ecosystems=("python",),
    managers=("pip",),
    versions="3.13",
    floor="",
    commands={"install": (("pip install .",),), "lint": (("tox -e lint", "ruff check"),), "test": ()},
)


def test_a_python_that_is_not_here_is_replaced_in_images_and_in_the_names_of_tox() -> None:
    text = "test: {image: 'python:3.99-slim', script: ['tox -e py399', 'echo 13.99 3.991']}\n"
    changed, note = nearest.with_nearest(text)

    assert "3.99-slim" not in changed
    assert "py399" not in changed
    assert "13.99 3.991" in changed
    assert "for want of 3.99" in note


def test_what_names_no_missing_python_stays_as_it_is() -> None:
    text = "test: {image: 'node:24', script: ['npm test']}\n"

    assert nearest.with_nearest(text) == (text, "")


def test_only_red_jobs_are_done_by_hand_by_the_first_way_the_project_names() -> None:
    red = JobRun(name="app:lint", image="python:3.13", verdict="red: us")
    unknown = JobRun(name="test", image="python:3.13", verdict="red: us")
    green = JobRun(name="lint", image="python:3.13", verdict="green")
    jobs = yaml.safe_load(own_pipeline([red, unknown, green], TRUTH))

    assert list(jobs) == ["app:lint"]
    assert jobs["app:lint"]["script"] == ["pip install -q tox", "pip install .", "tox -e lint"]
    assert own_pipeline([green], TRUTH) == ""


def test_pre_commit_needs_nothing_else_and_looks_at_all_files() -> None:
    truth = structs.replace(TRUTH, commands={"install": (("pdm install",),), "lint": (("pre-commit",),)})
    red = JobRun(name="lint", image="python:3.13", verdict="red: us")

    script = yaml.safe_load(own_pipeline([red], truth))["lint"]["script"]
    assert script == ["pip install -q pre-commit", "pre-commit run --all-files"]


@pytest.mark.parametrize(
    ("own", "judged"),
    [("", "0 of 1"), ("green", "0 of 1"), ("not green, look why: E1", "0 of 1"), ("red here too: no network", "–")],
)
def test_a_red_job_counts_unless_it_is_red_by_hand_too(own: str, judged: str) -> None:
    run = JobRun(name="lint", image="python:3.13", verdict="red: us", own=own)
    text = report([Row(repo="a+b", by="pipewright", side="hidden", climb=Climb(), runs=[run])])

    assert f"| L7 of those whose own commands are green here | {judged} |" in text
    assert f"| L7 own commands red here too | {int(judged == '–')} |" in text


def test_what_was_mended_is_part_of_the_report() -> None:
    mended = Result(name="tags", is_mendable=True, is_green=True, rounds=("fetch the tags",), kind="git-depth")
    left = Result(name="a real failure", is_mendable=False, is_green=False, rounds=(), kind="test-failed")
    wrong = Result(name="b", is_mendable=True, is_green=False, rounds=())
    rows = [Row(repo="a+b", by="pipewright", side="hidden", climb=Climb())]
    text = report(rows, [mended, left, wrong])

    assert "| L9 seeded failures mended, or rightly left | 2 of 3 |" in text
    assert "| tags | git-depth | yes | fetch the tags |" in text
    assert "| b | – | NO |" in text
    assert "| L9 seeded failures mended, or rightly left | – (--repair) |" in report(rows)


def test_nodejs_org_is_laid_out_as_nodeenv_reads_it(tmp_path: Path) -> None:
    modules = tmp_path / "node-24/node_modules"
    for name, text in {
        "node/package.json": '{"version": "24.1.0"}',
        "node/bin/node": "",
        "npm/bin/npm-cli.js": "",
    }.items():
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (modules / name).write_text(text)
    (tmp_path / "node-24/.done").touch()
    dist = node_dist(tmp_path)

    assert json.loads((dist / "index.json").read_text())[0]["version"] == "v24.1.0"
    with tarfile.open(dist / "v24.1.0/node-v24.1.0-linux-x64.tar.gz") as archive:
        assert "node-v24.1.0-linux-x64/bin/node" in archive.getnames()
        assert archive.getmember("node-v24.1.0-linux-x64/bin/npm").linkname == "../lib/node_modules/npm/bin/npm-cli.js"
    assert nodeenv_settings(dist) == f"[nodeenv]\nmirror = file://{dist}\n"


def test_two_runs_of_the_bench_differ_in_nothing_but_seconds_and_memory(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    for name in ("a+one", "b+two"):
        make(corpus / name, 30)
    first, second = _measured(corpus, tmp_path / "first"), _measured(corpus, tmp_path / "second")

    assert first == second
    assert [row["repo"] for row in first] == ["a+one", "b+two", "a+one", "b+two"]


def _measured(corpus: Path, out: Path) -> list[dict[str, object]]:
    ran = CliRunner().invoke(main, [str(corpus), "--out", str(out), "--no-local"])
    assert ran.exit_code == 0, ran.output
    rows: list[dict[str, object]] = json.loads((out / "rows.json").read_text())
    return [{name: value for name, value in row.items() if name not in {"seconds", "peak_mb"}} for row in rows]
