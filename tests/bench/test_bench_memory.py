"""A long run can be cut off: what ran is not run again, a late answer is asked for once more, children's jobs run."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from msgspec import structs

from bench.answers import CI_FILE, Answer
from bench.ci_local import CiLocal, LateError, as_child, build_folder
from bench.jobs import JobRun, Machine
from bench.ladder import Climb, climb
from bench.memory import Kept, Memory
from bench.pipelines import main
from bench.report import report
from bench.rows import Bench, Row

# Stands for gitlab-ci-local: it tells of the jobs in the file that it is asked about, and runs none.
TOOL = """
import json, sys, pathlib, yaml
asked = sys.argv[1:]
file = asked[asked.index("--file") + 1] if "--file" in asked else ".gitlab-ci.yml"
read = yaml.safe_load(pathlib.Path(file).read_text())
jobs = {name: body for name, body in read.items() if isinstance(body, dict) and {"script", "trigger"} & set(body)}
if "--variable" in asked and "--ignore-predefined-vars" not in asked and "--preview" in asked:
    print("WARN: use one of the following methods:\\n\\t- a: b: c")
if "--list-json" in asked:
    print(json.dumps([{"name": name, "when": body.get("when", "on_success")} for name, body in jobs.items()]))
elif "--preview" in asked:
    print(yaml.safe_dump(jobs))
elif asked[0] in jobs:
    print("=== 3 passed in 0.1s ===")
    with open(pathlib.Path(__file__).parent / "asked", "a") as log: log.write(" ".join(asked) + chr(10))
"""
MAIN = {
    "lint": {"image": "unknown:1", "script": ["true"]},
    "web": {"trigger": {"include": [{"local": "web/.gitlab-ci.yml"}]}},
    "deploy": {"script": ["true"], "when": "manual"},
}


@pytest.fixture
def tool(tmp_path: Path) -> CiLocal:
    script = tmp_path / "tool/tool.py"
    script.parent.mkdir()
    script.write_text(TOOL)
    return CiLocal(node=Path(sys.executable), script=script)


def _files(jobs: Mapping[str, object]) -> dict[str, str]:
    child = {"test": {"image": "debian:trixie", "script": ["true"]}}
    return {CI_FILE: yaml.safe_dump(dict(jobs)), "web/.gitlab-ci.yml": yaml.safe_dump(child)}


def test_the_jobs_of_a_child_run_in_its_place(tmp_path: Path, tool: CiLocal) -> None:
    machine = Machine(ci_local=tool, cache=tmp_path / "cache", limit=60)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    runs = machine.run_all(checkout, _files(MAIN), tmp_path / "scratch")

    assert [run.name for run in runs] == ["lint", "web/.gitlab-ci.yml:test"]
    assert runs[1].verdict == "green"
    asked = (tmp_path / "tool/asked").read_text()
    assert " ".join(as_child("web/.gitlab-ci.yml")) in asked
    assert f"CI_PROJECT_DIR={tmp_path}/scratch/state/builds/test" in asked


@pytest.mark.parametrize(("name", "folder"), [("test", "test"), ("api:test", "apiOgtest"), ("a b/c", "aIAbLwc")])
def test_a_job_is_told_the_folder_that_gitlab_ci_local_gives_it(name: str, folder: str) -> None:
    assert build_folder(name) == folder


def test_what_ran_is_kept_until_it_is_to_be_forgotten(tmp_path: Path) -> None:
    memory = Memory(folder=tmp_path / "kept")
    run = JobRun(name="test", image="python:3.13", verdict="green", tests=3)
    memory.keep("a+b", {CI_FILE: "x"}, Kept(runs=[run], noticed=True, mutation="broken"))

    assert memory.recall("a+b", {CI_FILE: "x"}) == Kept(runs=[run], noticed=True, mutation="broken")
    assert memory.recall("a+b", {CI_FILE: "y"}) is None
    assert memory.recall("a+c", {CI_FILE: "x"}) is None
    memory.clear()
    assert memory.recall("a+b", {CI_FILE: "x"}) is None


def test_a_pipeline_that_ran_is_not_run_again(tmp_path: Path, tool: CiLocal) -> None:
    checkout = tmp_path / "a+b"
    checkout.mkdir()
    (checkout / "a.c").write_text("int main(void) { return 0; }\n")
    (checkout / "Makefile").write_text("all:\n\tcc a.c\n\ntest:\n\t./a.out\n")
    machine = Machine(ci_local=tool, cache=tmp_path / "cache", limit=60)
    bench = Bench(machine=machine, scratch=tmp_path / "work", memory=Memory(folder=tmp_path / "kept"))
    first = bench.rows(checkout, "hidden", None)
    broken = structs.replace(machine, ci_local=CiLocal(node=Path("/bin/false"), script=Path("/nowhere")))
    again = structs.replace(bench, machine=broken).rows(checkout, "visible", None)

    assert [run.name for run in first[0].runs]
    assert again[0].runs == first[0].runs


def test_silence_is_told_apart_from_a_refusal(tmp_path: Path) -> None:
    slow = CiLocal(node=Path("/bin/sh"), script=_script(tmp_path, "sleep 30"), limit=0.2)
    refusing = CiLocal(node=Path("/bin/sh"), script=_script(tmp_path, "echo no such stage; exit 1"))
    answer = Answer(by="pipewright", files={CI_FILE: "test: {script: [pytest]}\n"})

    with pytest.raises(LateError):
        slow.jobs(tmp_path)
    assert climb(answer, tmp_path, slow).is_late
    refused = climb(answer, tmp_path, refusing)
    assert (refused.accepted, refused.is_late) == (False, False)


def test_a_late_answer_is_asked_for_once_more_with_patience(tmp_path: Path) -> None:
    stamp, modules = tmp_path / "stamp", tmp_path / "cache/gitlab-ci-local/node_modules"
    for path in ("gitlab-ci-local/dist", "node/bin"):
        (modules / path).mkdir(parents=True)
    (modules / "node/bin/node").symlink_to("/bin/sh")
    script = modules / "gitlab-ci-local/dist/index.js"
    script.write_text(f"[ -e {stamp} ] || {{ touch {stamp}; sleep 30; }}; echo '[]'")
    (modules.parent / ".done").touch()
    (tmp_path / "corpus/a+b").mkdir(parents=True)
    (tmp_path / "corpus/a+b/go.mod").write_text("module example.com/a\n\ngo 1.26\n")
    (tmp_path / "corpus/a+b/a.go").write_text("package a\n")
    where = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache"), "--side", "hidden"]
    ran = CliRunner().invoke(main, [str(tmp_path / "corpus"), *where, "--answer-limit", "1"])

    assert "once more" in ran.output
    assert "| L3 gitlab-ci-local accepts | 1 of 1 |" in ran.output


def test_a_red_job_of_ours_counts_beside_one_that_is_red_by_hand() -> None:
    runs = [
        JobRun(name="lint", image="python:3.13", verdict="red: us", own="red here too: no network"),
        JobRun(name="test", image="python:3.13", verdict="red: us", own="green"),
    ]
    text = report([Row(repo="a+b", by="pipewright", side="hidden", climb=Climb(), runs=runs)])

    assert "| L7 of those whose own commands are green here | 0 of 1 |" in text


def _script(folder: Path, text: str) -> Path:
    script = folder / f"{abs(hash(text))}.sh"
    script.write_text(text)
    return script
