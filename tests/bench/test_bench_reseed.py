"""Green pipelines are broken in the ways that fit them, and what is judged is what the bot would commit."""

import sys
from pathlib import Path

from bench.answers import CI_FILE
from bench.ci_local import CiLocal
from bench.jobs import Machine
from bench.reseed import as_trace, broken_ways, rounds_of

TEXT = """\
test:
  image: debian:trixie
  before_script:
    - apt-get update -q && apt-get install -yq --no-install-recommends cmake
  script:
    - make test
"""
# Stands for gitlab-ci-local: the job is red until its setup installs the package.
TOOL = """
import json, pathlib, sys, yaml
jobs = yaml.safe_load(pathlib.Path(".gitlab-ci.yml").read_text())
asked = sys.argv[1:]
if "--list-json" in asked:
    print(json.dumps([{"name": name, "when": "on_success"} for name in jobs]))
elif "--preview" in asked:
    print(yaml.safe_dump(jobs))
else:
    setup = str(jobs["test"].get("before_script"))
    log = ["test $ make test", "test > a.c:1: fatal error: libpq-fe.h: No such file or directory"]
    said = [] if "libpq-dev" in setup else log
    print(*said, sep=chr(10))
    sys.exit(1 if said else 0)
"""


def test_a_pipeline_is_broken_in_every_way_that_fits_it() -> None:
    broken = dict(broken_ways(TEXT, has_lock=True))

    assert list(broken) == ["the system packages are not installed", "a target of the Makefile under another name"]
    assert "before_script" not in broken["the system packages are not installed"]
    assert "make tests" in broken["a target of the Makefile under another name"]


def test_npm_ci_breaks_only_where_there_is_no_lock() -> None:
    text = "test:\n  script:\n    - npm install --no-audit\n"

    assert [name for name, _ in broken_ways(text, has_lock=False)] == ["npm ci without a lock file"]
    assert list(broken_ways(text, has_lock=True)) == []


def test_a_log_of_gitlab_ci_local_reads_like_a_runners() -> None:
    assert as_trace("lint   $ make test\nlint > gone\nplain").decode().splitlines()[:3] == [
        "$ make test",
        "gone",
        "plain",
    ]


def test_what_the_bot_would_commit_runs_again(tmp_path: Path) -> None:
    (tmp_path / "tool.py").write_text(TOOL)
    machine = Machine(
        ci_local=CiLocal(node=Path(sys.executable), script=tmp_path / "tool.py"), cache=tmp_path / "cache", limit=60
    )
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    text = "test:\n  image: debian:trixie\n  script:\n    - make test\n"
    mended = rounds_of(machine, checkout, {CI_FILE: text}, tmp_path / "scratch", "a header is missing")
    sound = rounds_of(
        machine, checkout, {CI_FILE: text + "  before_script: [libpq-dev]\n"}, tmp_path / "scratch", "none"
    )

    assert mended.is_green
    assert mended.rounds == ("Install libpq-dev for test",)
    assert (sound.is_green, sound.trouble) == (False, "does not fail")
